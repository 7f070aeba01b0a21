"""Automatic licensing over REST: paused, resumed, and what waits for a decision."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import TestCase

from licensing.models import Automation, AutomationHold
from organizations.models import Admin, AuditEvent, Device, Organization
from tests import factories
from tests.api.conftest import ApiClient, client_of
from tests.automating import World, licenses
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

SWEPT = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
SERIALS = [f"S{number}" for number in range(8)]


def path(organization: Organization, action: str = "") -> str:
    return f"/organizations/{organization.pk}/sm/automation{action}"


def decide_path(hold: AutomationHold) -> str:
    app = hold.managed_app
    return f"/networks/{app.network_id}/sm/apps/{app.pk}/decide"


def hold_in(organization: Organization, **fields: object) -> AutomationHold:
    network = factories.NetworkFactory(organization=organization)
    app = factories.ManagedAppFactory(network=network)
    values = {"revokes": 6, "assigned": 10, "named": ["S1"]} | fields
    return AutomationHold.objects.create(organization=organization, managed_app=app, **values)


@pytest.fixture
def world(fake: FakeApple, account: VppAccount) -> World:
    network = factories.NetworkFactory(organization=account.organization, name="Oakmont")
    return World(fake, account.organization, network, account)


@pytest.fixture
def held(world: World) -> AutomationHold:
    """Eight devices have left the scope at once."""
    world.buy(20)
    cart = world.tag()
    for serial in SERIALS:
        world.device(serial, cart)
    world.app(tag=cart)
    world.settle()
    Device.objects.update(tag_ids=[])
    world.settle()
    return AutomationHold.objects.select_related("managed_app").get()


def test_automation_before_anything_was_automatic(
    reader_api: ApiClient, organization: Organization
) -> None:
    answer = reader_api.get(path(organization))

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "paused": False,
            "pausedAt": None,
            "pausedBy": None,
            "lastSweepAt": None,
            "lastSweepSeconds": None,
            "waitingForDecision": [],
        },
    )


def test_automation_is_paused_and_resumed(owner_api: ApiClient, organization: Organization) -> None:
    Automation.objects.create(organization=organization, swept_at=SWEPT, sweep_seconds=1.5)

    paused = owner_api.send("POST", path(organization, "/pause"))
    again = owner_api.send("POST", path(organization, "/pause"))
    seen = owner_api.get(path(organization))
    resumed = owner_api.send("POST", path(organization, "/resume"))

    told = paused.json()
    assert (paused.status_code, told["paused"]) == (200, True)
    assert told["pausedBy"].startswith("owner@example.org (Tests")
    assert (told["lastSweepAt"], told["lastSweepSeconds"]) == ("2026-05-04T12:00:30Z", 1.5)
    assert again.json() == seen.json() == told
    assert [resumed.json()[name] for name in ("paused", "pausedAt", "pausedBy")] == [
        False,
        None,
        None,
    ]
    events = AuditEvent.objects.filter(action__startswith="automation.").order_by("pk")
    assert list(events.values_list("action", flat=True)) == [
        "automation.paused",
        "automation.resumed",
    ]


def test_automation_tells_what_waits_for_a_decision(
    reader_api: ApiClient, organization: Organization
) -> None:
    hold = hold_in(organization, as_of=SWEPT)
    hold_in(organization, decided_at=SWEPT)
    AutomationHold.objects.update(created_at=SWEPT)

    told = reader_api.get(path(organization)).json()["waitingForDecision"]

    assert told == [
        {
            "networkId": str(hold.managed_app.network_id),
            "appId": str(hold.managed_app_id),
            "adamId": hold.managed_app.adam_id,
            "name": hold.managed_app.app.name,
            "revokes": 6,
            "assigned": 10,
            "holders": ["S1"],
            "since": "2026-05-04T12:00:30Z",
            "asOf": "2026-05-04T12:00:30Z",
        }
    ]


def test_automation_tells_network_admins_of_their_networks_alone(
    organization: Organization,
) -> None:
    theirs, _ = hold_in(organization), hold_in(organization)
    access = factories.NetworkAccessFactory(
        membership__organization=organization, network=theirs.managed_app.network
    )

    told = client_of(access.membership.admin).get(path(organization)).json()

    assert [each["appId"] for each in told["waitingForDecision"]] == [str(theirs.managed_app_id)]


@pytest.mark.parametrize(("allow", "left"), [(True, set()), (False, set(SERIALS))])
def test_what_an_app_waits_with_is_decided(
    owner_api: ApiClient, world: World, held: AutomationHold, allow: bool, left: set[str]
) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = owner_api.send("POST", decide_path(held), {"allow": allow})
    world.settle()
    again = owner_api.send("POST", decide_path(held), {"allow": allow})

    held.refresh_from_db()
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "allowed": allow,
            "revokes": 8,
            "decidedAt": f"{held.decided_at:%Y-%m-%dT%H:%M:%SZ}",
            "decidedBy": held.decided_by,
        },
    )
    assert licenses().keys() == left
    assert (again.status_code, again.json()) == (
        409,
        {
            "errors": ["Nothing of this app waits for a decision any more."],
            "code": "nothing_waits",
        },
    )


def test_deciding_needs_an_answer_and_write_access_to_the_network(
    owner_api: ApiClient, reader_api: ApiClient, outsider_api: ApiClient, organization: Organization
) -> None:
    hold = hold_in(organization)
    reading = factories.NetworkAccessFactory(
        membership__organization=organization, network=hold.managed_app.network, can_write=False
    )

    silent = owner_api.send("POST", decide_path(hold))
    others = [
        api.send("POST", decide_path(hold), {"allow": True})
        for api in (reader_api, client_of(reading.membership.admin), outsider_api)
    ]

    assert (silent.status_code, silent.json()["errors"]) == (400, ["“allow” is missing."])
    assert [answer.status_code for answer in others] == [403, 403, 404]
    assert AutomationHold.objects.waiting().get() == hold


def test_a_network_admin_decides_in_their_network(organization: Organization) -> None:
    hold = hold_in(organization)
    access = factories.NetworkAccessFactory(
        membership__organization=organization, network=hold.managed_app.network
    )

    answer = client_of(access.membership.admin).send("POST", decide_path(hold), {"allow": False})

    assert (answer.status_code, answer.json()["allowed"]) == (200, False)


def test_automation_is_nothing_to_outsiders(
    outsider_api: ApiClient, reader_api: ApiClient, organization: Organization, reader: Admin
) -> None:
    asked = [
        outsider_api.get(path(organization)),
        outsider_api.send("POST", path(organization, "/pause")),
        reader_api.send("POST", path(organization, "/pause")),
    ]

    assert [answer.status_code for answer in asked] == [404, 404, 403]
    assert not Automation.objects.exists()
