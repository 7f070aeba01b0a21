"""Writing to the audit log. Call it in the transaction of the change that it describes.

From where it was asked for is known here by itself, from the request at hand; workers ask from
nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import structlog
from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from organizations import tenancy
from organizations.addresses import client_address
from organizations.models import AuditEvent, Organization

if TYPE_CHECKING:
    from organizations.models import Admin, ApiKey

Kind = AuditEvent.ActorKind
LONGEST_REQUEST_ID = 64
_address: ContextVar[str | None] = ContextVar("organizations.audit.address", default=None)


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
    event = event_of(action, by, organization, target)
    event.before, event.after, event.refused = before, after, refused
    event.save(force_insert=True)
    return event


def record_in(
    organization_ids: Iterable[int],
    action: str,
    *,
    by: Actor,
    target: models.Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    refused: bool = False,
) -> None:
    """The same event in the log of each: what a person of several organizations did to themselves."""
    for organization_id in organization_ids:
        with tenancy.inside(organization_id):
            record(
                action,
                by=by,
                organization=Organization(pk=organization_id),
                target=target,
                before=before,
                after=after,
                refused=refused,
            )


def record_each(
    *,
    action: str,
    by: Actor,
    organization: Organization,
    targets: Iterable[models.Model],
    after: dict[str, Any] | None = None,
) -> None:
    """The same event of each, however many: in one statement."""
    events = [event_of(action, by, organization, target) for target in targets]
    for event in events:
        event.after = after
    AuditEvent.objects.bulk_create(events)


def event_of(
    action: str, by: Actor, organization: Organization, target: models.Model
) -> AuditEvent:
    """Not saved: for whoever writes to the log over another connection than the application's."""
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
        address=_address.get(),
    )


def current_request_id() -> str:
    found = structlog.contextvars.get_contextvars().get("request_id", "")
    return str(found)[:LONGEST_REQUEST_ID]


class AuditMiddleware:
    """Whatever a request leads to is recorded with the address that it came from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _address.set(client_address(request))
        try:
            return self.get_response(request)
        finally:
            _address.reset(token)
