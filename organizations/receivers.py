"""What this app does when it announces something itself: the way up from a service to a task."""

from __future__ import annotations

from typing import Any

from organizations import hooks
from organizations.tasks import send_mail


def connect() -> None:
    hooks.mail_posted.connect(ring, dispatch_uid="organizations.ring")


def ring(sender: Any, **kwargs: Any) -> None:
    send_mail.delay()
