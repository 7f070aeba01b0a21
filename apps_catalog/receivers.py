"""What this app does when something is announced, below it or in it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from apps_catalog import hooks
from apps_catalog.codes.letters import note_mails
from apps_catalog.installations import leaving, turns
from apps_catalog.tasks import check_channel, hear_channel, run_deployment, search_store
from organizations.hooks import devices_departing, mail_settled
from organizations.models import OutgoingMail


def connect() -> None:
    hooks.store_asked.connect(start_search, dispatch_uid="apps_catalog.start_search")
    hooks.channel_told.connect(start_hearing, dispatch_uid="apps_catalog.start_hearing")
    hooks.channel_check_asked.connect(start_check, dispatch_uid="apps_catalog.start_check")
    hooks.deployment_waits.connect(start_work, dispatch_uid="apps_catalog.start_work")
    devices_departing.connect(leaving.departing, dispatch_uid="apps_catalog.forget_devices")
    mail_settled.connect(hear_of_mails, dispatch_uid="apps_catalog.hear_of_mails")


def start_search(sender: Any, *, search_id: uuid.UUID, **kwargs: Any) -> None:
    search_store.delay(search_id=str(search_id))


def start_hearing(sender: Any, *, organization_id: int, **kwargs: Any) -> None:
    hear_channel.delay(organization_id=organization_id)


def start_check(sender: Any, *, organization_id: int, **kwargs: Any) -> None:
    check_channel.delay(organization_id=organization_id)


def start_work(sender: Any, *, organization_id: int, **kwargs: Any) -> None:
    turns.note(organization_id)
    run_deployment.delay(organization_id=organization_id)


def hear_of_mails(sender: Any, *, mails: Sequence[OutgoingMail], **kwargs: Any) -> None:
    note_mails(mails)
