"""REST: why an app is, or is not, on a device."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps_catalog.models import ManagedApp
from organizations import automatic_tags
from organizations.models import Device, Organization
from tests import factories
from tests.api.conftest import ApiClient, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def keynote(organization: Organization, settings: Any) -> ManagedApp:
    settings.DEVICE_CHANNEL = "simulated"
    automatic_tags.ensure(organization)
    network = factories.NetworkFactory(organization=organization, name="Oakmont")
    app = factories.AppFactory(adam_id="361285480", name="Keynote")
    return factories.ManagedAppFactory(network=network, app=app, scope_operator="all")


@pytest.fixture
def ipad(keynote: ManagedApp) -> Device:
    return factories.DeviceFactory(
        organization=keynote.organization,
        network=keynote.network,
        name="iPad 1",
        serial_number="DMQ1",
        platform="iOS",
    )


def of_device(ipad: Device, path: str = "") -> str:
    return f"/networks/{ipad.network_id}/sm/devices/{ipad.pk}/apps{path}"


def test_the_apps_of_a_device_by_name(
    keynote: ManagedApp, ipad: Device, owner_api: ApiClient
) -> None:
    app = factories.AppFactory(name="aPages")
    pages = factories.ManagedAppFactory(network=keynote.network, app=app)
    factories.InstallationFactory(managed_app=keynote, device=ipad, state="planned")
    factories.InstallationFactory(
        managed_app=pages, device=ipad, state="failed", reason="userRefused"
    )

    rows = owner_api.get(of_device(ipad)).json()
    of_app = f"/networks/{ipad.network_id}/sm/apps/{keynote.pk}/installations"

    told = [(row["appName"], row["why"]["reason"], row["why"]["message"]) for row in rows]
    assert told == [
        (
            "aPages",
            "userRefused",
            "The user of iPad 1 declined aPages; it is not sent again by itself.",
        ),
        ("Keynote", None, "A license is asked for within a minute."),
    ]
    assert rows[1] == owner_api.get(of_app).json()[0]


def test_the_apps_of_a_device_cost_the_same_for_one_and_for_many(
    keynote: ManagedApp, ipad: Device, owner_api: ApiClient
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            owner_api.get(of_device(ipad))
        return len(asked)

    factories.InstallationFactory(managed_app=keynote, device=ipad)
    count()
    one = count()
    for _ in range(3):
        app = factories.ManagedAppFactory(network=keynote.network)
        factories.InstallationFactory(managed_app=app, device=ipad)

    assert count() == one


def test_the_way_stops_where_something_is_not_in_order(
    keynote: ManagedApp, ipad: Device, owner_api: ApiClient
) -> None:
    factories.InstallationFactory(
        managed_app=keynote, device=ipad, state="blocked", reason="noAccount"
    )

    told = owner_api.get(of_device(ipad, f"/{keynote.pk}/why")).json()

    assert (told["appId"], told["deviceId"]) == (str(keynote.pk), str(ipad.pk))
    assert told["heldUpAt"] == "license"
    assert [(step["stage"], step["verdict"]) for step in told["steps"]] == [
        ("scope", "ok"),
        ("license", "wrong"),
        ("apple", "notReached"),
        ("channel", "notReached"),
        ("device", "notReached"),
    ]
    license_step = told["steps"][1]
    assert license_step["message"] == "Keynote has no VPP account to draw licenses from."
    assert license_step["fix"] == {
        "text": "Choose one or several for it.",
        "url": f"http://127.0.0.1:8000/organizations/{keynote.organization_id}"
        f"/manage/apps/{keynote.pk}/",
    }


def test_also_of_a_device_that_is_not_in_scope(
    keynote: ManagedApp, ipad: Device, owner_api: ApiClient
) -> None:
    ManagedApp.objects.update(scope_operator="none")

    told = owner_api.get(of_device(ipad, f"/{keynote.pk}/why")).json()

    assert (told["heldUpAt"], told["steps"][0]["verdict"]) == ("scope", "wrong")


def test_an_app_or_device_that_is_not_there_is_not_found(
    keynote: ManagedApp, ipad: Device, owner_api: ApiClient
) -> None:
    elsewhere = factories.ManagedAppFactory()
    elm = factories.NetworkFactory(organization=keynote.organization, name="Elm")
    moved = of_device(ipad).replace(f"/{ipad.network_id}/", f"/{elm.pk}/", 1)

    assert owner_api.get(of_device(ipad, f"/{elsewhere.pk}/why")).status_code == 404
    assert owner_api.get(moved).status_code == 404


def test_who_may_ask_why(
    keynote: ManagedApp,
    ipad: Device,
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
) -> None:
    access = factories.NetworkAccessFactory(
        membership__organization=keynote.organization, network=keynote.network
    )
    theirs = client_of(access.membership.admin)
    clients = (reader_api, theirs, outsider_api, network_admin_api)

    for path in ("", f"/{keynote.pk}/why"):
        told = [each.get(of_device(ipad, path)).status_code for each in clients]
        assert told == [200, 200, 404, 404]
