"""The items of one batch, and of the waiting list: who, which title, how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.urls import reverse

from licensing.filters import title_matches
from licensing.holders import DEVICE, USER, begins_with
from licensing.models import Batch, BatchItem, BatchKind, ItemState, LicensedApp
from licensing.titles import name_of, url_of
from organizations.lists import Column, Listing, Total, search_field
from organizations.lists.keyset import Ordering
from organizations.models import Device, Membership
from users.models import VppUser

STATES = {
    "pending": ("Pending", (ItemState.PLANNED, ItemState.SENT)),
    **{
        state.value: (state.label, (state,))
        for state in ItemState
        if state not in (ItemState.PLANNED, ItemState.SENT)
    },
}
MAILS = {ItemState.SENT: "Mail on its way", ItemState.SUCCEEDED: "Mail sent"}
# What happens to a person where no title is meant.
WITHOUT_TITLE = {
    BatchKind.REGISTER: "Registration at Apple",
    BatchKind.UPDATE: "Change at Apple",
    BatchKind.RETIRE: "Retirement at Apple",
    BatchKind.INVITE: "Invitation by mail",
}
COLOURS = {
    ItemState.PLANNED: "info",
    ItemState.SENT: "info",
    ItemState.SUCCEEDED: "success",
    ItemState.FAILED: "danger",
    ItemState.WAITING: "warning",
    ItemState.SKIPPED: "secondary",
    ItemState.CANCELLED: "secondary",
}


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item with what is known of its holder; `name` is empty where the inventory knows nobody."""

    item: BatchItem
    name: str
    note: str  # the device's network, or the person's e-mail
    is_known: bool

    @property
    def title(self) -> str:
        return name_of(self.item.licensed_app) if self.item.licensed_app else ""

    @property
    def title_url(self) -> str:
        return url_of(self.item.licensed_app) if self.item.licensed_app else ""

    @property
    def what(self) -> str:
        """The title, or what happens to the person."""
        return self.title or WITHOUT_TITLE.get(BatchKind(self.item.kind), "")

    @property
    def state(self) -> str:
        words: str = self.item.get_state_display()
        if self.item.kind != BatchKind.INVITE:
            return words
        return MAILS.get(ItemState(self.item.state), words)

    @property
    def holder(self) -> str:
        return self.item.holder

    @property
    def holder_url(self) -> str:
        item = self.item
        place = [item.organization_id, item.account_id, item.holder_kind, item.holder]
        return reverse("licensing:holder_detail", args=place)

    @property
    def colour(self) -> str:
        return COLOURS[ItemState(self.item.state)]


def item_rows(items: Iterable[BatchItem], membership: Membership) -> list[ItemRow]:
    """Two statements for the holders of all these items; one where they are of one kind."""
    found = list(items)
    devices = _devices([i.holder for i in found if i.holder_kind == DEVICE], membership)
    people = _people([i for i in found if i.holder_kind == USER])
    return [
        _device_row(item, devices.get(item.holder))
        if item.holder_kind == DEVICE
        else _person_row(item, people.get((item.account_id, item.holder)))
        for item in found
    ]


def _devices(serials: list[str], membership: Membership) -> dict[str, Device]:
    rows = Device.objects.visible_to(membership).filter(serial_number__in=serials)
    shown = ("serial_number", "name", "network__name")
    return {d.serial_number or "": d for d in rows.select_related("network").only(*shown)}


def _people(items: list[BatchItem]) -> dict[tuple[int, str], VppUser]:
    accounts = {item.account_id for item in items}
    rows = VppUser.objects.filter(
        account__in=accounts, client_user_id__in=[item.holder for item in items]
    )
    shown = ("account_id", "client_user_id", "email", "owner__name", "owner__email")
    known = rows.select_related("owner").only(*shown)
    return {(user.account_id, user.client_user_id): user for user in known}


def _device_row(item: BatchItem, device: Device | None) -> ItemRow:
    if device is None:
        return ItemRow(item, "", "", is_known=False)
    return ItemRow(item, device.name, device.network.name, is_known=True)


def _person_row(item: BatchItem, user: VppUser | None) -> ItemRow:
    if user is None:
        return ItemRow(item, "", "", is_known=False)
    email = (user.owner.email if user.owner else "") or user.email
    name = user.owner.name if user.owner else email
    return ItemRow(item, name, email if email != name else "", is_known=True)


def held_by(text: str, membership: Membership) -> Q:
    """By the beginning of the serial number or client user ID, or by anything in a name."""
    devices = Device.objects.visible_to(membership).filter(
        Q(name__icontains=text) | Q(owner__name__icontains=text) | Q(owner__email__icontains=text),
        serial_number__isnull=False,
    )
    people = VppUser.objects.visible_to(membership).filter(
        Q(email__icontains=text) | Q(owner__name__icontains=text) | Q(owner__email__icontains=text)
    )
    return (
        begins_with(text)
        | begins_with(text.upper())
        | Q(holder_kind=DEVICE, holder__in=devices.values("serial_number"))
        | Q(holder_kind=USER, holder__in=people.values("client_user_id"))
    )


class BatchItemFilter(filters.FilterSet):
    q = search_field("Title, serial number or person", method="matching")
    state = filters.ChoiceFilter(
        label="State",
        empty_label="All",
        choices=[(name, label) for name, (label, _) in STATES.items()],
        method="in_state",
    )

    def __init__(self, *arguments: Any, membership: Membership, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.membership = membership

    def matching(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        titles = LicensedApp.objects.visible_to(self.membership).filter(title_matches(value))
        return rows.filter(
            held_by(value, self.membership) | Q(licensed_app__in=titles.values("pk"))
        )

    def in_state(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        return rows.filter(state__in=STATES[value][1])


class BatchItemList(Listing[ItemRow]):
    template = "licensing/_batch_item_list.html"
    columns = (
        Column("holder", "Device or person"),
        Column("title", "Title"),
        Column("state", "State"),
        Column("changed", "Changed"),
    )
    export = {
        "Title": lambda row: row.what,
        "Adam ID": lambda row: row.item.licensed_app.adam_id if row.item.licensed_app else "",
        "Kind of holder": lambda row: row.item.get_holder_kind_display(),
        "Serial number or client user ID": lambda row: row.holder,
        "Name": lambda row: row.name,
        "Network or email": lambda row: row.note,
        "State": lambda row: row.state,
        "Reason": lambda row: row.item.message,
        "Apple's number": lambda row: row.item.error_number or "",
        "Changed": lambda row: row.item.changed_at,
    }
    filterset = BatchItemFilter
    default_sort = ""  # as they were planned: no other order has an index
    ordering: Ordering = ("id",)
    counted_column = "id"
    id = "items"
    noun = ("item", "items")

    def __init__(self, params: QueryDict, batch: Batch, membership: Membership) -> None:
        items = BatchItem.objects.filter(batch=batch).select_related("licensed_app__app")
        super().__init__(params, items, known_total=Total(batch.total))
        self.membership = membership

    def dress(self, rows: list[BatchItem]) -> list[ItemRow]:
        return item_rows(rows, self.membership)

    def filter_arguments(self) -> dict[str, Any]:
        return {"membership": self.membership}
