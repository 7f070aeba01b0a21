"""Writing to the audit log. Call it in the transaction of the change that it describes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import structlog
from django.db import models

from organizations.models import AuditEvent, Organization

if TYPE_CHECKING:
    from organizations.models import Admin, ApiKey

Kind = AuditEvent.ActorKind


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: passed as `by=` to every service."""

    kind: AuditEvent.ActorKind
    name: str
    id: int | None = None
    admin: Admin | None = None

    @classmethod
    def of_admin(cls, admin: Admin) -> Self:
        return cls(kind=Kind.ADMIN, name=admin.email, id=admin.pk, admin=admin)

    @classmethod
    def of_key(cls, key: ApiKey) -> Self:
        return cls(kind=Kind.API_KEY, name=f"{key.admin.email} ({key})", id=key.pk, admin=key.admin)

    @classmethod
    def system(cls, name: str) -> Self:
        return cls(kind=Kind.SYSTEM, name=name)


APPLE = Actor(kind=Kind.APPLE, name="Apple")


def record(
    action: str,
    *,
    by: Actor,
    organization: Organization,
    target: models.Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    refused: bool = False,
) -> AuditEvent:
    """One event. `before` and `after` hold what changed, never a secret."""
    event = _event(action, by, organization, target)
    event.before, event.after, event.refused = before, after, refused
    event.save(force_insert=True)
    return event


def record_each(
    *,
    action: str,
    by: Actor,
    organization: Organization,
    targets: Iterable[models.Model],
    after: dict[str, Any] | None = None,
) -> None:
    """The same event of each, however many: in one statement."""
    events = [_event(action, by, organization, target) for target in targets]
    for event in events:
        event.after = after
    AuditEvent.objects.bulk_create(events)


def _event(action: str, by: Actor, organization: Organization, target: models.Model) -> AuditEvent:
    return AuditEvent(
        organization=organization,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.name[:254],
        action=action,
        target_kind=target._meta.model_name or "",
        target_id=target.pk if isinstance(target.pk, int) else None,
        target_name=str(target)[:254],
        request_id=current_request_id(),
    )


def current_request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
