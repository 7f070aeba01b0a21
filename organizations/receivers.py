"""What this app does when it announces something itself: the way up from a service to a task."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.signals import user_logged_in
from django.db.models.signals import post_delete

from organizations import hooks, target_groups
from organizations.models import Membership, Webhook
from organizations.signin import journal, limits, lockout, providers, sessions
from organizations.tasks import send_mail, send_webhooks, work_on_device_import


def connect() -> None:
    hooks.mail_posted.connect(ring, dispatch_uid="organizations.ring")
    hooks.device_import_waits.connect(
        start_work_on_import, dispatch_uid="organizations.start_work_on_import"
    )
    hooks.tags_departing.connect(
        target_groups.take_tags_off, dispatch_uid="organizations.take_tags_off"
    )
    hooks.webhooks_wait.connect(ring_webhooks, dispatch_uid="organizations.ring_webhooks")
    hooks.erasure.connect(empty_secrets, dispatch_uid="organizations.empty_secrets")
    journal.connect()
    lockout.connect()
    sessions.connect()
    post_delete.connect(
        providers.forget_member, sender=Membership, dispatch_uid="providers.forget_member"
    )
    user_logged_in.connect(limits.note_sign_in, dispatch_uid="limits.note_sign_in")


def ring(sender: Any, **kwargs: Any) -> None:
    send_mail.delay()


def ring_webhooks(sender: Any, **kwargs: Any) -> None:
    send_webhooks.delay()


def empty_secrets(sender: Any, *, organization_id: int, **kwargs: Any) -> None:
    Webhook.objects.using("system").filter(organization=organization_id).update(
        secret_ciphertext="", previous_ciphertext="", previous_until=None
    )


def start_work_on_import(sender: Any, *, import_id: uuid.UUID, **kwargs: Any) -> None:
    work_on_device_import.delay(import_id=str(import_id))
