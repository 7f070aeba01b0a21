"""The list of owners, and what its rows say of each: tags, devices, VPP accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.http import QueryDict
from django.urls import reverse

from organizations.lists import Column, Listing
from organizations.models import Device, Membership, Owner, Tag
from organizations.models.inventory import OwnerQuerySet
from users.filters import OwnerFilter
from users.models import VppUser
from users.services.details import FIELDS
from users.services.merging import plan_merge
from users.states import PersonStatus, status_of

SOURCE_ICONS = {
    Owner.Source.PAGE: "user-plus",
    Owner.Source.CSV: "table",
    Owner.Source.API: "plug-connected",
}
COLOURS = {PersonStatus.ASSOCIATED: "success", PersonStatus.FAILED: "danger"}
VPP_STATUS = (
    "New: not invited yet. Invited: has not accepted yet. Associated: has accepted, and can use"
    " licenses. Retired: no longer a person of the account. Failed: open the person to see why."
)
MOMENTS = ("first_seen_at", "invited_at", "associated_at", "retired_at")
RECORD = (
    "id",
    "organization_id",
    "account_id",
    "client_user_id",
    "apple_status",
    "failure",
    *MOMENTS,
)


@dataclass(frozen=True, slots=True)
class Registration:
    """One person's record in one VPP account."""

    account: str
    user: VppUser

    @property
    def status(self) -> PersonStatus:
        return status_of(self.user)

    @property
    def colour(self) -> str:
        return COLOURS.get(self.status, "secondary")

    @property
    def since(self) -> datetime:
        """When the step was taken that the status names; else when they were first seen."""
        steps = {
            PersonStatus.ASSOCIATED: self.user.associated_at,
            PersonStatus.INVITED: self.user.invited_at,
            PersonStatus.RETIRED: self.user.retired_at,
        }
        return steps.get(self.status) or self.user.first_seen_at

    @property
    def url(self) -> str:
        place = [self.user.organization_id, self.user.account_id, "user", self.user.client_user_id]
        return reverse("licensing:holder_detail", args=place)


@dataclass(frozen=True, slots=True)
class OwnerRow:
    owner: Owner
    tags: Sequence[str]
    devices: int
    registrations: Sequence[Registration]

    @property
    def icon(self) -> str:
        return SOURCE_ICONS[Owner.Source(self.owner.source)]

    @property
    def told(self) -> dict[str, str]:
        """As it is typed into the form."""
        fields = {name: getattr(self.owner, name) for name in (*FIELDS, "language")}
        return fields | {"tags": " ".join(self.tags)}

    @property
    def vpp_status(self) -> str:
        """“Associated”; with the account's name where there are several."""
        if len(self.registrations) == 1:
            return str(self.registrations[0].status)
        return ", ".join(f"{each.account}: {each.status}" for each in self.registrations)


class OwnerList(Listing[OwnerRow]):
    """The first columns of the export are those of the import: a download is a template too."""

    template = "users/_owner_list.html"
    columns = (
        Column("name", "Name", sort=("name",)),
        Column("email", "Email", sort=("email",)),
        Column("username", "Username", sort=("username",), wide_only=True),
        Column("managed_apple_account", "Managed Apple Account", wide_only=True),
        Column("tags", "Tags"),
        Column("devices", "Devices", numeric=True),
        Column("vpp", "VPP status", hint=VPP_STATUS),
    )
    export = {
        "name": lambda row: row.owner.name,
        "email": lambda row: row.owner.email,
        "username": lambda row: row.owner.username,
        "tags": lambda row: " ".join(row.tags),
        "managedAppleAccount": lambda row: row.owner.managed_apple_account,
        "devices": lambda row: row.devices,
        "vppStatus": lambda row: row.vpp_status,
    }
    filterset = OwnerFilter
    default_sort = "name"
    noun = ("owner", "owners")

    def __init__(self, params: QueryDict, owners: OwnerQuerySet, membership: Membership) -> None:
        self.tags = list(Tag.objects.filter(organization=membership.organization_id))
        self.membership = membership
        super().__init__(params, with_records(owners, membership))

    def filter_arguments(self) -> dict[str, Any]:
        return {"membership": self.membership, "tags": self.tags}

    def dress(self, rows: list[Owner]) -> list[OwnerRow]:
        return dressed(rows, self.tags)


def rows_of(owners: OwnerQuerySet, membership: Membership) -> list[OwnerRow]:
    found = list(with_records(owners, membership))
    return dressed(found, Tag.objects.filter(organization=membership.organization_id))


def with_records(owners: OwnerQuerySet, membership: Membership) -> OwnerQuerySet:
    """With `device_count`, and `records` of them in the accounts that are open to the admin.

    Inside the statement, because the database asks only for the rows that it gives back.
    """
    devices = Device.objects.visible_to(membership).filter(owner=OuterRef("pk"))
    counted = devices.order_by().values("owner").annotate(n=Count("*")).values("n")
    users = VppUser.objects.visible_to(membership).filter(owner=OuterRef("pk"))
    record = JSONObject(account="account__name", **{name: name for name in RECORD})
    ordered = users.order_by("account__name", "-pk").values(record=record)
    return owners.annotate(
        device_count=Coalesce(Subquery(counted), 0), records=ArraySubquery(ordered)
    )


def dressed(owners: Iterable[Any], tags: Iterable[Tag]) -> list[OwnerRow]:
    names = {tag.pk: tag.name for tag in tags}
    return [
        OwnerRow(
            owner,
            [names[pk] for pk in owner.tag_ids if pk in names],
            owner.device_count,
            [registration_of(record) for record in owner.records],
        )
        for owner in owners
    ]


def registration_of(record: dict[str, Any]) -> Registration:
    moments = {name: datetime.fromisoformat(text) for name in MOMENTS if (text := record.pop(name))}
    return Registration(record.pop("account"), VppUser(**record, **moments))


def merged_row(keep: OwnerRow, other: OwnerRow) -> OwnerRow:
    """As the row of the list will be."""
    owner = Owner(
        pk=keep.owner.pk,
        organization_id=keep.owner.organization_id,
        created_at=keep.owner.created_at,
        **plan_merge(keep.owner, other.owner),
    )
    return OwnerRow(
        owner,
        list(dict.fromkeys([*keep.tags, *other.tags])),
        keep.devices + other.devices,
        [*keep.registrations, *other.registrations],
    )
