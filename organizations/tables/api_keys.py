"""The list of an admin's API keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import django_filters as filters
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils import timezone

from organizations import tenancy
from organizations.lists import Column, Listing, search_field
from organizations.models import ApiKey, Organization
from organizations.models.people import ApiKeyQuerySet

EVERYWHERE = "All my organizations"
LEFT = "An organization that you have left"
# What has no such moment is sorted as if it were very long ago, or very far ahead.
NEVER_YET, NEVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
COLOURS = {ApiKey.State.USABLE: "success", ApiKey.State.EXPIRED: "warning"}


@dataclass(frozen=True, slots=True)
class KeyRow:
    key: ApiKey
    opens: str

    @property
    def scope(self) -> str:
        return "Read-only" if self.key.read_only else "Read and write"

    @property
    def state(self) -> ApiKey.State:
        return self.key.state

    @property
    def colour(self) -> str:
        return COLOURS.get(self.state, "secondary")


class KeyFilter(filters.FilterSet):
    q = search_field("Name, beginning of the key", method="matching")
    state = filters.ChoiceFilter(
        label="State", empty_label="All", choices=ApiKey.State.choices, method="of_state"
    )

    def matching(self, keys: ApiKeyQuerySet, name: str, value: str) -> ApiKeyQuerySet:
        return keys.filter(Q(name__icontains=value) | Q(prefix__istartswith=value))

    def of_state(self, keys: ApiKeyQuerySet, name: str, value: str) -> ApiKeyQuerySet:
        over = Q(expires_at__lte=timezone.now())
        match ApiKey.State(value):
            case ApiKey.State.REVOKED:
                return keys.filter(revoked_at__isnull=False)
            case ApiKey.State.EXPIRED:
                return keys.filter(over, revoked_at=None)
        return keys.filter(~over | Q(expires_at=None), revoked_at=None)


class KeyList(Listing[KeyRow]):
    template = "organizations/_api_key_list.html"
    columns = (
        Column("name", "Name", sort=("name",)),
        Column("opens", "Opens"),
        Column("scope", "Scope"),
        Column("created", "Created", sort=("created_at",), wide_only=True),
        Column("expires", "Expires", sort=("ends",)),
        Column("used", "Last used", sort=("used",)),
        Column("state", "State"),
    )
    export = {
        "Name": lambda row: row.key.name,
        "Begins with": lambda row: row.key.prefix,
        "Opens": lambda row: row.opens,
        "Scope": lambda row: row.scope,
        "Created": lambda row: row.key.created_at,
        "Expires": lambda row: row.key.expires_at or "never",
        "Last used": lambda row: row.key.last_used_at or "never",
        "Last used from": lambda row: row.key.last_used_address or "",
        "State": lambda row: row.state.label,
    }
    filterset = KeyFilter
    default_sort = "-created"
    noun = ("API key", "API keys")

    def __init__(self, params: QueryDict, keys: ApiKeyQuerySet, own: Iterable[int]) -> None:
        """`own`: the ids of the organizations that the admin may enter."""
        self.own = set(own)
        moments = {
            "ends": Coalesce("expires_at", NEVER),
            "used": Coalesce("last_used_at", NEVER_YET),
        }
        super().__init__(params, keys.annotate(**moments))

    def dress(self, rows: list[Any]) -> list[KeyRow]:
        names = names_of(self.own & {key.organization_id for key in rows})
        return [KeyRow(key, opens(key, names)) for key in rows]


def opens(key: ApiKey, names: dict[int, str]) -> str:
    return EVERYWHERE if key.organization_id is None else names.get(key.organization_id, LEFT)


def names_of(organization_ids: Iterable[int]) -> dict[int, str]:
    ids = list(organization_ids)
    if not ids:
        return {}
    with tenancy.among(ids):
        found = Organization.objects.filter(pk__in=ids).order_by("name", "pk")
        return dict(found.values_list("pk", "name"))
