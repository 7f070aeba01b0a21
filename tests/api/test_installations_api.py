"""REST: an app on its devices, how far it is on each, and what is asked of one of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps_catalog.models import Installation, ManagedApp
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.api.conftest import ApiClient, client_of
from vpp_accounts.models import VppAccount

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _simulated_at_noon(settings: Any) -> Any:
    settings.DEVICE_CHANNEL = "simulated"
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def north(organization: Organization) -> VppAccount:
    return factories.VppAccountFactory(organization=organization, name="North")


@pytest.fixture
def keynote(organization: Organization, north: VppAccount) -> ManagedApp:
    network = factories.NetworkFactory(organization=organization, name="Oakmont")
    app = factories.AppFactory(adam_id="361285480", name="Keynote", bundle_id="com.apple.Keynote")
    managed_app = factories.ManagedAppFactory(network=network, app=app)
    factories.ManagedAppAccountFactory(managed_app=managed_app, account=north)
    return managed_app


def on_device(keynote: ManagedApp, name: str = "iPad", **fields: Any) -> Installation:
    device = factories.DeviceFactory(
        organization=keynote.organization,
        network=keynote.network,
        name=name,
        serial_number=f"SERIAL{name.upper()}",
    )
    factories.EnrollmentFactory(device=device)
    return factories.InstallationFactory(managed_app=keynote, device=device, **fields)


def of_app(keynote: ManagedApp, query: str = "") -> str:
    return f"/networks/{keynote.network_id}/sm/apps/{keynote.pk}/installations{query}"


def act(installation: Installation, name: str) -> str:
    network = installation.managed_app.network_id
    return f"/networks/{network}/sm/apps/installations/{installation.pk}/{name}"


def test_how_far_an_app_is_on_each_device(
    keynote: ManagedApp, north: VppAccount, owner_api: ApiClient
) -> None:
    row = on_device(
        keynote, state="installed", account_id=north.pk, version="14.1", is_managed=True
    )

    (told,) = owner_api.get(of_app(keynote)).json()

    assert told == {
        "id": str(row.pk),
        "appId": str(keynote.pk),
        "networkId": str(keynote.network_id),
        "adamId": "361285480",
        "appName": "Keynote",
        "platform": "iOS",
        "deviceId": str(row.device_id),
        "deviceName": "iPad",
        "serialNumber": "SERIALIPAD",
        "isWanted": True,
        "state": "installed",
        "since": "2026-11-23T12:00:00Z",
        "leftScopeAt": None,
        "license": "device",
        "vppAccountId": str(north.pk),
        "isManaged": True,
        "version": "14.1",
        "detail": None,
        "askedAt": None,
        "askedBy": None,
        "nextAt": None,
        "possible": "remove",
        "why": {
            "stage": "nothing",
            "verdict": "ok",
            "reason": None,
            "message": "Keynote is installed.",
            "fix": None,
            "fixUrl": None,
            "asOf": "2026-11-23T12:00:00Z",
            "until": None,
        },
    }


def test_what_holds_an_app_up_is_said_in_one_line(
    keynote: ManagedApp, owner_api: ApiClient
) -> None:
    on_device(keynote, state="blocked", reason="noLicenseLeft")

    (told,) = owner_api.get(of_app(keynote)).json()

    assert (told["license"], told["vppAccountId"], told["possible"]) == (None, None, "install")
    assert (told["why"]["stage"], told["why"]["reason"]) == ("license", "noLicenseLeft")
    assert told["why"]["message"].startswith("No license is left in North; iPad gets one by itself")
    assert told["why"]["fixUrl"].startswith("http://127.0.0.1:8000/organizations/")


def test_of_an_account_that_is_not_theirs_nothing_is_told(
    keynote: ManagedApp, north: VppAccount, owner_api: ApiClient
) -> None:
    VppAccount.objects.update(allowed_admins="named")
    on_device(keynote, state="blocked", reason="noLicenseLeft", account_id=north.pk)

    response = owner_api.get(of_app(keynote))

    assert response.json()[0]["vppAccountId"] is None
    assert b"North" not in response.content


def test_the_list_is_filtered_and_has_pages(keynote: ManagedApp, owner_api: ApiClient) -> None:
    for number in range(4):
        on_device(keynote, f"N{number}", state="failed" if number else "installed")

    failed = owner_api.get(of_app(keynote, "?state=failed")).json()
    first = owner_api.get(of_app(keynote, "?perPage=3"))
    wrong = owner_api.get(of_app(keynote, "?state=odd"))

    assert [row["deviceName"] for row in failed] == ["N1", "N2", "N3"]
    assert (len(first.json()), "rel=next" in first["Link"]) == (3, True)
    assert wrong.json()["errors"][0].startswith("“state” must be one of blocked, planned")


def test_the_list_costs_the_same_for_one_and_for_many(
    keynote: ManagedApp, owner_api: ApiClient
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            owner_api.get(of_app(keynote))
        return len(asked)

    on_device(keynote, "first", state="blocked", reason="noLicenseLeft")
    count()
    one = count()
    for number in range(3):
        on_device(keynote, f"N{number}", state="blocked", reason="noLicenseLeft")

    assert count() == one


def test_an_install_is_asked_for_once(keynote: ManagedApp, owner_api: ApiClient) -> None:
    row = on_device(keynote, state="licensed")

    first = owner_api.send("POST", act(row, "install"))
    told = first.json()
    on_way = Installation.objects.filter(pk=row.pk).update(state="install_queued")
    again = owner_api.send("POST", act(row, "install")).json()

    assert (first.status_code, told["verdict"], on_way) == (200, "asked", 1)
    assert told["installation"]["askedAt"] == "2026-11-23T12:00:00Z"
    assert told["installation"]["possible"] is None
    assert (again["verdict"], again["installation"]["state"]) == ("already", "install_queued")
    assert AuditEvent.objects.filter(action="installation.asked").count() == 1


def test_what_failed_is_tried_again(keynote: ManagedApp, owner_api: ApiClient) -> None:
    row = on_device(keynote, state="failed", reason="unknownError", attempts=5)

    told = owner_api.send("POST", act(row, "retry")).json()

    row.refresh_from_db()
    assert (told["verdict"], told["installation"]["state"]) == ("asked", "licensed")
    assert (row.state, row.attempts) == ("licensed", 0)


def test_an_app_is_removed(keynote: ManagedApp, owner_api: ApiClient) -> None:
    row = on_device(keynote, state="installed", is_managed=True)

    told = owner_api.send("POST", act(row, "remove")).json()

    assert (told["verdict"], told["reason"]) == ("asked", None)
    assert AuditEvent.objects.filter(action="installation.removal_asked").count() == 1


def test_what_cannot_be_done_says_why(keynote: ManagedApp, owner_api: ApiClient) -> None:
    row = on_device(keynote, state="installed", is_managed=False)

    told = owner_api.send("POST", act(row, "remove")).json()

    assert (told["verdict"], told["reason"]) == ("refused", "unmanagedCopy")
    assert told["message"] == "The app is there, but the user installed it, so it is not managed."
    assert told["fix"].startswith("Switch on Attempt to manage unmanaged")
    assert not AuditEvent.objects.exists()


def test_an_installation_of_another_network_is_not_found(
    keynote: ManagedApp, owner_api: ApiClient
) -> None:
    row = on_device(keynote)
    elm = factories.NetworkFactory(organization=keynote.organization, name="Elm")

    path = act(row, "install").replace(f"/{keynote.network_id}/", f"/{elm.pk}/", 1)

    assert owner_api.send("POST", path).status_code == 404


def test_who_may_look_and_ask(
    keynote: ManagedApp,
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
) -> None:
    row = on_device(keynote, state="licensed")
    access = factories.NetworkAccessFactory(
        membership__organization=keynote.organization, network=keynote.network, can_write=False
    )
    only_reads = client_of(access.membership.admin)
    clients = (reader_api, outsider_api, network_admin_api, only_reads)

    looks = [each.get(of_app(keynote)).status_code for each in clients]
    asks = [each.send("POST", act(row, "install")).status_code for each in clients]

    assert (looks, asks) == ([200, 404, 404, 200], [403, 404, 404, 403])


def test_an_admin_of_the_network_asks(keynote: ManagedApp) -> None:
    row = on_device(keynote, state="licensed")
    access = factories.NetworkAccessFactory(
        membership__organization=keynote.organization, network=keynote.network
    )

    told = client_of(access.membership.admin).send("POST", act(row, "install")).json()

    assert told["verdict"] == "asked"
