"""What the list tells of people: what they hold, what goes on with them. One statement for many."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.urls import reverse

from licensing.holders import USER
from licensing.models import OPEN_ITEMS, Assignment, BatchItem, BatchKind
from organizations.models import Device, Membership
from users.invitations.letters import address_of
from users.models import Invitation, VppUser
from users.states import RETIRED, PersonStatus, status_of
from vpp_accounts.models import VppAccount

MOST_DEVICES = 10  # Apple's limit for one Apple ID
COLOURS = {
    PersonStatus.NEW: "secondary",
    PersonStatus.INVITED: "info",
    PersonStatus.ASSOCIATED: "success",
    PersonStatus.RETIRED: "secondary",
    PersonStatus.FAILED: "danger",
}
GOING_ON = {
    BatchKind.RETIRE: "Is being retired.",
    BatchKind.REGISTER: "Is being registered at Apple.",
    BatchKind.UPDATE: "The change is on its way to Apple.",
    BatchKind.INVITE: "An invitation is on its way.",
}
UNQUOTED = "/~:@!$&'()*+,;="  # as Django leaves them in an address
TOLD = JSONObject(name="name", email="email", id="client_user_id")
Users = QuerySet[VppUser, Any]


class Shown(NamedTuple):
    """Somebody else, as a link to their page."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Person:
    """One person in one account. Books are not among the licenses: they stay for good."""

    user: VppUser
    account: VppAccount
    licenses: int = 0
    books: int = 0
    devices: int = 0
    going_on: frozenset[str] = frozenset()  # kinds of batches that are about them now
    asked_again_at: datetime | None = None
    sharing: list[Shown] = field(default_factory=list)  # others with the same Apple Account

    @property
    def key(self) -> str:
        """As check boxes and the cells of a row are called."""
        return str(self.user.pk)

    @property
    def name(self) -> str:
        return name_of(self.user)

    @property
    def email(self) -> str:
        return address_of(self.user)

    @property
    def url(self) -> str:
        return url_of(self.user)

    @property
    def status(self) -> PersonStatus:
        return status_of(self.user)

    @property
    def colour(self) -> str:
        return COLOURS[self.status]

    @property
    def news(self) -> list[str]:
        """What goes on now, and what went wrong last."""
        told = [words for kind, words in GOING_ON.items() if kind in self.going_on]
        failed = not self.user.is_retired and self.user.failure
        return [*told, self.user.failure] if failed else told

    @property
    def has_left(self) -> bool:
        owner = self.user.owner
        return not self.user.is_retired and owner is not None and owner.missing_since is not None

    @property
    def is_over_the_limit(self) -> bool:
        return self.devices > MOST_DEVICES

    @property
    def has_warnings(self) -> bool:
        return bool(self.sharing or self.asked_again_at) or self.has_left or self.is_over_the_limit

    @property
    def can_accept(self) -> bool:
        """Apple knows them and has no Apple Account of theirs: invitations lead somewhere."""
        is_registered = self.user.apple_status == VppUser.AppleStatus.REGISTERED
        return is_registered and BatchKind.RETIRE not in self.going_on

    @property
    def is_invitable(self) -> bool:
        """Also before Apple knows them: the mail waits for that. Not while one is on its way."""
        if self.going_on & {BatchKind.RETIRE, BatchKind.INVITE}:
            return False
        is_coming = not self.user.apple_status and not self.user.failure
        return self.can_accept or is_coming

    @property
    def may_change(self) -> bool:
        """By itself, while somebody looks at them."""
        return bool(self.going_on) or self.status in (PersonStatus.NEW, PersonStatus.INVITED)

    @property
    def fingerprint(self) -> str:
        """Another one as soon as anything that changes by itself has changed."""
        user = self.user
        told = (self.status, self.news, user.invited_at, user.associated_at, self.asked_again_at)
        shown = repr((*told, self.licenses, self.books, self.can_accept))
        return hashlib.blake2s(shown.encode(), digest_size=4).hexdigest()


def name_of(user: VppUser) -> str:
    return (user.owner.name if user.owner else "") or user.email or user.client_user_id


def url_of(user: VppUser) -> str:
    return _url(user, user.client_user_id)


def _url(user: VppUser, client_user_id: str) -> str:
    """Of somebody in the account of this user."""
    return f"{_pages(user.organization_id, user.account_id)}{quote(client_user_id, safe=UNQUOTED)}/"


@lru_cache(maxsize=1000)
def _pages(organization_id: int, account_id: int) -> str:
    """Where the pages of people are: to look an address up costs as much as half a row."""
    place = [organization_id, account_id, USER.value, "-"]
    return reverse("licensing:holder_detail", args=place).removesuffix("-/")


def with_facts(users: Users, membership: Membership) -> Users:
    """Everything that a row shows; read with the page itself, and for the page's rows only."""
    held = Assignment.objects.filter(
        organization=OuterRef("organization"),
        account=OuterRef("account"),
        holder_kind=USER,
        holder=OuterRef("client_user_id"),
    )
    devices = Device.objects.visible_to(membership).filter(owner=OuterRef("owner"))
    asked = Invitation.objects.filter(user=OuterRef("pk"), asked_again_at__isnull=False)
    return users.select_related("owner").annotate(
        licenses=number_of(held.exclude(licensed_app__product_type="Book"), by="holder"),
        books=number_of(held.filter(licensed_app__product_type="Book"), by="holder"),
        devices=number_of(devices, by="owner"),
        going_on=ArraySubquery(_open_items().values("kind")),
        asked_again_at=Subquery(asked.order_by("-asked_again_at").values("asked_again_at")[:1]),
        shared_with=ArraySubquery(
            _behind_the_same_account().order_by("name", "pk").values(told=TOLD)
        ),
    )


def _behind_the_same_account() -> Users:
    """Of the outer query's person: the other active people of the account with their Apple Account."""
    active = VppUser.objects.filter(account=OuterRef("account")).exclude(apple_status__in=RETIRED)
    theirs = active.exclude(id_hash="").filter(id_hash=OuterRef("id_hash"))
    return theirs.exclude(pk=OuterRef("pk"))


def people_of(users: Collection[Any], accounts: Iterable[VppAccount]) -> list[Person]:
    """Users with their facts → what the list shows of them."""
    by_id = {account.pk: account for account in accounts}
    return [
        Person(
            user,
            by_id[user.account_id],
            licenses=user.licenses,
            books=user.books,
            devices=user.devices,
            going_on=frozenset(user.going_on),
            asked_again_at=user.asked_again_at,
            sharing=[] if user.is_retired else [shown(user, other) for other in user.shared_with],
        )
        for user in users
    ]


def shown(user: VppUser, other: dict[str, str]) -> Shown:
    return Shown(other["name"] or other["email"] or other["id"], _url(user, other["id"]))


def number_of(rows: QuerySet[Any, Any], *, by: str) -> Coalesce:
    counted = rows.order_by().values(by).annotate(number=Count("*")).values("number")
    return Coalesce(Subquery(counted), 0, output_field=IntegerField())


def _open_items() -> QuerySet[BatchItem, Any]:
    return BatchItem.objects.filter(
        organization=OuterRef("organization"),
        account=OuterRef("account"),
        holder=OuterRef("client_user_id"),
        holder_kind=USER,
        licensed_app=None,
        state__in=OPEN_ITEMS,
    )
