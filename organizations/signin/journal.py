"""What an admin changes about their own sign-in, written into the log of each of their organizations.

Each sees that its admin did it and nothing of the others.
"""

from __future__ import annotations

from typing import Any

from allauth.account import signals
from allauth.mfa.models import Authenticator
from django.db.models.signals import post_delete, post_save

from organizations import audit, lookups, tenancy
from organizations.audit import Actor
from organizations.models import Admin, Organization

Type = Authenticator.Type
FACTORS = {Type.TOTP: "Authenticator app", Type.WEBAUTHN: "Passkey"}


def record_everywhere(
    action: str,
    *,
    admin: Admin,
    by: Actor | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    refused: bool = False,
) -> None:
    """In every organization that the admin belongs to; by the admin unless told otherwise."""
    for found in lookups.accepted_memberships_of.all(admin.pk):
        with tenancy.inside(found.organization_id):
            audit.record(
                action,
                by=by or Actor.of_admin(admin),
                organization=Organization(pk=found.organization_id),
                target=admin,
                before=before,
                after=after,
                refused=refused,
            )


def connect() -> None:
    post_save.connect(_authenticator_saved, sender=Authenticator, dispatch_uid="journal.added")
    post_delete.connect(_authenticator_gone, sender=Authenticator, dispatch_uid="journal.removed")
    for signal, note in (
        (signals.password_changed, _password_changed),
        (signals.password_set, _password_changed),
        (signals.password_reset, _password_reset),
    ):
        signal.connect(note, dispatch_uid=f"journal.{note.__name__}")


def _authenticator_saved(
    instance: Authenticator, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    if not created or raw:
        return
    if instance.type == Type.RECOVERY_CODES:
        record_everywhere("admin.recovery_codes_made", admin=instance.user)
    else:
        record_everywhere("admin.second_factor_added", admin=instance.user, after=_told(instance))


def _authenticator_gone(instance: Authenticator, **kwargs: Any) -> None:
    if instance.type != Type.RECOVERY_CODES:
        record_everywhere(
            "admin.second_factor_removed", admin=instance.user, before=_told(instance)
        )


def _password_changed(user: Admin, **kwargs: Any) -> None:
    record_everywhere("admin.password_changed", admin=user)


def _password_reset(user: Admin, **kwargs: Any) -> None:
    record_everywhere("admin.password_reset", admin=user)


def _told(authenticator: Authenticator) -> dict[str, str]:
    """The kind alone: the name of a passkey is the person's own."""
    return {"factor": FACTORS[authenticator.type]}
