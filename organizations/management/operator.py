"""What the operator of the installation sees of organizations: numbers, and no data of theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.management.base import CommandError
from django.db.models import Count, QuerySet

from organizations import tenancy
from organizations.models import Organization
from organizations.refusals import Refusal

COUNTED = {
    "admins": "organizations.Membership",
    "accounts": "vpp_accounts.VppAccount",
    "devices": "organizations.Device",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One organization, as the operator may see it."""

    id: int
    name: str
    created: datetime
    state: str
    reason: str
    gone_at: datetime | None
    admins: int = 0
    accounts: int = 0
    devices: int = 0


def listed() -> list[Listed]:
    """Four statements, however many organizations there are."""
    counts = {what: _counted(apps.get_model(model)) for what, model in COUNTED.items()}
    every = Organization.objects.using("system").order_by("pk")
    return [
        Listed(
            id=each.pk,
            name=each.name,
            created=each.created_at,
            state=state_of(each),
            reason=each.suspended_reason,
            gone_at=each.deletes_at,
            **{what: numbers.get(each.pk, 0) for what, numbers in counts.items()},
        )
        for each in every
    ]


def _counted(model: Any) -> dict[int, int]:
    rows: QuerySet[Any, Any] = model.objects.using("system").order_by().values("organization")
    return dict(rows.annotate(number=Count("*")).values_list("organization", "number"))


def state_of(organization: Organization) -> str:
    if organization.suspended_at:
        return "suspended"
    return "deleted" if organization.deletion_asked_at else "open"


def change(organization_id: int, act: Callable[[Organization], Organization]) -> Organization:
    """Do it to the organization of this id, or say why not."""
    with tenancy.inside(organization_id):
        organization = Organization.objects.filter(pk=organization_id).first()
        if organization is None:
            raise CommandError(
                f"There is no organization {organization_id}. list_organizations shows all."
            )
        try:
            return act(organization)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from None
