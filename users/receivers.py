"""What this app does when the tenant announces something."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from organizations.hooks import mail_settled
from organizations.models import OutgoingMail
from users.hooks import import_waits
from users.invitations.news import note_mails
from users.tasks import work_on_import


def connect() -> None:
    mail_settled.connect(hear_of_mails, dispatch_uid="users.hear_of_mails")
    import_waits.connect(start_work_on_import, dispatch_uid="users.start_work_on_import")


def hear_of_mails(sender: Any, *, mails: Sequence[OutgoingMail], **kwargs: Any) -> None:
    note_mails(mails)


def start_work_on_import(sender: Any, *, import_id: uuid.UUID, **kwargs: Any) -> None:
    work_on_import.delay(import_id=str(import_id))
