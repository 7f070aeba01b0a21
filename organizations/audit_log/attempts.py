"""Refused attempts of signed-in admins and valid API keys, noted by both doors.

Only in the log of the organization that let them in: what is not theirs does not exist for them (404),
and nothing is said of it anywhere but in the server's own log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from organizations import tenancy
from organizations.audit import Actor, event_of
from organizations.models import AuditEvent, Organization

# The same attempt is told once in this time, and of one admin no more than these.
WITHIN = timedelta(minutes=5)
MOST_OF_ONE = 50
MOST_READ = 500
LONGEST = 254
LARGEST_ID = 2**63 - 1
Door = Callable[..., HttpResponseBase]
PARAMETER = re.compile(r"<\w+:(\w+)>")
# A part of an address that names a row → the kind of target that events of such rows have.
KINDS = {
    "account": "vppaccount",
    "admin": "admin",
    "batch": "batch",
    "key": "apikey",
    "network": "network",
    "owner": "owner",
    "user": "vppuser",
    "vppaccount": "vppaccount",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wanted: never what they sent, and of the address no query."""

    what: str
    method: str
    path: str


def noted(door: Door) -> Door:
    """Around the door of a page: whoever it let into the organization and then refused is noted."""

    @wraps(door)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return door(request, *args, **kwargs)
        except PermissionDenied as refusal:
            if actor := getattr(request, "actor", None):
                note(request, by=actor, why=str(refusal))
            raise

    return wrapper


def note(
    request: HttpRequest, *, by: Actor, why: str, organization_ids: Iterable[int] = ()
) -> None:
    """In the organization at hand; an address outside of any names the `organization_ids`."""
    here = tenancy.current().organization
    asked = asked_of(request)
    for organization_id in [here] if here else organization_ids:
        with tenancy.inside(organization_id):
            organization = Organization.objects.get(pk=organization_id)
            if organization.is_open:  # a closed one tells everybody so, and changes nothing
                note_here(organization, asked, request, by, why)


def note_here(
    organization: Organization, asked: Asked, request: HttpRequest, by: Actor, why: str
) -> None:
    told = told_lately(organization, by)
    if asdict(asked) in told or len(told) > MOST_OF_ONE:
        return
    if len(told) == MOST_OF_ONE:
        event = event_of("access.refused_often", by, organization, organization)
    else:
        event = event_of("access.refused", by, organization, organization)
        event.after = {**asdict(asked), "why": why[:LONGEST]}
        name_target(event, request)
    event.refused = True
    event.save(force_insert=True)


def name_target(event: AuditEvent, request: HttpRequest) -> None:
    """The row that the address names last, by its id only: it may be nobody's."""
    if row := row_of(request):
        event.target_kind, event.target_id = row
        event.target_name = f"{row[0]} {row[1]}"


def told_lately(organization: Organization, by: Actor) -> list[dict[str, Any]]:
    """What this actor was refused in these minutes. Where very many were, that counts as theirs."""
    since = timezone.now() - WITHIN
    latest = AuditEvent.objects.filter(organization=organization, refused=True).order_by("-pk")
    rows = [
        (kind, pk, after or {})
        for at, kind, pk, after in latest.values_list("at", "actor_kind", "actor_id", "after")[
            :MOST_READ
        ]
        if at >= since
    ]
    if len(rows) == MOST_READ:
        return [{}] * (MOST_OF_ONE + 1)
    return [
        {name: after.get(name) for name in ("what", "method", "path")}
        for kind, pk, after in rows
        if (kind, pk) == (by.kind, by.id)
    ]


def asked_of(request: HttpRequest) -> Asked:
    match = request.resolver_match
    what = match.view_name if match and match.url_name else ""
    if match and not what:
        what = PARAMETER.sub(r"{\1}", match.route)
    return Asked(what[:LONGEST], str(request.method), request.path[:LONGEST])


def row_of(request: HttpRequest) -> tuple[str, int] | None:
    kwargs = request.resolver_match.kwargs if request.resolver_match else {}
    for name, value in reversed(kwargs.items()):
        kind = KINDS.get(name.removesuffix("_id").removesuffix("Id").lower())
        if kind and 0 < int(value) <= LARGEST_ID:
            return kind, int(value)
    return None
