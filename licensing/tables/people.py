"""The list of people: User management."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet, Value
from django.http import QueryDict

from licensing.holders.sets import LAST_CHARACTER
from licensing.people.attention import Attention, condition
from licensing.people.facts import MOST_DEVICES, Person, people_of, with_facts
from organizations.lists import Column, Listing, Segments, search_field
from organizations.models import Membership, Owner
from users.models import VppUser
from users.states import PersonStatus, has_status
from vpp_accounts.models import VppAccount

FEW = 1000
SHOWN = (
    "organization_id", "account_id", "client_user_id", "name", "email", "apple_status", "failure",
    "id_hash", "invited_at", "associated_at", "retired_at", "owner__name", "owner__email",
    "owner__username", "owner__managed_apple_account", "owner__missing_since",
)  # fmt: skip
LIMIT = f"Devices of the owner. Apple limits each Apple ID to {MOST_DEVICES} devices."


def selection_key(account_id: int) -> str:
    """What the browser remembers the choice under, from page to page."""
    return f"people-of-{account_id}"


class UserFilter(filters.FilterSet):
    q = search_field("Name, email, username or client user ID", method="matching")
    status = filters.ChoiceFilter(
        label="User status",
        empty_label="All",
        choices=[(status.value, status.value) for status in PersonStatus],
        method="of_status",
    )
    attention = filters.ChoiceFilter(
        label="Attention", empty_label="All", choices=Attention.choices, method="needing"
    )

    def __init__(self, *arguments: Any, membership: Membership, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.membership = membership

    def filter_queryset(self, rows: Segments) -> Segments:
        # django-filter's own insists on one queryset.
        for name, value in self.form.cleaned_data.items():
            rows = self.filters[name].filter(rows, value)
        return rows

    def matching(self, rows: Segments, name: str, value: str) -> Segments:
        return rows.filter(person_matches(value, self.membership))

    def of_status(self, rows: Segments, name: str, value: str) -> Segments:
        return rows.filter(has_status(PersonStatus(value)))

    def needing(self, rows: Segments, name: str, value: str) -> Segments:
        return rows.filter(condition(Attention(value), self.membership))


def person_matches(text: str, membership: Membership) -> Q:
    """By anything in a name or an address, or by the beginning of the id."""
    owners = Owner.objects.filter(organization=membership.organization_id)
    addressed = Q(email__icontains=text) | Q(managed_apple_account__icontains=text)
    known = owners.filter(addressed | Q(username__icontains=text)).order_by()
    # A list asks several times, and each time the database would search all owners again.
    found = list(known.values_list("pk", flat=True)[: FEW + 1])
    by_owner = Q(owner__in=found if len(found) <= FEW else known.values("pk"))
    by_id = Q(client_user_id__gte=text, client_user_id__lt=text + LAST_CHARACTER)
    return Q(name__icontains=text) | Q(email__icontains=text) | by_owner | by_id


class UserList(Listing[Person]):
    """The people of one account, or of all that the admin may use."""

    template = "licensing/_user_list.html"
    export = {
        "Name": lambda row: row.name,
        "Email": lambda row: row.email,
        "Username": lambda row: row.user.owner.username if row.user.owner else "",
        "Managed Apple Account": lambda row: (
            row.user.owner.managed_apple_account if row.user.owner else ""
        ),
        "User status": lambda row: row.status.value,
        "Reason": lambda row: row.user.failure,
        "Invited on": lambda row: row.user.invited_at,
        "Accepted on": lambda row: row.user.associated_at,
        "Licenses": lambda row: row.licenses,
        "Books": lambda row: row.books,
        "Devices": lambda row: row.devices,
        "Client user ID": lambda row: row.user.client_user_id,
        "VPP account": lambda row: row.account.name,
    }
    filterset = UserFilter
    default_sort = "name"
    grouped_by = ("segment",)
    unique = ("id",)
    counted_column = "id"
    drawn = ("account",)
    noun = ("user", "users")

    def __init__(
        self, params: QueryDict, membership: Membership, accounts: Sequence[VppAccount]
    ) -> None:
        self.membership, self.accounts = membership, accounts
        users = users_in(membership, accounts)
        super().__init__(params, users)
        self.unfiltered = _blank_last(users, self.sort.removeprefix("-"))

    def filter_arguments(self) -> dict[str, Any]:
        return {"membership": self.membership}

    def dress(self, rows: list[VppUser]) -> list[Person]:
        return people_of(rows, self.accounts)

    @property
    def columns(self) -> tuple[Column, ...]:  # type: ignore[override]
        account = (Column("account", "VPP account", wide_only=True),)
        return (
            Column("name", "Name", sort=("name",)),
            Column("email", "Email", sort=("email",), wide_only=True),
            *(account if len(self.accounts) > 1 else ()),
            Column("status", "User status"),
            Column("invited", "Invited on", wide_only=True),
            Column("accepted", "Accepted on", wide_only=True),
            Column("licenses", "Licenses", numeric=True),
            Column("books", "Books", numeric=True, wide_only=True),
            Column("devices", "Devices", numeric=True, wide_only=True, hint=LIMIT),
        )

    @property
    def matching_key(self) -> str:
        """The same on all pages of the same rows, whatever their order."""
        return self.address(sort="", size="", chosen="")

    def picked(self, ids: Iterable[str]) -> Segments:
        """Those whose check boxes have these values, whatever else was sent."""
        chosen = {id_ for id_ in ids if id_.isascii() and id_.isdigit() and len(id_) < 19}
        found: Segments = self.unfiltered.filter(pk__in=[int(id_) for id_ in chosen])
        return found


def _blank_last(users: QuerySet[VppUser], name: str) -> Segments:
    """Whom Apple told of by an id alone stands after those who have a name, or an address."""
    known, nameless = users.filter(**{f"{name}__gt": ""}), users.filter(**{name: ""})
    return Segments((known.annotate(segment=Value(0)), nameless.annotate(segment=Value(1))))


def users_in(membership: Membership, accounts: Sequence[VppAccount]) -> QuerySet[VppUser]:
    """With what a row shows. The accounts are those that are open to the admin."""
    ours = VppUser.objects.filter(organization=membership.organization_id)
    ids = [account.pk for account in accounts]
    of_accounts = ours.filter(account=ids[0]) if len(ids) == 1 else ours.filter(account__in=ids)
    return with_facts(of_accounts, membership).only(*SHOWN)
