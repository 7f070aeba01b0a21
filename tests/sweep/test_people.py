"""What the table of doors cannot say of the people who knock."""

from __future__ import annotations

import pytest

from organizations.models import Admin
from tests.sweep import knocking
from tests.sweep.conftest import World

pytestmark = pytest.mark.django_db


def test_an_inactive_admin_is_out(world: World) -> None:
    browser, program = world.browser(knocking.FULL), world.program(knocking.FULL)
    Admin.objects.filter(pk=world.ours.admins["full"].pk).update(is_active=False)
    organization = world.ours.organization.pk

    page = browser.ask("GET", f"/organizations/{organization}/mdm/")
    endpoint = program.ask("GET", f"/api/v1/organizations/{organization}")

    assert (page.verdict, endpoint.verdict) == (knocking.SIGN_IN, knocking.SIGN_IN)


def test_a_network_admin_without_an_account_is_told_whom_to_ask(world: World) -> None:
    apart = world.browser(knocking.APART)
    own = f"/organizations/{world.ours.organization.pk}"

    overview = apart.ask("GET", f"{own}/")
    vpp = apart.ask("GET", f"{own}/manage/vpp/licensed-applications/")

    assert "No VPP account is open to you" in overview.body
    assert "No account is open to you" in vpp.body


def test_a_key_stops_with_the_membership_of_its_admin(world: World) -> None:
    program = world.program(knocking.READER)
    address = f"/api/v1/organizations/{world.ours.organization.pk}/networks"
    before = program.ask("GET", address)
    world.ours.membership("reader").delete()

    after = program.ask("GET", address)

    assert (before.verdict, after.verdict) == (knocking.IN, knocking.NOT_FOUND)
