"""Filters of the lists of people. Each narrows a set of rows by what stands in the address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django_filters as filters
from django.db.models import Exists, OuterRef, Q

from organizations.lists import search_field
from organizations.models import Membership, Owner, Tag
from organizations.models.inventory import OwnerQuerySet
from users.models import VppUser, VppUserQuerySet
from users.states import PersonStatus, with_status

NOBODY = "none"
SEARCHED = ("name", "email", "username", "managed_apple_account")


class OwnerFilter(filters.FilterSet):
    """VPP statuses are those in accounts that are open to the admin, as the list shows them."""

    q = search_field("Name, email, username, Managed Apple Account", method="matching")
    tag = filters.ChoiceFilter(label="Tag", empty_label="All", method="with_tag")
    vpp = filters.ChoiceFilter(
        label="VPP status",
        empty_label="All",
        choices=[(NOBODY, "None"), *((status.value, status.value) for status in PersonStatus)],
        method="of_status",
    )
    source = filters.ChoiceFilter(
        label="Added by", empty_label="Any way", choices=Owner.Source.choices
    )
    listed = filters.ChoiceFilter(
        label="In the source",
        empty_label="All",
        choices=[("no", "No longer"), ("yes", "Yes")],
        method="in_source",
    )

    def __init__(
        self, *arguments: Any, membership: Membership, tags: Iterable[Tag], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.membership = membership
        names = {tag.pk: tag.name for tag in tags if tag.kind != Tag.Kind.AUTOMATIC}
        choices = sorted(names.items(), key=lambda choice: choice[1].casefold())
        self.filters["tag"].extra["choices"] = [(str(pk), name) for pk, name in choices]

    def matching(self, owners: OwnerQuerySet, name: str, value: str) -> OwnerQuerySet:
        return owners.filter(owner_matches(value))

    def with_tag(self, owners: OwnerQuerySet, name: str, value: str) -> OwnerQuerySet:
        return owners.filter(tag_ids__contains=[int(value)])

    def of_status(self, owners: OwnerQuerySet, name: str, value: str) -> OwnerQuerySet:
        users = VppUser.objects.visible_to(self.membership)
        if value == NOBODY:
            return owners.exclude(_is_one_of(users))
        return owners.filter(_is_one_of(with_status(users, PersonStatus(value))))

    def in_source(self, owners: OwnerQuerySet, name: str, value: str) -> OwnerQuerySet:
        return owners.filter(missing_since__isnull=value == "yes")


def owner_matches(text: str) -> Q:
    found = Q()
    for name in SEARCHED:
        found |= Q((f"{name}__icontains", text))
    return found


def _is_one_of(users: VppUserQuerySet) -> Exists:
    return Exists(users.filter(owner=OuterRef("pk")))
