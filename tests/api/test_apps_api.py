"""REST: the apps of a network."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps_catalog.models import App, ManagedApp, StoreSearch
from organizations.models import AuditEvent
from tests import factories
from tests.api.conftest import ApiClient, client_of
from tests.managed import MATH, School, school
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

SPELLING = "1203518844"


@pytest.fixture
def oakmont(fake: FakeApple, account: VppAccount) -> School:
    return school(fake, account)


def apps(oakmont: School, path: str = "") -> str:
    return f"/networks/{oakmont.network.pk}/sm/apps{path}"


def of_app(oakmont: School, path: str = "") -> str:
    return apps(oakmont, f"/{oakmont.app.pk}{path}")


def as_it_is(oakmont: School, **changes: Any) -> dict[str, Any]:
    told = {
        "id": str(oakmont.app.pk),
        "networkId": str(oakmont.network.pk),
        "adamId": MATH,
        "platform": "iOS",
        "country": "US",
        "name": "Tidepool Math",
        "bundleId": None,
        "version": None,
        "scope": "none",
        "tags": [],
        "purchaseMethod": "deviceAssignment",
        "vppAccountIds": [str(oakmont.account.pk)],
        "installAutomatically": True,
        "removeWithMdm": True,
        "manageUnmanaged": False,
        "keepUpToDate": False,
        "removableByUser": True,
        "removeOutOfScope": True,
        "grantAutomatically": False,
        "revokeAutomatically": False,
        "gracePeriodDays": 7,
        "priority": 0,
        "pausedAt": None,
        "waitsForDecision": False,
        "counts": {
            "inScope": 0,
            "licensed": 0,
            "installed": 0,
            "waiting": 0,
            "blocked": 0,
            "failed": 0,
            "asOf": None,
        },
    }
    return {**told, **changes}


def test_an_app_is_shown(oakmont: School, owner_api: ApiClient) -> None:
    assert owner_api.get(of_app(oakmont)).json() == as_it_is(oakmont)
    assert owner_api.get(apps(oakmont)).json() == [as_it_is(oakmont)]


def test_the_list_has_pages(oakmont: School, owner_api: ApiClient) -> None:
    for _ in range(4):
        factories.ManagedAppFactory(network=oakmont.network)

    first = owner_api.get(apps(oakmont, "?perPage=3"))

    assert len(first.json()) == 3
    assert "rel=next" in first["Link"]
    found = owner_api.get(apps(oakmont, f"?adamId={MATH}")).json()
    assert [each["adamId"] for each in found] == [MATH]


def test_the_list_costs_the_same_for_one_and_for_many(
    oakmont: School, owner_api: ApiClient
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            owner_api.get(apps(oakmont))
        return len(asked)

    ManagedApp.objects.update(scope_tag_ids=[oakmont.cart.pk])
    count()
    one = count()
    for _ in range(3):
        app = factories.ManagedAppFactory(network=oakmont.network, scope_tag_ids=[oakmont.cart.pk])
        factories.ManagedAppAccountFactory(managed_app=app, account=oakmont.account)

    assert count() == one


@pytest.mark.parametrize("scope", ["withAny,cart,ios-devices", ["withAny", "cart", "ios-devices"]])
def test_an_app_is_changed(oakmont: School, owner_api: ApiClient, scope: Any) -> None:
    said = {"scope": scope, "grantAutomatically": True, "gracePeriodDays": 3}

    response = owner_api.send("PUT", of_app(oakmont), said)

    assert (response.status_code, response.json()) == (
        200,
        as_it_is(
            oakmont,
            scope="withAny,cart,ios-devices",
            tags=["cart", "ios-devices"],
            grantAutomatically=True,
            gracePeriodDays=3,
        ),
    )


def test_a_dry_run_says_what_saving_would_lead_to(oakmont: School, owner_api: ApiClient) -> None:
    for _ in range(4):
        oakmont.device()
    said = {"scope": "withAny,cart", "grantAutomatically": True}

    told = owner_api.send("PUT", of_app(oakmont, "?dryRun=true"), said).json()

    oakmont.app.refresh_from_db()
    assert oakmont.app.scope_operator == "none"
    assert {name: told[name] for name in ("inScope", "willGet", "waiting", "cost", "message")} == {
        "inScope": 4,
        "willGet": 3,
        "waiting": 1,
        "cost": "4.99",
        "message": "In scope 4: 3 will get one, 1 waits for one. 3 licenses are granted.",
    }
    assert told["free"] == {str(oakmont.account.pk): 3}


def test_an_app_is_added(oakmont: School, owner_api: ApiClient) -> None:
    said = {"adamId": SPELLING, "scope": "withAny,cart", "priority": 2}

    response = owner_api.send("POST", apps(oakmont), said)

    added = ManagedApp.objects.get(adam_id=SPELLING)
    assert (response.status_code, response.json()) == (
        201,
        as_it_is(
            oakmont,
            id=str(added.pk),
            adamId=SPELLING,
            name=None,
            scope="withAny,cart",
            tags=["cart"],
            vppAccountIds=[],
            priority=2,
        ),
    )
    # The store is asked for its name.
    assert StoreSearch.objects.values_list("term", "country").get() == (SPELLING, "US")


def test_a_dry_run_of_adding_makes_nothing(oakmont: School, owner_api: ApiClient) -> None:
    oakmont.device()
    before = App.objects.count()

    response = owner_api.send(
        "POST", apps(oakmont, "?dryRun=true"), {"adamId": SPELLING, "scope": "all"}
    )

    assert (response.status_code, response.json()["cannot"]) == (200, {"noAccount": 1})
    assert (App.objects.count(), ManagedApp.objects.count()) == (before, 1)


def test_what_is_licensed_is_added_with_its_account(oakmont: School, owner_api: ApiClient) -> None:
    elm = factories.NetworkFactory(organization=oakmont.organization, name="Elm")

    told = owner_api.send("POST", f"/networks/{elm.pk}/sm/apps", {"adamId": MATH}).json()

    assert (told["name"], told["vppAccountIds"]) == ("Tidepool Math", [str(oakmont.account.pk)])


@pytest.mark.parametrize(
    ("said", "status", "error"),
    [
        ({"adamId": "x"}, 400, "“adamId”: must be digits only."),
        ({"adamId": MATH}, 409, "Tidepool Math is already an app of “Oakmont”"),
        ({"adamId": SPELLING, "scope": "some"}, 400, "“scope”: must begin with one of all, none"),
        ({"adamId": SPELLING, "scope": "withAny"}, 400, "choose at least one tag"),
        ({"adamId": SPELLING, "scope": "withAny,nope"}, 400, "has no tag “nope”"),
        ({"adamId": SPELLING, "scope": "withAny,a\0b"}, 400, "“scope”: has a NUL character"),
        ({"adamId": SPELLING, "purchaseMethod": "none"}, 400, "“No VPP license” is not possible"),
        ({"adamId": SPELLING, "vppAccountIds": ["999"]}, 400, "no VPP account 999"),
        ({"adamId": MATH, "platform": "macOS"}, 400, "does not run on macOS, only on iOS"),
        ({"adamId": SPELLING, "gracePeriodDays": 400}, 400, "less than or equal to 365"),
    ],
)
def test_what_cannot_be_added_is_said(
    oakmont: School, owner_api: ApiClient, said: dict[str, Any], status: int, error: str
) -> None:
    response = owner_api.send("POST", apps(oakmont), said)

    assert response.status_code == status
    assert error in response.json()["errors"][0]
    assert ManagedApp.objects.count() == 1


def test_an_account_of_another_network_is_refused(oakmont: School, owner_api: ApiClient) -> None:
    south = factories.VppAccountFactory(
        organization=oakmont.organization, name="South", assignable_networks="none"
    )

    response = owner_api.send("PUT", of_app(oakmont), {"vppAccountIds": [str(south.pk)]})

    assert (response.status_code, response.json()["code"]) == (400, "vpp_account_not_assignable")


def test_devices_in_scope_are_listed(oakmont: School, owner_api: ApiClient) -> None:
    ManagedApp.objects.update(scope_operator="all", grants_automatically=True)
    ready = oakmont.device(serial_number="READY1", name="One")
    nameless = oakmont.device(serial_number=None, name="Two")
    begun = oakmont.device(serial_number="BEGUN1", name="Three")
    factories.InstallationFactory(
        managed_app=oakmont.app, device=begun, state="failed", reason="userRefused"
    )

    rows = owner_api.get(of_app(oakmont, "/scope")).json()

    shown = [
        (row["id"], row["serialNumber"], row["license"], row["state"], row["reason"])
        for row in rows
    ]
    assert shown == [
        (str(ready.pk), "READY1", "willGet", None, None),
        (str(nameless.pk), None, "cannot", None, "noSerialNumber"),
        (str(begun.pk), "BEGUN1", "willGet", "failed", "userRefused"),
    ]


def test_an_app_is_paused_and_resumed(oakmont: School, owner_api: ApiClient) -> None:
    paused = owner_api.send("POST", of_app(oakmont, "/pause")).json()["pausedAt"]
    resumed = owner_api.send("POST", of_app(oakmont, "/resume")).json()["pausedAt"]

    assert (bool(paused), resumed) == (True, None)


def test_an_app_is_deleted_and_its_licenses_stay_unless_asked(
    oakmont: School, owner_api: ApiClient
) -> None:
    response = owner_api.delete(of_app(oakmont))

    assert (response.status_code, ManagedApp.objects.count()) == (204, 0)
    event = AuditEvent.objects.get(action="managed_app.deleted")
    assert (event.after, event.actor_kind) == ({"licenses": "keep"}, "api_key")


def test_an_unknown_choice_deletes_nothing(oakmont: School, owner_api: ApiClient) -> None:
    response = owner_api.delete(of_app(oakmont, "?licenses=perhaps"))

    assert response.json()["errors"] == ["“licenses” must be one of now, keep."]
    assert ManagedApp.objects.count() == 1


# --- Who may ----------------------------------------------------------------------------------------


def test_a_reader_looks_and_changes_nothing(oakmont: School, reader_api: ApiClient) -> None:
    assert reader_api.get(of_app(oakmont)).status_code == 200
    assert reader_api.send("PUT", of_app(oakmont), {"priority": 1}).status_code == 403
    assert reader_api.send("POST", apps(oakmont), {"adamId": SPELLING}).status_code == 403
    assert reader_api.delete(of_app(oakmont)).status_code == 403


def test_an_outsider_finds_nothing(oakmont: School, outsider_api: ApiClient) -> None:
    for path in (apps(oakmont), of_app(oakmont), of_app(oakmont, "/scope")):
        assert outsider_api.get(path).status_code == 404


def test_an_admin_of_another_network_finds_nothing(
    oakmont: School, network_admin_api: ApiClient
) -> None:
    assert network_admin_api.get(of_app(oakmont)).status_code == 404


def test_an_admin_of_the_network_writes(oakmont: School) -> None:
    access = factories.NetworkAccessFactory(
        membership__organization=oakmont.organization, network=oakmont.network
    )
    client = client_of(access.membership.admin)

    said = {"installAutomatically": False, "vppAccountIds": []}
    changed = client.send("PUT", of_app(oakmont), said)
    wider = client.send("PUT", of_app(oakmont), {"scope": "all"})
    ordered = client.send("PUT", of_app(oakmont), {"priority": 5})

    # The account is not open to them: they are not told of it, it stays, and who gets its licenses too.
    assert changed.json() == as_it_is(oakmont, **said)
    assert (wider.status_code, wider.json()["code"]) == (400, "licenses_not_yours")
    assert list(oakmont.app.accounts.values_list("account", flat=True)) == [oakmont.account.pk]
    assert ordered.status_code == 403
