"""What this app does when it announces something itself: the way up from a service to a task."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.signals import user_logged_in
from django.db.models.signals import post_delete

from organizations import hooks
from organizations.models import Membership
from organizations.signin import journal, limits, lockout, providers, sessions
from organizations.tasks import send_mail, work_on_device_import


def connect() -> None:
    hooks.mail_posted.connect(ring, dispatch_uid="organizations.ring")
    hooks.device_import_waits.connect(
        start_work_on_import, dispatch_uid="organizations.start_work_on_import"
    )
    journal.connect()
    lockout.connect()
    sessions.connect()
    post_delete.connect(
        providers.forget_member, sender=Membership, dispatch_uid="providers.forget_member"
    )
    user_logged_in.connect(limits.note_sign_in, dispatch_uid="limits.note_sign_in")


def ring(sender: Any, **kwargs: Any) -> None:
    send_mail.delay()


def start_work_on_import(sender: Any, *, import_id: uuid.UUID, **kwargs: Any) -> None:
    work_on_device_import.delay(import_id=str(import_id))
