"""The list of those whom nothing is taken back from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet
from django.http import QueryDict

from licensing.models import LicensedApp, ProtectedHolder
from organizations.lists import Column, Listing, search_field
from organizations.models import Membership
from users.models import VppUser
from vpp_accounts.models import VppAccount


@dataclass(frozen=True, slots=True)
class ProtectedRow:
    row: ProtectedHolder
    name: str
    title: str


def matches(text: str) -> Q:
    holder = Q(holder__istartswith=text) | Q(name__icontains=text)
    return holder | Q(reason__icontains=text)


class ProtectedFilter(filters.FilterSet):
    q = search_field("Serial number, name or reason", method="matching")

    def matching(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        return rows.filter(matches(value))


class ProtectedList(Listing[Any]):
    template = "licensing/_reclaim_protected_list.html"
    columns = (
        Column("holder", "Device or person", sort=("holder",)),
        Column("title", "Of"),
        Column("reason", "Reason"),
        Column("by", "By", wide_only=True),
        Column("since", "Since", sort=("created_at",), wide_only=True),
    )
    export = {
        "Kind of holder": lambda row: row.row.get_holder_kind_display(),
        "Serial number or client user ID": lambda row: row.row.holder,
        "Name": lambda row: row.name,
        "Adam ID": lambda row: row.row.adam_id,
        "Title": lambda row: row.title,
        "Reason": lambda row: row.row.reason,
        "By": lambda row: row.row.by_name,
        "Since": lambda row: row.row.created_at,
    }
    filterset = ProtectedFilter
    default_sort = "holder"
    noun = ("protected holder", "protected holders")

    def __init__(self, params: QueryDict, rows: QuerySet[Any, Any], membership: Membership) -> None:
        self.membership = membership
        super().__init__(params, rows)

    def dress(self, rows: list[ProtectedHolder]) -> list[ProtectedRow]:
        return protected_rows(rows, self.membership)


def protected_rows(rows: list[ProtectedHolder], membership: Membership) -> list[ProtectedRow]:
    """With the names that this admin may know."""
    wanted = {row.adam_id for row in rows if row.adam_id}
    organizations = {row.organization_id for row in rows}
    titles = LicensedApp.objects.filter(organization__in=organizations, adam_id__in=wanted)
    names = {title.adam_id: str(title.app) for title in titles.select_related("app")}
    # Who is in an account is for those whom it is open to.
    people = VppUser.objects.filter(
        account__in=VppAccount.objects.open_to(membership),
        client_user_id__in={row.holder for row in rows},
    )
    known = {user.client_user_id: user.name or user.email for user in people}
    return [
        ProtectedRow(
            row,
            row.name or known.get(row.holder, ""),
            names.get(row.adam_id, row.adam_id) if row.adam_id else "All titles",
        )
        for row in rows
    ]
