"""What shuts a whole organization, or asks for another sign-in, does so at every address of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from organizations.models import IdentityProvider, Membership, Organization
from tests.sweep import knocking
from tests.sweep.addresses import Address, addresses
from tests.sweep.conftest import World
from tests.sweep.knocking import FORBIDDEN, SIGN_IN, Answer, seen_in
from tests.sweep.rules import Public
from tests.sweep.table import line_of
from tests.sweep.tenant import Tenant
from tests.sweep.test_sweep import undone

pytestmark = pytest.mark.django_db
OF_AN_ORGANIZATION = [
    address
    for address in addresses()
    if (address.names_an_organization or address.name == "/networks/{networkId}")
    and not isinstance(line_of(address), Public)
]


def organization(ours: Tenant, **values: Any) -> None:
    Organization.objects.filter(pk=ours.organization.pk).update(**values)


def suspended(ours: Tenant) -> None:
    organization(ours, suspended_at=timezone.now(), suspended_reason="Unpaid.")


def deleted(ours: Tenant) -> None:
    now = timezone.now()
    organization(ours, deletion_asked_at=now, deletes_at=now + timedelta(days=30))


def signed_out_by_an_admin(ours: Tenant) -> None:
    later = timezone.now() + timedelta(seconds=1)
    Membership.objects.filter(pk=ours.membership("reader").pk).update(sign_in_again_after=later)


def a_second_factor_required(ours: Tenant) -> None:
    organization(ours, requires_second_factor=True)


def single_sign_on_required(ours: Tenant) -> None:
    organization(ours, requires_single_sign_on=True)
    IdentityProvider.objects.filter(organization=ours.organization).update(is_enabled=True)


def is_shut(answer: Answer) -> bool:
    return answer.verdict == FORBIDDEN


def sends_to(path: str) -> Callable[[Answer], bool]:
    """Also where the address is told whole."""
    here = re.compile(rf"^Location: (https?://[^/]+)?{path}", re.MULTILINE)
    return lambda answer: answer.status == 302 and bool(here.search(answer.headers))


# What it is, what a browser is answered, and what a key is: None for as always.
CONDITIONS: list[tuple[Any, Any, Any]] = [
    (suspended, is_shut, is_shut),
    (deleted, is_shut, is_shut),
    (signed_out_by_an_admin, lambda answer: answer.verdict == SIGN_IN, None),
    (a_second_factor_required, sends_to("/accounts/2fa/"), is_shut),
    (single_sign_on_required, sends_to("/accounts/sso/"), None),
]


@pytest.mark.parametrize(
    ("arrange", "of_pages", "of_keys"), CONDITIONS, ids=[each[0].__name__ for each in CONDITIONS]
)
def test_it_holds_everywhere(arrange: Any, of_pages: Any, of_keys: Any, world: World) -> None:
    arrange(world.ours)

    wrong = [
        told
        for address in OF_AN_ORGANIZATION
        if (held := of_keys if address.is_rest else of_pages)
        for told in knock(address, held, world)
    ]

    assert wrong == []


def knock(address: Address, held: Callable[[Answer], bool], world: World) -> list[str]:
    line = line_of(address)
    who = (world.program if address.is_rest else world.browser)(knocking.READER)
    wrong = []
    for method in ("GET", "POST", "PUT", "DELETE"):
        if line.knows(address, method):
            with undone(True):
                answer = who.ask(method, line.url(address, who.rows))
            if not held(answer):
                wrong.append(f"{method} {address}: {answer.status}")
            if seen := seen_in(answer, [world.ours.inner]):
                wrong.append(f"{method} {address}: {seen}")
    return wrong


def test_a_full_admin_can_bring_a_deleted_organization_back(world: World) -> None:
    deleted(world.ours)
    full = world.browser(knocking.FULL)
    own = f"/organizations/{world.ours.organization.pk}"

    there, elsewhere = full.ask("GET", f"{own}/deleted/"), full.ask("GET", f"{own}/mdm/")

    assert (there.status, elsewhere.status) == (200, 403)


def test_closing_one_organization_leaves_the_other_one_open(world: World) -> None:
    suspended(world.ours)
    theirs = world.elsewhere
    key, browser = world.program(knocking.OUTSIDER), world.browser(knocking.OUTSIDER)

    page = browser.ask("GET", f"/organizations/{theirs.organization.pk}/mdm/")
    endpoint = key.ask("GET", f"/api/v1/organizations/{theirs.organization.pk}/networks")

    assert (page.status, endpoint.status) == (200, 200)
