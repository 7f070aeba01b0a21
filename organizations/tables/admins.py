"""The list of administrators: what each may do here, and whether they are at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Case, CharField, Count, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import QueryDict

from organizations import hooks
from organizations.admins.states import Status, expires_at, status_of
from organizations.lists import Column, Listing
from organizations.models import (
    ApiKey,
    Membership,
    Network,
    NetworkAccess,
    NetworkTagAccess,
    Organization,
)
from organizations.models.people import MembershipQuerySet
from organizations.signin.factors import with_second_factor
from organizations.signin.lockout import locked
from organizations.tables.admin_filters import AdminFilter

COLOURS = {
    Status.ACTIVE: "success",
    Status.INVITED: "info",
    Status.EXPIRED: "warning",
    Status.LOCKED: "danger",
}
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
ACCESS = (
    "Full: everything. Read-only: sees everything. None: only what lies in the networks beside it."
)
ACCOUNTS = "VPP accounts whose users and licenses this admin may manage."
ACTIVITY = "In this organization, on its pages or through an API key; as of five minutes ago."
KEYS = "Usable API keys that open this organization."


@dataclass(frozen=True, slots=True)
class Access:
    """One network of an admin; with a tag where it follows from that."""

    network_id: int
    name: str
    can_write: bool
    tag: str

    def __str__(self) -> str:
        notes = ["" if self.can_write else "read-only", f"tag {self.tag}" if self.tag else ""]
        told = ", ".join(filter(None, notes))
        return f"{self.name} ({told})" if told else self.name


@dataclass(frozen=True, slots=True)
class AdminRow:
    """What is not known of somebody invited is None."""

    membership: Membership
    status: Status
    networks: Sequence[Access]
    tags: Sequence[str]
    accounts: Sequence[str]
    second_factor: bool | None
    api_keys: int | None

    @property
    def email(self) -> str:
        return self.membership.admin.email

    @property
    def name(self) -> str:
        given = self.membership.invited_name
        return given if self.membership.is_invited else self.membership.admin.name

    @property
    def colour(self) -> str:
        return COLOURS.get(self.status, "secondary")

    @property
    def last_active_at(self) -> datetime | None:
        return None if self.membership.is_invited else self.membership.last_active_at

    @property
    def expires_at(self) -> datetime | None:
        return expires_at(self.membership) if self.membership.is_invited else None


class AdminList(Listing[AdminRow]):
    template = "organizations/_admin_list.html"
    columns = (
        Column("name", "Name", sort=("sorted_name", "email")),
        Column("access", "Organization access", sort=("access",), hint=ACCESS),
        Column("networks", "Networks"),
        Column("accounts", "VPP accounts", hint=ACCOUNTS),
        Column("active", "Last activity", sort=("sorted_activity",), hint=ACTIVITY),
        Column("factor", "Second factor"),
        Column("keys", "API keys", sort=("key_count",), numeric=True, hint=KEYS),
        Column("status", "Status"),
    )
    export = {
        "name": lambda row: row.name,
        "email": lambda row: row.email,
        "organizationAccess": lambda row: row.membership.access,
        "networks": lambda row: "; ".join(str(access) for access in row.networks),
        "networkTags": lambda row: "; ".join(row.tags),
        "vppAccounts": lambda row: "; ".join(row.accounts),
        "lastActive": lambda row: row.last_active_at,
        "secondFactor": lambda row: "" if row.second_factor is None else row.second_factor,
        "apiKeys": lambda row: "" if row.api_keys is None else row.api_keys,
        "status": lambda row: row.status.label,
        "invitedBy": lambda row: row.membership.invited_by,
    }
    filterset = AdminFilter
    default_sort = "name"
    noun = ("administrator", "administrators")

    def __init__(self, params: QueryDict, organization: Organization) -> None:
        self.organization = organization
        self.networks = list(Network.objects.filter(organization=organization).order_by("name"))
        super().__init__(params, members_of(organization))

    def filter_arguments(self) -> dict[str, Any]:
        return {"networks": self.networks}

    def dress(self, rows: list[Membership]) -> list[AdminRow]:
        return dressed(rows, self.organization)


def members_of(organization: Organization) -> MembershipQuerySet:
    """With what is sorted by and counted, inside the statement."""
    is_invited = When(accepted_at=None, then=F("invited_name"))
    shown_name = Case(is_invited, default=F("admin__name"), output_field=CharField())
    keys = ApiKey.objects.usable().opening(organization.pk).filter(admin=OuterRef("admin"))
    counted = keys.order_by().values("admin").annotate(n=Count("*")).values("n")
    known = Membership.objects.filter(organization=organization).select_related("admin")
    return known.annotate(
        shown_name=shown_name,
        email=F("admin__email"),
        sorted_name=Lower(
            Coalesce(NullIf(shown_name, Value("")), F("admin__email"), output_field=CharField())
        ),
        sorted_activity=Coalesce("last_active_at", Value(NEVER)),
        key_count=Case(
            When(accepted_at=None, then=Value(0)), default=Coalesce(Subquery(counted), 0)
        ),
    )


def rows_of(organization: Organization, **which: Any) -> list[AdminRow]:
    return dressed(list(members_of(organization).filter(**which)), organization)


def dressed(members: list[Any], organization: Organization) -> list[AdminRow]:
    """In as many statements for a hundred as for one."""
    known = [member for member in members if not member.is_invited]
    waiting = locked([member.admin.email for member in known])
    factors = with_second_factor([member.admin_id for member in known])
    accounts = accounts_of(organization, members)
    networks, tags = accesses_of(members), tags_of(members)
    return [
        AdminRow(
            membership=member,
            status=status_of(member, waiting),
            networks=networks.get(member.pk, []),
            tags=tags.get(member.pk, []),
            accounts=accounts.get(member.pk, []),
            second_factor=None if member.is_invited else member.admin_id in factors,
            api_keys=None if member.is_invited else member.key_count,
        )
        for member in members
    ]


def accounts_of(organization: Organization, members: list[Any]) -> dict[int, list[str]]:
    answers: list[tuple[Any, Any]] = hooks.account_rights.send(
        sender=Membership, organization=organization, memberships=members
    )
    return {pk: names for _, found in answers for pk, names in found.items()}


def accesses_of(members: list[Any]) -> dict[int, list[Access]]:
    found: dict[int, list[Access]] = {}
    rows = NetworkAccess.objects.filter(membership__in=members).select_related("network")
    for row in rows.order_by("network__name", "tag"):
        access = Access(row.network_id, row.network.name, row.can_write, row.tag)
        found.setdefault(row.membership_id, []).append(access)
    return found


def tags_of(members: list[Any]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for row in NetworkTagAccess.objects.filter(membership__in=members).order_by("tag"):
        told = row.tag if row.can_write else f"{row.tag} (read-only)"
        found.setdefault(row.membership_id, []).append(told)
    return found
