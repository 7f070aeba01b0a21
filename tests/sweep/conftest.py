"""The world of the sweep: made once for a module, and left as it was by every test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from django.db import transaction

from organizations.models import Admin, ApiKey, Organization
from organizations.signin import limits
from tests import factories
from tests.conftest import signed_in
from tests.sweep import knocking
from tests.sweep.knocking import Knocker
from tests.sweep.tenant import OURS, THEIRS, Tenant
from tests.sweep.world import fill, key_of, second_factor_of
from vpp_accounts import connections as apple_connections
from vpp_accounts.apple.fake import FakeApple

MEMBERS = (knocking.FULL, knocking.READER, knocking.NAMED, knocking.ALLOWED, knocking.APART)


@dataclass
class World:
    ours: Tenant
    elsewhere: Tenant
    browsers: list[Knocker]
    programs: list[Knocker]

    def browser(self, who: str) -> Knocker:
        return next(knocker for knocker in self.browsers if knocker.who == who)

    def program(self, who: str) -> Knocker:
        return next(knocker for knocker in self.programs if knocker.who == who)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Inside one transaction: each test has a savepoint of its own in it."""
    apple = FakeApple()
    with django_db_blocker.unblock(), apple_connections.use_fake(apple), transaction.atomic():
        yield _world(apple)
        transaction.set_rollback(True)


def _world(apple: FakeApple) -> World:
    ours, elsewhere = fill(apple, OURS, 1), fill(apple, THEIRS, 2)
    ours.rows["pk"] = second_factor_of(ours.admins["full"]).pk
    knocker = _Knockers(ours, elsewhere)
    return World(ours, elsewhere, knocker.browsers(), knocker.programs())


@dataclass
class _Knockers:
    ours: Tenant
    elsewhere: Tenant

    def browsers(self) -> list[Knocker]:
        every = [self._browser(who, *asked) for who, asked in self._who_asks().items()]
        rows, hidden = self._who_asks()[knocking.FULL]
        limited = cookies_of(self.ours.admins["full"], only=self.ours.organization)
        elsewhere = cookies_of(self.both, only=self.beyond)
        return [
            *every,
            Knocker(knocking.LIMITED, rows, hidden, cookies=limited),
            Knocker(knocking.LIMITED_ELSEWHERE, rows, self._all_marks, cookies=elsewhere),
            Knocker(knocking.NOBODY, self.ours.rows, self._all_marks),
        ]

    def programs(self) -> list[Knocker]:
        keys = {who: key_of(self._home_of(who), self._admin(who)) for who in self._who_asks()}
        every = [Knocker(who, *asked, key=keys[who]) for who, asked in self._who_asks().items()]
        rows, hidden = self._who_asks()[knocking.FULL]
        read_only = key_of(self.ours, "full", read_only=True)
        _, elsewhere = ApiKey.objects.issue(
            admin=self.both, name="Beyond", organization=self.beyond
        )
        return [
            *every,
            Knocker(knocking.READ_ONLY_KEY, rows, hidden, key=read_only),
            Knocker(knocking.KEY_ELSEWHERE, rows, self._all_marks, key=elsewhere),
            Knocker(knocking.NOBODY, self.ours.rows, self._all_marks),
        ]

    @property
    def _all_marks(self) -> tuple[str, ...]:
        return self.ours.marks + self.elsewhere.marks

    def _who_asks(self) -> dict[str, tuple[dict[str, Any], tuple[str, ...]]]:
        """Whose rows each of them asks for, and what they must not see anything of."""
        ours, theirs = self.ours.rows, self.elsewhere.marks
        inner = (*theirs, self.ours.inner)
        borrowed = ours | {"organization_id": self.elsewhere.organization.pk}
        return {
            **dict.fromkeys(MEMBERS, (ours, theirs)),
            knocking.ALLOWED: (self.ours.network_rows, theirs),
            knocking.APART: (ours, inner),
            knocking.INVITED: (ours, inner),
            knocking.OUTSIDER: (ours, self.ours.marks),
            knocking.BORROWER: (borrowed, self.ours.marks),
        }

    def _home_of(self, who: str) -> Tenant:
        return self.elsewhere if who in (knocking.OUTSIDER, knocking.BORROWER) else self.ours

    def _admin(self, who: str) -> str:
        return "full" if self._home_of(who) is self.elsewhere else who

    def _browser(self, who: str, rows: dict[str, Any], hidden: tuple[str, ...]) -> Knocker:
        cookies = cookies_of(self._home_of(who).admins[self._admin(who)])
        return Knocker(who, rows, hidden, cookies=cookies)

    @cached_property
    def beyond(self) -> Organization:
        """A third organization."""
        organization: Organization = factories.OrganizationFactory(name="Beyond")
        return organization

    @cached_property
    def both(self) -> Admin:
        """An admin of ours who has the third organization as well."""
        admin: Admin = factories.MembershipFactory(
            organization=self.ours.organization, admin__email="both@example.org"
        ).admin
        factories.MembershipFactory(admin=admin, organization=self.beyond)
        return admin


def cookies_of(admin: Admin, *, only: Organization | None = None) -> dict[str, str]:
    """Of a session; with `only`, as it comes through that organization's single sign-on."""
    client = signed_in(admin)
    if only:
        session = client.session
        session[limits.KEY] = only.pk
        session.save()
    return {name: each.value for name, each in client.cookies.items()}
