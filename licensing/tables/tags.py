"""The list of tags, and what its rows say of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import django_filters as filters
from django.db.models import BigIntegerField, Func, Subquery
from django.http import QueryDict
from django.urls import reverse

from apps_catalog.models import ManagedApp
from licensing.tags import Use, uses_of
from organizations.automatic_tags import AUTOMATIC
from organizations.lists import Column, Listing, search_field
from organizations.models import Membership, Tag

SHOWN_APPS = 2
USED = [("yes", "In the scope of an app"), ("no", "In no scope")]
MEANINGS = {
    Tag.Kind.DEVICE: "Made for devices, on the page of one or with a file.",
    Tag.Kind.OWNER: "Made for owners; their devices have it too.",
}
AUTOMATIC_MEANS = "Devices get and lose it by themselves; nobody can change or delete it."
IN_ALL = "Devices that have the tag themselves or from their owner: these are who a scope means."


@dataclass(frozen=True, slots=True)
class TagRow:
    tag: Tag
    use: Use

    @property
    def is_automatic(self) -> bool:
        return self.tag.kind == Tag.Kind.AUTOMATIC

    @property
    def shown_apps(self) -> list[ManagedApp]:
        return self.use.apps[:SHOWN_APPS]

    @property
    def more_apps(self) -> int:
        return len(self.use.apps) - SHOWN_APPS

    @property
    def devices_url(self) -> str:
        return _narrowed("licensing:device_list", self.tag)

    @property
    def owners_url(self) -> str:
        return _narrowed("users:owner_list", self.tag)

    @property
    def meaning(self) -> str:
        return AUTOMATIC_MEANS if self.is_automatic else MEANINGS[Tag.Kind(self.tag.kind)]

    @property
    def whom_it_fits(self) -> str:
        """Of an automatic tag: “Platform iOS or iPadOS”."""
        known = AUTOMATIC.get(self.tag.name) if self.is_automatic else None
        return known.words if known else ""


def _narrowed(name: str, tag: Tag) -> str:
    return f"{reverse(name, args=[tag.organization_id])}?tag={tag.pk}"


class TagFilter(filters.FilterSet):
    q = search_field("Name", method="matching")
    kind = filters.ChoiceFilter(label="Kind", empty_label="All", choices=Tag.Kind.choices)
    used = filters.ChoiceFilter(label="Used", empty_label="All", choices=USED, method="with_use")

    def __init__(self, *arguments: Any, membership: Membership, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.membership = membership

    def matching(self, tags: Any, name: str, value: str) -> Any:
        return tags.filter(name__icontains=value)

    def with_use(self, tags: Any, name: str, value: str) -> Any:
        apps = ManagedApp.objects.visible_to(self.membership).order_by()
        each = Func("scope_tag_ids", function="unnest", output_field=BigIntegerField())
        named = Subquery(apps.annotate(tag=each).values("tag"))
        return tags.filter(pk__in=named) if value == "yes" else tags.exclude(pk__in=named)


class TagList(Listing[TagRow]):
    template = "licensing/_tag_list.html"
    columns = (
        Column("name", "Name", sort=("name",)),
        Column("kind", "Kind", sort=("kind",)),
        Column(
            "devices", "Devices", numeric=True, hint="Those that were given the tag themselves."
        ),
        Column("owners", "Owners", numeric=True),
        Column("in_all", "Devices in all", numeric=True, hint=IN_ALL),
        Column("used", "Used by"),
    )
    export = {
        "name": lambda row: row.tag.name,
        "kind": lambda row: row.tag.get_kind_display(),
        "devices": lambda row: row.use.devices,
        "owners": lambda row: row.use.owners,
        "devicesInAll": lambda row: row.use.in_all,
        "usedBy": lambda row: ", ".join(f"{app} in {app.network}" for app in row.use.apps),
    }
    filterset = TagFilter
    default_sort = "name"
    noun = ("tag", "tags")

    def __init__(self, params: QueryDict, membership: Membership) -> None:
        self.membership = membership
        super().__init__(params, tags_of(membership))

    def filter_arguments(self) -> dict[str, Any]:
        return {"membership": self.membership}

    def dress(self, rows: list[Tag]) -> list[TagRow]:
        return tag_rows(rows, self.membership)


def tags_of(membership: Membership) -> Any:
    """Tags are the whole organization's, and every admin sees their names."""
    return Tag.objects.filter(organization=membership.organization_id)


def tag_rows(tags: list[Tag], membership: Membership) -> list[TagRow]:
    uses = uses_of(tags, membership) if tags else {}
    return [TagRow(tag, uses[tag.pk]) for tag in tags]
