"""The waiting list of a title: who gets a license when one comes, in which order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import django_filters as filters
from django.db.models import Count, F, Q, QuerySet, Window, prefetch_related_objects
from django.db.models.functions import RowNumber
from django.http import QueryDict

from licensing.batches.rights import began_by
from licensing.holders import USER
from licensing.models import OPEN_ITEMS, BatchItem, BatchKind, ItemState, LicensedApp
from licensing.tables.batch_items import ItemRow, held_by, item_rows
from organizations.lists import Column, Listing, search_field
from organizations.lists.keyset import Ordering
from organizations.models import Device, Membership, Network

IN_TURN: Ordering = ("-priority", "id")


def waiting_for(title: LicensedApp) -> QuerySet[BatchItem, Any]:
    return waiting_for_any([title.pk])


def waiting_for_any(title_ids: Collection[int]) -> QuerySet[BatchItem, Any]:
    # The states that the index of open items is made of, and of these the one.
    open_ = BatchItem.objects.filter(licensed_app__in=title_ids, state__in=OPEN_ITEMS)
    return open_.filter(state=ItemState.WAITING)


@dataclass(frozen=True, slots=True)
class Queue:
    """How many wait for a title, and how many licenses that is more than there are."""

    waiting: int
    missing: int


def queue_of(title: LicensedApp) -> Queue:
    """One statement."""
    grants = BatchItem.objects.filter(
        licensed_app=title, state__in=OPEN_ITEMS, kind=BatchKind.GRANT
    )
    counts = grants.aggregate(
        waiting=Count("pk", filter=Q(state=ItemState.WAITING)),
        under_way=Count("pk", filter=~Q(state=ItemState.WAITING)),
    )
    waiting = counts["waiting"]
    if title.is_unlimited:
        return Queue(waiting, 0)
    left = title.available_count - title.grants_since_read - counts["under_way"]
    return Queue(waiting, max(0, waiting - max(0, left)))


def places_of(ids: Collection[int], title_ids: Collection[int]) -> dict[int, int]:
    """The places of these items in the queues of these titles."""
    place = Window(
        RowNumber(), partition_by="licensed_app", order_by=[F("priority").desc(), F("id").asc()]
    )
    every = waiting_for_any(title_ids).annotate(place=place)
    # Joined by "or" with a condition on the place, they are looked for after the numbering.
    wanted = every.filter(Q(pk__in=ids) | Q(place=0))
    return dict(wanted.values_list("pk", "place"))


def _not_elsewhere(network: Network) -> Q:
    devices = Device.objects.filter(network=network, serial_number__isnull=False)
    return Q(holder_kind=USER) | Q(holder__in=devices.values("serial_number"))


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """Somebody who waits, with the place in the queue."""

    place: int
    row: ItemRow
    is_theirs: bool  # to take off the list


class WaitingFilter(filters.FilterSet):
    q = search_field("Serial number, device or person", method="matching")

    def __init__(self, *arguments: Any, membership: Membership, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.membership = membership

    def matching(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        return rows.filter(held_by(value, self.membership))


class WaitingList(Listing[Any]):
    template = "licensing/_waiting_list.html"
    columns = (
        Column("holder", "Device or person"),
        Column("place", "Place", numeric=True),
        Column("since", "Waiting since"),
        Column("priority", "Priority", numeric=True, hint="The higher one is served first."),
        Column("who", "Asked for by"),
    )
    export = {
        "Kind of holder": lambda row: row.item.get_holder_kind_display(),
        "Serial number or client user ID": lambda row: row.holder,
        "Name": lambda row: row.name,
        "Network or email": lambda row: row.note,
        "Waiting since": lambda row: row.item.changed_at,
        "Priority": lambda row: row.item.priority,
        "Batch": lambda row: row.item.batch_id,
        "Asked for by": lambda row: row.item.batch.actor_name,
    }
    filterset = WaitingFilter
    default_sort = ""  # in the order in which they are served
    ordering: Ordering = IN_TURN
    counted_column = "id"
    id = "waiting"
    noun = ("waiting", "waiting")

    def __init__(
        self,
        params: QueryDict,
        title: LicensedApp,
        membership: Membership,
        network: Network | None = None,
    ) -> None:
        """`network`: only the devices in it; people lie in none, and wait beside them."""
        every = waiting_for(title)
        super().__init__(params, every.filter(_not_elsewhere(network)) if network else every)
        self.title = title
        self.membership = membership
        self.is_narrowed = network is not None

    @cached_property
    def rows(self) -> list[WaitingRow]:
        dressed = self.dress(self.page.rows)
        places = self._places([each.item.pk for each in dressed])
        theirs = self._theirs({each.item.batch_id for each in dressed})
        return [
            WaitingRow(places[each.item.pk], each, each.item.batch_id in theirs)
            for each in dressed
            if each.item.pk in places
        ]

    def _theirs(self, batch_ids: set[int]) -> set[int]:
        """The batches out of which this admin may take somebody off the list."""
        if self.membership.can_write:
            return batch_ids
        theirs = began_by(self.membership).filter(pk__in=batch_ids)
        return set(theirs.values_list("pk", flat=True))

    def _places(self, ids: list[int]) -> dict[int, int]:
        """The places of these among all who wait; counted only where others are left out."""
        if not (self.is_filtered or self.is_narrowed):
            return {pk: self.page.start + number for number, pk in enumerate(ids, 1)}
        return places_of(ids, [self.title.pk])

    def dress(self, rows: list[BatchItem]) -> list[ItemRow]:
        # Not joined in the statement, which sorts all who wait.
        prefetch_related_objects(rows, "batch")
        return item_rows(rows, self.membership)

    def filter_arguments(self) -> dict[str, Any]:
        return {"membership": self.membership}
