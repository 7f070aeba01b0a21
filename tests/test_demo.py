"""The demo's data: what the contract promises, made once, and never made over what is there."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db.models import F, Q
from django.test import Client
from django.utils import timezone

from apps_catalog.models import App
from licensing.models import Assignment, LicenseCount, LicensedApp
from organizations.audit import Actor
from organizations.models import (
    Admin,
    ApiKey,
    Device,
    Network,
    Organization,
    OutgoingMail,
    Owner,
    Tag,
)
from tests.notifying import deliver
from users.models import Invitation, VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, VppAccount
from vpp_accounts.services import Rights, add_account

# Real commits: a sync keeps its temporary tables until the end of a transaction. Emptying the tables
# afterwards is the owner's right.
pytestmark = pytest.mark.django_db(transaction=True)

APPLE = "https://vpp.apple.test"
ROWS = (Admin, ApiKey, Assignment, Device, LicenseCount, Network, Organization, Owner, VppAccount)


def seed(output: Path, apple_url: str = APPLE) -> dict:
    call_command("seed_demo", apple_url=apple_url, output=output, verbosity=0)
    return json.loads(output.read_text())


def numbers() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in ROWS}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "demo.json.part"


@pytest.fixture(autouse=True)
def simulated_fleet(settings: LazySettings) -> None:
    """As ./dev demo has it."""
    settings.DEVICE_CHANNEL = "simulated"


@pytest.fixture
def facts(fake: FakeApple, output: Path) -> dict:
    return seed(output)


def test_the_file_says_what_the_contract_promises(facts: dict, output: Path) -> None:
    district = Organization.objects.get(name="Riverside Unified School District")
    company = Organization.objects.get(name="Northgate Logistics")
    keys = ("api_key", "read_only", "network_admin", "outsider", "tokens")

    plain = {name: value for name, value in facts.items() if name not in keys}

    assert plain == {
        "url": "http://127.0.0.1:8000/",
        "api_base_url": "http://127.0.0.1:8000/api/v1",
        "apple_url": APPLE,
        "email": "pat.morgan@riverside.example",
        "password": "apples-and-books-42",
        "organization_id": str(district.pk),
        "network_ids": [str(each.pk) for each in district.networks.order_by("pk")],
        "vpp_account_ids": [str(each.pk) for each in district.vpp_accounts.order_by("pk")],
    }
    assert facts["read_only"]["email"] == "lee.sandoval@riverside.example"
    assert facts["outsider"]["organization_id"] == str(company.pk)
    assert facts["outsider"]["network_ids"] == [
        str(each.pk) for each in company.networks.order_by("pk")
    ]
    assert [(Path(each["file"]).name, each["location"]) for each in facts["tokens"]] == [
        ("riverside-elementary.vpptoken", "Riverside Elementary"),
        ("riverside-high.vpptoken", "Riverside High"),
        ("riverside-adult-education.vpptoken", "Riverside Adult Education"),
    ]


def test_everybody_can_sign_in(facts: dict) -> None:
    people = [facts, facts["read_only"], facts["network_admin"], facts["outsider"]]

    signed_in = [Client().login(email=each["email"], password=each["password"]) for each in people]

    assert signed_in == [True] * 4


def test_keys_act_as_their_admins(facts: dict) -> None:
    people = [facts, facts["read_only"], facts["network_admin"], facts["outsider"]]

    digests = [ApiKey.digest_of(each["api_key"]) for each in people]
    keys = [ApiKey.objects.usable().get(digest=digest) for digest in digests]

    assert [key.admin.email for key in keys] == [each["email"] for each in people]
    assert [key.read_only for key in keys] == [False, True, False, False]


def test_the_district_is_as_large_as_promised(facts: dict) -> None:
    ours = {"organization": facts["organization_id"]}

    devices = Device.objects.filter(**ours)

    assert Network.objects.filter(**ours).count() == 6
    assert Owner.objects.filter(**ours).count() >= 40
    assert devices.count() >= 60
    assert set(devices.values_list("platform", flat=True)) == {
        *("iOS", "iPadOS", "macOS", "tvOS", "visionOS")
    }
    assert devices.filter(enrollment="user", serial_number=None).count() == 5
    assert set(devices.values_list("supervised", flat=True)) == {True, False}
    testing = Tag.objects.get(name="testing", **ours)
    assert set(
        devices.filter(tag_ids__contains=[testing.pk]).values_list("network__name", flat=True)
    ) == {"Riverside Elementary School", "Oakmont Elementary School", "Riverside Middle School"}


def test_both_accounts_are_in_sync(facts: dict) -> None:
    accounts = VppAccount.objects.filter(pk__in=facts["vpp_account_ids"]).order_by("pk")

    states = [(each.name, each.state, each.location_name) for each in accounts]

    assert states == [
        ("Riverside Elementary", AccountState.IN_SYNC, "Riverside Elementary"),
        ("Riverside High", AccountState.IN_SYNC, "Riverside High"),
    ]
    assert {each["uid"] for each in facts["tokens"][:2]} == {each.uid for each in accounts}


def test_apple_notifies_the_accounts_where_the_web_answers(
    fake: FakeApple, output: Path, settings: pytest.FixtureRequest
) -> None:
    settings.APPLE_NOTIFICATIONS = "on"
    fake.settings.allow_http_notification_urls = True
    fake.deliver = deliver

    seed(output)

    modes = VppAccount.objects.values_list("notifications_mode", flat=True)
    assert (set(modes), len(modes)) == ({"on"}, 3)


def test_titles_of_every_sort(facts: dict) -> None:
    ours = LicensedApp.objects.filter(organization=facts["organization_id"]).select_related("app")

    titles = list(ours)

    def some(**wanted: object) -> bool:
        return any(all(getattr(t, name) == value for name, value in wanted.items()) for t in titles)

    assert len({title.adam_id for title in titles}) >= 30
    assert any(title.app.price for title in titles)
    assert any(title.app.price == 0 for title in titles)
    assert some(available_count=0)
    assert some(available_count=1)
    assert some(product_type="Book", pricing_param="STDQ")
    assert some(product_type="Book", pricing_param="PLUS")
    assert some(is_irrevocable=True)
    assert some(product_type="App", device_assignable=False)
    assert some(is_unlimited=True)
    assert some(platforms=["macOS"])
    assert some(platforms=["tvOS"])
    assert some(assigned_count=0)
    assert any(title.app.is_custom for title in titles)
    assert {title.adam_id for title in titles if not title.app.name} == {"1709916540", "984420117"}


def test_holders_are_known_and_unknown(facts: dict) -> None:
    held = Assignment.objects.filter(organization=facts["organization_id"])
    serials = Device.objects.exclude(serial_number=None).values("serial_number")

    on_devices = held.filter(holder_kind="device")

    assert on_devices.filter(holder__in=serials).exists()
    assert on_devices.exclude(holder__in=serials).exists()
    assert held.filter(holder_kind="user").exists()


def test_people_came_to_their_accounts_in_different_ways(facts: dict) -> None:
    high = VppUser.objects.filter(account__name="Riverside High", owner__isnull=False)
    invitations = Invitation.objects.filter(account__name="Riverside High")
    now = timezone.now()

    waiting = high.filter(apple_status="Registered")

    assert high.filter(apple_status="Associated", associated_at__isnull=False).count() == 25
    assert waiting.filter(invited_at=None).count() == 1
    assert waiting.filter(invited_at__lt=now - timedelta(days=7)).count() == 2
    assert waiting.filter(failure__startswith="The mail server refused this address").count() == 1
    assert not high.filter(Q(name="") | ~Q(name=F("owner__name"))).exists()
    assert invitations.filter(ending="accepted").count() == 25
    assert invitations.open().count() == 5
    assert invitations.exclude(asked_again_at=None).filter(expires_at__lt=now).count() == 1
    assert OutgoingMail.objects.filter(key__startswith="invitation:").count() == 2


def test_history_ends_at_todays_counts(facts: dict) -> None:
    title = LicensedApp.objects.get(account__name="Riverside High", adam_id="1264077130")

    rows = list(title.history.order_by("day"))

    assert [row.day for row in rows] == [rows[0].day + timedelta(days=n) for n in range(61)]
    assert (rows[-1].total_count, rows[-1].assigned_count) == (260, 223)
    assert rows[0].assigned_count < 223
    assert all(row.total_count - row.assigned_count == row.available_count for row in rows)


def test_nothing_happens_the_second_time(facts: dict, fake: FakeApple, output: Path) -> None:
    before, asked = numbers(), len(fake.journal.since(0))

    again = seed(output)

    assert again == facts
    assert numbers() == before
    assert len(fake.journal.since(0)) == asked


def test_what_people_did_to_the_demo_stays(facts: dict, output: Path) -> None:
    VppAccount.objects.filter(name="Riverside High").delete()
    Organization.objects.filter(pk=facts["organization_id"]).update(name="Renamed")

    again = seed(output)

    assert again == facts | {"vpp_account_ids": facts["vpp_account_ids"][:1]}


def test_a_lost_file_gets_new_keys_and_nothing_else(facts: dict, output: Path) -> None:
    before = numbers()
    output.unlink()

    again = seed(output)

    assert numbers() == before
    assert again["api_key"] != facts["api_key"]
    assert not ApiKey.objects.filter(digest=ApiKey.digest_of(facts["api_key"])).exists()
    assert again["tokens"] == facts["tokens"]


def test_a_lost_token_file_is_downloaded_again(facts: dict, output: Path, by: Actor) -> None:
    path = Path(facts["tokens"][2]["file"])
    path.unlink()

    seed(output)

    account = _add(facts, path, by)
    assert account.uid == facts["tokens"][2]["uid"]


def test_the_third_token_is_of_no_account_yet(facts: dict, by: Actor) -> None:
    path = Path(facts["tokens"][2]["file"])

    account = _add(facts, path, by)

    assert (account.location_name, account.uid) == (
        "Riverside Adult Education",
        facts["tokens"][2]["uid"],
    )


def _add(facts: dict, path: Path, by: Actor) -> VppAccount:
    return add_account(
        by=by,
        organization=Organization.objects.get(pk=facts["organization_id"]),
        name="Adult Education",
        email="apps@riverside.example",
        token_text=path.read_text(),
        rights=Rights(),
    )


def test_an_apple_that_forgot_is_noticed(facts: dict, fake: FakeApple, output: Path) -> None:
    fake.reset()

    with pytest.raises(CommandError) as refused:
        seed(output)

    assert str(refused.value) == (
        "The fake Apple has forgotten the demo's locations."
        " Start the demo from nothing: ./dev demo --reset"
    )


def test_a_database_that_forgot_is_noticed(facts: dict, output: Path) -> None:
    Admin.objects.all().delete()

    with pytest.raises(CommandError) as refused:
        seed(output)

    assert str(refused.value) == (
        "The database has forgotten “Riverside Unified School District”."
        " Start the demo from nothing: ./dev demo --reset"
    )


def test_a_start_that_was_stopped_goes_on(fake: FakeApple, output: Path) -> None:
    broken = fake.set_fault("token_revoked", path="/mdm/v2/assignments")
    with pytest.raises(CommandError, match="“Riverside Elementary” could not be synced"):
        seed(output)
    fake.faults.remove(broken)
    VppAccount.objects.update(state=AccountState.NOT_VERIFIED)

    facts = seed(output)

    assert len(facts["vpp_account_ids"]) == 2
    assert Organization.objects.count() == 2
    assert len(fake.locations) == 4


def test_icons_follow_the_fake_to_another_port(
    facts: dict, output: Path, settings: pytest.FixtureRequest
) -> None:
    moved = "https://moved.apple.test"
    settings.APPLE_VPP_BASE_URL = f"{moved}/mdm/v2/"
    settings.APPLE_METADATA_URL = settings.APPLE_METADATA_URL.replace(APPLE, moved)

    seed(output, apple_url=moved)

    icons = App.objects.exclude(icon_url="")
    assert icons.count() == 44
    assert not icons.exclude(icon_url__startswith=f"{moved}/icons/").exists()


def test_production_has_no_demo(
    fake: FakeApple, output: Path, settings: pytest.FixtureRequest
) -> None:
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="This is a production installation"):
        seed(output)

    assert not Organization.objects.exists()


def test_the_real_apple_is_never_stocked(fake: FakeApple, output: Path) -> None:
    with pytest.raises(CommandError) as refused:
        seed(output, apple_url="http://127.0.0.1:8700")

    assert str(refused.value) == (
        "The product talks to https://vpp.apple.test/mdm/v2/ and not to the fake Apple at"
        " http://127.0.0.1:8700. Set APPLE_VPP_BASE_URL to http://127.0.0.1:8700/mdm/v2/."
    )


def test_no_fake_is_said_so(output: Path, settings: pytest.FixtureRequest) -> None:
    settings.APPLE_VPP_CLIENT = "http"
    settings.APPLE_VPP_BASE_URL = "http://127.0.0.1:9/mdm/v2/"

    with pytest.raises(CommandError) as refused:
        seed(output, apple_url="http://127.0.0.1:9/")

    assert str(refused.value) == (
        "No fake Apple answers at http://127.0.0.1:9. Start it with “manage.py fake_apple”."
    )
