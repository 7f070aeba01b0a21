"""Alarms by mail, as each admin chooses: the page in the dashboard and the link in a mail."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertRedirects

from organizations.models import Admin, AuditEvent, Membership, Organization
from organizations.preferences import alarms_off_token
from tests.conftest import signed_in
from tests.factories import MembershipFactory
from tests.reading import text_of

SWITCH = "Mail me when a VPP account needs attention"


@pytest.fixture
def address(organization: Organization) -> str:
    return reverse("organizations:alarms", args=[organization.pk])


def off_link(membership: Membership) -> str:
    return reverse("organizations:alarms_off", args=[alarms_off_token(membership)])


def wanted() -> dict[str, bool]:
    return dict(Membership.objects.values_list("admin__email", "wants_alarms"))


def events() -> list[tuple[Any, ...]]:
    seen = AuditEvent.objects.order_by("id")
    return list(seen.values_list("actor_kind", "actor_name", "action", "target_name", "after"))


def checked(client: Client, address: str) -> bool:
    return " checked" in client.get(address).content.decode()


# --- The page -------------------------------------------------------------------------------------


@pytest.mark.parametrize("access", ["full", "read-only", "none"])
def test_every_admin_switches_their_own_mail_and_nobody_elses(
    access: str, organization: Organization, owner: Admin, address: str
) -> None:
    admin = MembershipFactory(
        organization=organization, access=access, admin__email="me@example.org", admin__name="Me"
    ).admin
    elsewhere = MembershipFactory(admin=admin)
    client = signed_in(admin)

    answers = [client.post(address, {}), client.post(address, {"wants_alarms": "on"})]
    last = client.post(address, {}, follow=True)

    for answer in answers:
        assertRedirects(answer, address, fetch_redirect_response=False)
    assert "No alarm is mailed to you any more." in text_of(last)
    assert set(organization.memberships.values_list("admin__email", "wants_alarms")) == {
        (owner.email, True),
        ("me@example.org", False),
    }
    elsewhere.refresh_from_db()
    assert elsewhere.wants_alarms is True
    assert events() == [
        ("admin", "me@example.org", "admin.alarms_switched", "Me", {"wantsAlarms": told})
        for told in (False, True, False)
    ]


def test_the_page_shows_what_is(owner: Admin, owner_client: Client, address: str) -> None:
    shown = [checked(owner_client, address)]
    owner.memberships.update(wants_alarms=False)
    shown.append(checked(owner_client, address))

    assert shown == [True, False]
    assert SWITCH in text_of(owner_client.get(address))


def test_saving_without_a_change_leaves_no_trace(owner_client: Client, address: str) -> None:
    owner_client.post(address, {"wants_alarms": "on"})

    assert events() == []


def test_an_outsider_finds_nothing(outsider_client: Client, address: str) -> None:
    answers = [outsider_client.get(address).status_code, outsider_client.post(address).status_code]

    assert answers == [404, 404]
    assert wanted() == {"outsider@example.net": True}


def test_every_page_of_the_organization_leads_there(
    organization: Organization, reader_client: Client, address: str
) -> None:
    overview = reader_client.get(reverse("licensing:overview", args=[organization.pk]))
    outside = reader_client.get(reverse("account_change_password"))

    assert f'href="{address}"' in overview.content.decode()
    assert "Alarms by mail" not in outside.content.decode()


def test_the_activity_tells_it_in_words(
    organization: Organization, owner_client: Client, address: str
) -> None:
    owner_client.post(address, {})

    activity = text_of(
        owner_client.get(reverse("licensing:organization_activity", args=[organization.pk]))
    )

    assert "Alarms by mail switched on or off" in activity
    assert "Alarms by mail yes → no" in activity


# --- The link in a mail ---------------------------------------------------------------------------


@pytest.mark.usefixtures("owner")
def test_looking_at_the_link_changes_nothing(client: Client) -> None:
    membership = Membership.objects.get()

    looked = text_of(client.get(off_link(membership)))

    assert "owner@example.org then gets no mail when a VPP account of Example Schools" in looked
    assert "Stop these mails" in looked
    assert wanted() == {"owner@example.org": True}


@pytest.mark.usefixtures("reader")
def test_its_button_stops_the_mails_of_one_admin_without_signing_in(owner: Admin) -> None:
    membership = owner.memberships.get()
    client = Client(enforce_csrf_checks=True)

    answers = [text_of(client.post(off_link(membership))) for _ in range(2)]

    assert all("These mails have stopped" in answer for answer in answers)
    assert wanted() == {"owner@example.org": False, "reader@example.org": True}
    assert events() == [
        (
            *("system", "Link in a mail to owner@example.org", "admin.alarms_switched"),
            *(str(owner), {"wantsAlarms": False}),
        )
    ]


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("forge", [lambda t: t[:-1], lambda t: "2" + t, lambda t: "1"])
def test_a_link_that_was_changed_is_none(forge: Any, client: Client) -> None:
    token = alarms_off_token(Membership.objects.get())
    link = reverse("organizations:alarms_off", args=[forge(token)])

    answers = [client.get(link).status_code, client.post(link).status_code]

    assert (answers, wanted()) == ([404, 404], {"owner@example.org": True})


def test_the_link_of_an_admin_who_left_is_none(owner: Admin, client: Client) -> None:
    link = off_link(owner.memberships.get())
    owner.memberships.all().delete()

    assert client.get(link).status_code == 404
