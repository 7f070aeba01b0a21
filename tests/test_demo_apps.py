"""The demo's apps and devices: every story that a person is to find, and none twice."""

from collections import Counter
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps_catalog.models import (
    Installation,
    ManagedApp,
    PurchaseMethod,
    RedemptionCode,
    SimulatedDevice,
)
from licensing.models import Assignment, Batch, Reclaim
from organizations.models import Device
from tests.test_demo import seed
from vpp_accounts.apple.fake import FakeApple

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = (Batch, Installation, ManagedApp, Reclaim, RedemptionCode, SimulatedDevice)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "demo.json.part"


@pytest.fixture
def facts(fake: FakeApple, output: Path, settings: LazySettings) -> dict:
    settings.DEVICE_CHANNEL = "simulated"  # as ./dev demo has it
    return seed(output)


def numbers() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in ROWS}


def of(name: str, network: str) -> ManagedApp:
    return ManagedApp.objects.get(app__name=name, network__name=network)


def states(managed_app: ManagedApp) -> Counter[tuple[str, str]]:
    found = Installation.objects.filter(managed_app=managed_app, is_wanted=True)
    return Counter(found.values_list("state", "reason"))


def test_every_network_of_the_district_deploys_apps_and_the_company_none(facts: dict) -> None:
    apps = ManagedApp.objects.all()

    assert {str(pk) for pk in apps.values_list("network", flat=True)} == set(facts["network_ids"])
    assert {str(pk) for pk in apps.values_list("organization", flat=True)} == {
        facts["organization_id"]
    }
    assert set(apps.values_list("purchase_method", flat=True)) == set(PurchaseMethod.values)
    assert set(apps.values_list("platform", flat=True)) == {"iOS", "macOS", "tvOS"}
    assert {"all", "withAny", "withAll", "withoutAny"} == set(
        apps.values_list("scope_operator", flat=True)
    )


def test_what_stands_in_the_way_can_be_seen(facts: dict) -> None:
    high, oakmont = "Riverside High School", "Oakmont Elementary School"

    assert states(of("Pocket Ledger for Treasurers", high)) == {
        ("blocked", "notDeviceAssignable"): 11
    }
    assert states(of("Chalkboard Classic", oakmont)) == {("blocked", "goneFromStore"): 12}
    assert states(of("Wordgrove Phonics", oakmont)) == {("planned", "licenseNotAskedFor"): 12}
    assert states(of("Lumen Layout", high)) == {
        ("license_pending", ""): 2,
        ("blocked", "noLicenseLeft"): 6,
    }
    trails = states(of("Handwriting Trails", "Riverside Elementary School"))
    assert trails["blocked", "osTooOld"] == 10
    assert of("Clipcutter Pro", high).paused_at is not None


def test_most_is_installed_and_some_is_not(facts: dict) -> None:
    found = Counter(Installation.objects.values_list("state", flat=True))

    installed = Installation.objects.filter(state="installed").select_related("managed_app")

    assert found["installed"] > 90
    assert 1 <= found["failed"] <= 5
    assert found["waiting_user"] >= 2
    inside = dict(SimulatedDevice.objects.values_list("device", "apps"))
    assert all(row.managed_app.adam_id in inside[row.device_id] for row in installed)
    assert sum(ManagedApp.objects.values_list("installed", flat=True)) == found["installed"]


def test_what_rules_gave_is_known_as_theirs(facts: dict) -> None:
    rules = set(Assignment.objects.exclude(rule_id=None).values_list("origin", flat=True))

    installed = Installation.objects.filter(
        managed_app__purchase_method="device", state="installed"
    )
    serials = installed.values("device__serial_number")

    assert rules == {"rule"}
    assert Assignment.objects.filter(rule_id__isnull=False, holder__in=serials).count() > 50


def test_devices_that_left_could_give_licenses_back(facts: dict) -> None:
    found = Counter(Reclaim.objects.values_list("cause", "state"))

    assert set(found) == {("unenrolled", "planned"), ("missing", "found")}
    assert min(found.values()) >= 3
    assert Device.objects.filter(unenrolled_at__isnull=False).count() == 1
    assert Device.objects.filter(missing_since__isnull=False).count() == 1


def test_codes_of_an_old_order_are_there(facts: dict) -> None:
    codes = Counter(RedemptionCode.objects.values_list("state", flat=True))

    assert codes == {"redeemed": 4, "handed_out": 2, "unused": 6}


def test_nothing_is_made_twice(facts: dict, output: Path) -> None:
    before = numbers()
    output.unlink()

    seed(output)

    assert numbers() == before


def test_another_channel_is_left_alone(
    fake: FakeApple, output: Path, settings: LazySettings
) -> None:
    settings.DEVICE_CHANNEL = "none"

    seed(output)

    assert SimulatedDevice.objects.count() == 0
    assert not Installation.objects.filter(state="installed").exists()
    assert Installation.objects.filter(state="licensed").exists()
