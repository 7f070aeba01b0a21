"""The list of holders that no inventory knows, of one VPP account and kind."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, cast

import django_filters as filters
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Min
from django.db.models.fields.json import KT
from django.http import QueryDict
from django.utils import formats

from licensing import unknown
from licensing.models import Assignment, LicensedApp
from licensing.titles import name_of, url_of
from organizations.lists import Column, Cursor, Listing, Page, Total, search_field
from organizations.models import AuditEvent
from organizations.models.audit import DEVICE_DELETED
from users.models import VppUser
from vpp_accounts.models import VppAccount

DEVICE = Assignment.HolderKind.DEVICE
Origin = Assignment.Origin
SHOWN_TITLES = 3
CHUNK = 1000
FROM_HERE = {
    True: "Granted from here, to a serial number that no device has.",
    False: "Granted from here, to a person who is no longer among the owners.",
}


class Why(StrEnum):
    """How a holder came to be unknown, as far as anything tells."""

    DELETED_HERE = "deletedHere"
    NOT_AT_APPLE = "notAtApple"
    RETIRED = "retired"
    OTHER_MDM = "otherMdm"
    GRANTED_HERE = "grantedHere"
    NEVER_IMPORTED = "neverImported"


SENTENCES = {
    Why.NOT_AT_APPLE: "Apple's list of users has no such one; the next sync looks again.",
    Why.RETIRED: "Retired at Apple.",
    Why.OTHER_MDM: "Granted by another MDM.",
    Why.NEVER_IMPORTED: "Never imported here, or another MDM's.",
}
SINCE = "When this product first saw one of the licenses; Apple keeps no times."


@dataclass(frozen=True, slots=True)
class UnknownHolder:
    """`id` is what its check box sends; empty where its licenses cannot be taken back from here."""

    holder: str
    id: str
    email: str
    licenses: int
    titles: list[tuple[str, str]]  # name and page
    since: datetime
    why: str

    @property
    def label(self) -> str:
        return self.email or self.holder

    @property
    def choice(self) -> str:
        return self.id

    @property
    def shown_titles(self) -> list[tuple[str, str]]:
        return self.titles[:SHOWN_TITLES]

    @property
    def more_titles(self) -> int:
        return max(0, len(self.titles) - SHOWN_TITLES)


class Names(list[str]):
    """The rows of this list before they are dressed: names, in order."""

    model = None  # django-filter wants to know it

    def all(self) -> Names:
        return self


class NameFilter(filters.FilterSet):
    q = search_field("Begins with", method="matching")

    def filter_queryset(self, names: Names) -> Names:
        # django-filter's own insists on a queryset.
        text = self.form.cleaned_data.get("q", "")
        return self.matching(names, "q", text) if text else names

    def matching(self, names: Names, name: str, value: str) -> Names:
        starts = (value, value.upper())  # serial numbers are kept in upper case
        return Names(each for each in names if each.startswith(starts))


class UnknownHolderList(Listing[UnknownHolder]):
    """Paged by name like every list, but over names that were looked for before."""

    template = "licensing/_unknown_holder_list.html"
    export = {
        "Holder": lambda row: row.holder,
        "Email": lambda row: row.email,
        "Licenses": lambda row: row.licenses,
        "Titles": lambda row: ", ".join(name for name, _ in row.titles),
        "Since": lambda row: row.since,
        "Why": lambda row: row.why,
    }
    columns = (
        Column("holder", "Holder"),
        Column("licenses", "Licenses", numeric=True),
        Column("titles", "Titles"),
        Column("since", "Since", hint=SINCE, wide_only=True),
        Column("why", "Why", wide_only=True),
    )
    filterset = NameFilter
    default_sort = "holder"
    unique = ("holder",)

    def __init__(self, params: QueryDict, account: VppAccount, kind: Assignment.HolderKind) -> None:
        self.account, self.kind = account, kind
        self.survey = unknown.survey_of(account, kind)
        super().__init__(params, Names(self.survey.of(account, kind)))  # type: ignore[arg-type]

    @property
    def noun(self) -> tuple[str, str]:  # type: ignore[override]
        return ("device", "devices") if self.kind == DEVICE else ("user", "users")

    @property
    def names(self) -> Names:
        """All that match."""
        return cast("Names", self.filtered)

    @cached_property
    def page(self) -> Page[str]:
        cursor = Cursor.decode(self.params.get("after", ""), self.ordering)
        start = self._start(cursor) if cursor else 0
        names = self.names[start : start + self.size]
        end = start + len(names)
        return Page(
            list(names),
            start,
            previous=Cursor((names[0],), start, backward=True) if start and names else None,
            next=Cursor((names[-1],), end) if end < len(self.names) else None,
        )

    def _start(self, cursor: Cursor) -> int:
        (edge,) = cursor.values
        if cursor.backward:
            return max(0, bisect_left(self.names, edge) - self.size)
        return bisect_right(self.names, edge)

    @cached_property
    def total(self) -> Total:
        return Total(len(self.names), is_capped=self.survey.is_capped and not self.is_filtered)

    def _export_chunks(self) -> Iterator[list[list[object]]]:
        for start in range(0, len(self.names), CHUNK):
            rows = self.dress(list(self.names[start : start + CHUNK]))
            yield [[of(row) for of in self.export.values()] for row in rows]

    @property
    def selection_key(self) -> str:
        return f"unknown {self.kind.value}s of {self.account.pk}"

    @property
    def matching_key(self) -> str:
        return self.address(size="")

    def dress(self, rows: list[str]) -> list[UnknownHolder]:
        """Whoever has lost the last license meanwhile is left out."""
        held = held_by(self.account, self.kind, rows)
        titles = self._titles({pk for each in held for pk in each["titles"]})
        told = Told(self.account, self.kind, [each["holder"] for each in held])
        return [
            UnknownHolder(
                holder=each["holder"],
                id=each["holder"] if told.can_be_chosen(each["holder"]) else "",
                email=told.email(each["holder"]),
                licenses=each["licenses"],
                titles=sorted(titles[pk] for pk in each["titles"] if pk in titles),
                since=each["since"],
                why=told.why(each["holder"], each["origins"]),
            )
            for each in held
        ]

    def _titles(self, ids: set[int]) -> dict[int, tuple[str, str]]:
        titles = LicensedApp.objects.filter(pk__in=ids, account=self.account)
        return {each.pk: (name_of(each), url_of(each)) for each in titles.select_related("app")}


def held_by(account: VppAccount, kind: str, names: list[str]) -> list[dict[str, Any]]:
    """What these hold in the account, by name; nothing of those who hold nothing any more."""
    found = (
        unknown.licenses_of(account, kind, names)
        .values("holder")
        .annotate(
            licenses=Count("*"),
            since=Min("since"),
            origins=ArrayAgg("origin", distinct=True),
            titles=ArrayAgg("licensed_app"),
        )
    )
    return [dict(row) for row in found.order_by("holder")]


class Told:
    """What else is known of some holders, in one statement: who they are at Apple, or once were."""

    def __init__(self, account: VppAccount, kind: str, holders: list[str]) -> None:
        self.is_device = kind == DEVICE
        self.users: dict[str, VppUser] = {}
        self.deleted: dict[str, AuditEvent] = {}
        self.zone = account.organization.zone
        if self.is_device:
            events: Any = AuditEvent.objects.annotate(serial=KT("before__serialNumber")).filter(
                organization=account.organization_id, action=DEVICE_DELETED, serial__in=holders
            )
            self.deleted = {event.serial: event for event in events.order_by("pk")}
        else:
            people = VppUser.objects.filter(account=account, client_user_id__in=holders)
            self.users = {person.client_user_id: person for person in people}

    def can_be_chosen(self, holder: str) -> bool:
        return self.is_device or holder in self.users

    def email(self, holder: str) -> str:
        return self.users[holder].email if holder in self.users else ""

    def why(self, holder: str, origins: list[str]) -> str:
        reason = self.reason(holder, origins)
        if reason == Why.DELETED_HERE:
            event = self.deleted[holder]
            day = formats.date_format(event.at.astimezone(self.zone), "j M Y")
            return f"Device deleted here on {day} by {event.actor_name}."
        return FROM_HERE[self.is_device] if reason == Why.GRANTED_HERE else SENTENCES[reason]

    def reason(self, holder: str, origins: list[str]) -> Why:
        if holder in self.deleted:
            return Why.DELETED_HERE
        if not self.can_be_chosen(holder):
            return Why.NOT_AT_APPLE
        if self._is_retired(holder):
            return Why.RETIRED
        if Origin.OTHER_MDM in origins:
            return Why.OTHER_MDM
        if {Origin.MANUAL, Origin.RULE} & set(origins):
            return Why.GRANTED_HERE
        return Why.NEVER_IMPORTED

    def _is_retired(self, holder: str) -> bool:
        statuses = (VppUser.AppleStatus.RETIRED, VppUser.AppleStatus.DELETED)
        return holder in self.users and self.users[holder].apple_status in statuses
