"""Apps on devices over REST: Meraki's installApps and uninstallApps, and what goes where."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps_catalog.models import Installation
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.api.conftest import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation(organization: Organization, settings: object) -> Installation:
    settings.DEVICE_CHANNEL = "simulated"  # type: ignore[attr-defined]
    network = factories.NetworkFactory(organization=organization, name="Oakmont")
    app = factories.AppFactory(adam_id="361285480", name="Keynote", bundle_id="com.apple.Keynote")
    managed_app = factories.ManagedAppFactory(network=network, app=app)
    device = factories.DeviceFactory(
        organization=organization, network=network, serial_number="DMQ1"
    )
    factories.EnrollmentFactory(device=device)
    return factories.InstallationFactory(
        managed_app=managed_app, device=device, state="installed", is_managed=True
    )


def another(installation: Installation, state: str) -> Installation:
    app = installation.managed_app
    device = factories.DeviceFactory(organization=app.organization, network=app.network)
    return factories.InstallationFactory(managed_app=app, device=device, state=state)


def path_of(installation: Installation, act: str) -> str:
    network = installation.managed_app.network_id
    return f"/networks/{network}/sm/devices/{installation.device_id}/{act}"


def ids(installation: Installation) -> dict[str, object]:
    return {"appIds": [str(installation.managed_app_id)]}


def test_what_is_installed_is_left_unless_by_force(
    owner_api: ApiClient, installation: Installation
) -> None:
    path = path_of(installation, "installApps")

    left = owner_api.send("POST", path, ids(installation))
    forced = owner_api.send("POST", path, ids(installation) | {"force": True})

    app_id = str(installation.managed_app_id)
    assert (left.status_code, left.json()) == (
        200,
        {"appIds": [], "already": [app_id], "leftOut": []},
    )
    assert forced.json() == {"appIds": [app_id], "already": [], "leftOut": []}
    installation.refresh_from_db()
    assert installation.state == "licensed"


def test_an_app_is_removed(owner_api: ApiClient, installation: Installation) -> None:
    answer = owner_api.send("POST", path_of(installation, "uninstallApps"), ids(installation))

    assert answer.json()["appIds"] == [str(installation.managed_app_id)]
    assert AuditEvent.objects.filter(action="installation.removal_asked").count() == 1


def test_a_device_out_of_scope_is_told_so(owner_api: ApiClient, installation: Installation) -> None:
    Installation.objects.all().delete()

    answer = owner_api.send("POST", path_of(installation, "installApps"), ids(installation))

    (left_out,) = answer.json()["leftOut"]
    assert (answer.status_code, left_out["reason"]) == (200, "outOfScope")


@pytest.mark.parametrize(
    "body", [{}, {"appIds": []}, {"appIds": "1"}, {"appIds": ["x"]}, {"appIds": ["999999"]}]
)
def test_wrong_ids_are_refused(
    owner_api: ApiClient, installation: Installation, body: dict[str, object]
) -> None:
    answer = owner_api.send("POST", path_of(installation, "installApps"), body)

    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 1


def test_who_may_ask(
    installation: Installation,
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
    nobody_api: ApiClient,
) -> None:
    path = path_of(installation, "installApps")
    clients = (reader_api, outsider_api, network_admin_api, nobody_api)

    told = [each.send("POST", path, ids(installation)).status_code for each in clients]

    assert told == [403, 404, 404, 401]


def test_what_goes_where(
    owner_api: ApiClient, outsider_api: ApiClient, installation: Installation
) -> None:
    path = f"/networks/{installation.managed_app.network_id}/sm/apps/installs"
    another(installation, "blocked")

    found = owner_api.get(f"{path}?state=installed")

    assert found.json() == [
        {
            "serialNumber": "DMQ1",
            "adamId": "361285480",
            "bundleId": "com.apple.Keynote",
            "name": "Keynote",
            "license": "device",
            "state": "installed",
        }
    ]
    assert len(owner_api.get(path).json()) == 2
    assert outsider_api.get(path).status_code == 404


def test_what_goes_where_costs_the_same_for_any_number(
    owner_api: ApiClient, installation: Installation
) -> None:
    path = f"/networks/{installation.managed_app.network_id}/sm/apps/installs"
    counts = []
    owner_api.get(path)  # the first use of a key is noted

    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            owner_api.get(path)
        counts.append(len(asked))
        for _ in range(3):
            another(installation, "licensed")

    assert counts[0] == counts[1]
