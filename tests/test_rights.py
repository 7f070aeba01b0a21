"""Allowed admins and Assignable networks: who may see, who may change, and on which devices."""

import re

import pytest
from django.test import TestCase

from licensing import batches
from licensing.models import Batch, BatchItem, BatchPlan
from organizations.audit import Actor
from organizations.models import AuditEvent, Membership, NetworkAccess
from tests import factories
from tests.conftest import signed_in
from tests.draining import at_apple, drain, states, synced, turn
from tests.reading import text_of
from tests.rights import ALLOWED, KINDS, MANAGING, OF_THE_ORGANIZATION, OPEN, District, district
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.services import Rights, edit_account

READ_ONLY = "You have read-only access; a full admin of the organization can do it."
NOT_YOURS = "The device is in none of the networks that you may write in."
NOT_ASSIGNABLE = "The device's network is not among this account's assignable networks."
UNKNOWN = (
    "No device here has this serial number, and this account serves certain networks only."
    " Import the device first."
)


@pytest.fixture
def schools(fake, account) -> District:
    return district(fake, account)


def posted_plan(client, schools: District, *serials: str, kind: str = "grant"):
    """The boxes of the page are ids of devices; `~` begins a serial number nobody here knows."""
    devices = {d.serial_number: str(d.pk) for d in schools.organization.devices.all()}
    chosen = [devices.get(serial, serial) for serial in serials]
    return client.post(f"{schools.title_url}?holders=devices", {"kind": kind, "holder": chosen})


# --- Who ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("allowed", ALLOWED)
def test_the_allowed_admins_are_the_same_from_both_sides(schools, allowed):
    schools.allow(allowed)
    accounts = VppAccount.objects.all()

    opened = {k for k, m in schools.members.items() if accounts.open_to(m).exists()}
    managing = {k for k, m in schools.members.items() if accounts.manageable_by(m).exists()}
    managers = set(accounts.managers().values_list("member", flat=True))

    assert (opened, managing) == (OPEN[allowed], MANAGING[allowed])
    assert managers == {schools.members[kind].pk for kind in MANAGING[allowed]}


@pytest.mark.parametrize("who", ["invited", "deactivated", "of another organization"])
def test_who_cannot_sign_in_manages_nothing(schools, who):
    if who == "of another organization":
        stranger = factories.MembershipFactory(access="full")
    else:
        stranger = factories.MembershipFactory(organization=schools.organization, access="full")
    if who == "invited":
        Membership.objects.filter(pk=stranger.pk).update(accepted_at=None)
    if who == "deactivated":
        stranger.admin.is_active = False
        stranger.admin.save()

    assert not VppAccount.objects.manageable_by(stranger).exists()
    assert stranger.pk not in VppAccount.objects.managers().values_list("member", flat=True)


def test_an_access_by_itself_and_one_by_a_tag_count_once_and_the_stronger_counts(schools):
    schools.allow("networks")
    member = schools.members["reads Oak"]
    NetworkAccess.objects.create(
        organization=schools.organization, membership=member, network=schools.oak, tag="north"
    )

    pairs = VppAccount.objects.managers().filter(member=member.pk).count()
    page = signed_in(member.admin).get(schools.below("networks/"))

    assert pairs == 1
    assert text_of(page).count("Oak") == 1
    assert VppAccount.objects.filter(pk=schools.account.pk).open_to(member).count() == 1


@pytest.mark.parametrize("allowed", ALLOWED)
@pytest.mark.parametrize("kind", KINDS)
def test_what_each_admin_gets_on_pages(schools, kind, allowed):
    schools.allow(allowed)
    client, mine = schools.client(kind), "BIRCH1" if kind == "of Birch" else "OAK1"

    answers = {
        "title": client.get(schools.title_url).status_code,
        "grant": posted_plan(client, schools, mine).status_code,
        "sync": client.post(schools.below(f"mdm/accounts/{schools.account.pk}/sync/")).status_code,
        "batches": client.get(schools.below("manage/vpp/batches/")).status_code,
        "edit": client.get(schools.below(f"mdm/accounts/{schools.account.pk}/edit/")).status_code,
    }

    is_open, manages = kind in OPEN[allowed], kind in MANAGING[allowed]
    writes = KINDS[kind][0] == "full" or KINDS[kind][1] or kind == "of Birch"
    seen = is_open or kind in OF_THE_ORGANIZATION
    assert answers == {
        "title": 200 if is_open else 404,
        # Who may write nowhere is stopped before anything is looked for.
        "grant": 302 if manages else 403 if is_open or not writes else 404,
        "sync": 302 if manages else 403 if seen or not writes else 404,
        "batches": 200,
        "edit": 200 if kind.startswith("full") else 403,
    }
    assert BatchPlan.objects.count() == manages
    assert SyncRun.objects.open().count() == manages


# --- Which devices --------------------------------------------------------------------------------


ASSIGNABLE = {
    "all": ("OAK1", "BIRCH1"),
    "Oak": ("OAK1",),
    "Birch": ("BIRCH1",),
    "none": (),
}
WRITABLE = {"full": ("OAK1", "BIRCH1"), "of Oak": ("OAK1",), "of Birch": ("BIRCH1",)}


def why_not(serial: str, kind: str, assignable: str) -> str:
    if serial not in WRITABLE[kind] and (kind != "full" or serial != "STRANGER"):
        return NOT_YOURS
    if serial in ASSIGNABLE[assignable] or assignable == "all":
        return ""
    return UNKNOWN if serial == "STRANGER" else NOT_ASSIGNABLE


@pytest.mark.parametrize("assignable", ASSIGNABLE)
@pytest.mark.parametrize("kind", WRITABLE)
def test_devices_outside_are_skipped_with_the_reason(
    schools, kind, assignable, django_capture_on_commit_callbacks
):
    schools.allow("named")
    serials = ("OAK1", "BIRCH1", "STRANGER")
    schools.assign_in(getattr(schools, assignable.lower(), assignable))
    client, mine = schools.client(kind), WRITABLE[kind][0]

    planned = client.post(
        schools.below(f"manage/vpp/{schools.account.pk}/holders/device/{mine}/"),
        {"kind": "grant", "title": schools.title.pk},
    )
    wish = batches.wish_for(kind="grant", titles=[schools.title], serials=serials)
    plan = batches.make_plan(
        by=Actor.of_admin(schools.admin(kind)),
        membership=schools.members[kind],
        account=schools.account,
        wish=wish,
    )
    expected = {serial: why_not(serial, kind, assignable) for serial in serials}
    if any(not reason for reason in expected.values()):
        page = plan_url(schools, plan)
        assert client.post(page).status_code == 302
        drain(schools.account, schools.fake)

    items = dict(BatchItem.objects.filter(batch__kind="grant").values_list("holder", "message"))
    got = {holder for _, holder in at_apple(schools.fake, schools.account)}
    assert got == {serial for serial, reason in expected.items() if not reason}
    assert items == (expected if got else {})
    assert ("plans" in planned.url) == (not expected[mine])


def plan_url(schools: District, plan: BatchPlan) -> str:
    return schools.below(f"manage/vpp/plans/{plan.pk}/")


def begun(schools: District, kind: str, *serials: str, what: str = "grant") -> Batch:
    who = {"by": Actor.of_admin(schools.admin(kind)), "membership": schools.members[kind]}
    wish = batches.wish_for(kind=what, titles=[schools.title], serials=serials)
    plan = batches.make_plan(account=schools.account, wish=wish, **who)
    with TestCase.captureOnCommitCallbacks(execute=True):
        return batches.start(plan=plan, **who)


@pytest.mark.parametrize("change", ["the list", "no network", "the device's network", "the device"])
def test_what_is_not_sent_when_a_network_is_no_longer_assignable_is_skipped(schools, change):
    schools.assign_in(schools.oak)
    batch = begun(schools, "full", "OAK1", "OAK2")
    if change == "the list":
        schools.assign_in(schools.birch)
    if change == "no network":
        schools.assign_in("none")
    if change == "the device's network":
        schools.organization.devices.update(network=schools.birch)
    if change == "the device":
        schools.organization.devices.all().delete()

    drain(schools.account, schools.fake)

    items = BatchItem.objects.filter(batch=batch)
    reason = UNKNOWN if change == "the device" else NOT_ASSIGNABLE
    assert dict(items.values_list("holder", "state")) == {"OAK1": "skipped", "OAK2": "skipped"}
    assert set(items.values_list("message", flat=True)) == {reason}
    batch.refresh_from_db()
    assert (batch.state, batch.skipped) == ("finished", 2)
    assert at_apple(schools.fake, schools.account) == set()


def test_who_waits_outside_is_taken_off_once_the_list_is_changed(schools, by):
    schools.fake.assign(
        schools.account.uid, schools.title.adam_id, serial_numbers=[f"X{n}" for n in range(10)]
    )
    schools.title = synced(schools.account)[schools.title.adam_id]
    batch = begun(schools, "full", "OAK1", "BIRCH1")
    assert states(batch) == {"OAK1": "waiting", "BIRCH1": "waiting"}

    with TestCase.captureOnCommitCallbacks(execute=True):
        edit_account(
            by=by,
            account=schools.account,
            rights=Rights(assignable_networks="some", assignable_network_list=[schools.birch]),
        )
    turn(schools.account)

    assert states(batch) == {"OAK1": "skipped", "BIRCH1": "waiting"}


def test_what_a_device_holds_can_be_taken_back_wherever_it_is(schools):
    begun(schools, "full", "OAK1", "BIRCH1")
    drain(schools.account, schools.fake)
    schools.allow("named")
    schools.assign_in("none")

    answer = posted_plan(schools.client("of Oak"), schools, "OAK1", "~BIRCH1", kind="revoke")
    schools.client("of Oak").post(answer.url)
    drain(schools.account, schools.fake)

    held = {holder for _, holder in at_apple(schools.fake, schools.account)}
    revoke = Batch.objects.get(kind="revoke")
    assert held == {"BIRCH1"}
    assert dict(revoke.items.values_list("holder", "message")) == {"OAK1": "", "BIRCH1": NOT_YOURS}


def test_rows_of_devices_say_why_they_cannot_be_chosen(schools):
    schools.allow("named")
    NetworkAccess.objects.create(
        organization=schools.organization,
        membership=schools.members["of Oak"],
        network=schools.birch,
        can_write=False,
    )
    schools.assign_in(schools.birch)

    page = schools.client("of Oak").get(f"{schools.title_url}?holders=devices")

    rows = re.findall(r"<tr>.*?</tr>", page.content.decode(), re.DOTALL)
    told = {
        serial: (
            "This network is not assignable for the account" in row,
            "Not one of your networks" in row,
            "data-select\n" in row or "data-select " in row,
        )
        for row in rows
        for serial in re.findall(r'holder-id">.*?>(\w+)<', row, re.DOTALL)
    }
    assert told == {
        "OAK1": (True, False, False),
        "OAK2": (True, False, False),
        "BIRCH1": (False, True, False),
        "BIRCH2": (False, True, False),
    }


def test_an_account_without_networks_gives_nothing_to_devices_and_says_so(schools):
    schools.assign_in("none")
    client = schools.client("full")

    page = text_of(client.get(f"{schools.title_url}?holders=devices"))
    answer = posted_plan(client, schools, "OAK1")

    assert "No network is assignable for this account" in page
    assert not BatchPlan.objects.exists()
    assert "No network is assignable" in text_of(client.get(answer.url))


def test_the_title_page_costs_the_same_for_any_number_of_devices_and_networks(
    schools, django_assert_max_num_queries
):
    schools.allow("named")
    schools.assign_in(schools.oak)
    client = schools.client("of Oak")
    client.get(f"{schools.title_url}?holders=devices")
    costs = []

    for _ in range(2):
        with django_assert_max_num_queries(60) as queries:
            client.get(f"{schools.title_url}?holders=devices")
        costs.append(len(queries))
        for _each in range(5):
            network = factories.NetworkFactory(organization=schools.organization)
            factories.NetworkAccessFactory(membership=schools.members["of Oak"], network=network)
            factories.DeviceFactory(organization=schools.organization, network=network)

    assert costs[0] == costs[1]


# --- When rights change ---------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["the network", "the list", "the assignable network"])
def test_rights_that_are_lost_between_plan_and_start_are_missed_at_the_start(schools, lost):
    schools.allow("networks")
    client = schools.client("of Oak")
    page = posted_plan(client, schools, "OAK1").url
    if lost == "the network":
        NetworkAccess.objects.update(can_write=False)
    if lost == "the list":
        schools.allow("named", "full")
    if lost == "the assignable network":
        schools.assign_in(schools.birch)

    answer = client.post(page)

    wanted = {"the network": 403, "the list": 404, "the assignable network": 302}
    assert answer.status_code == wanted[lost]
    assert not Batch.objects.exists()


def test_somebody_elses_plan_is_started_with_ones_own_rights(schools):
    schools.allow("named")
    page = posted_plan(schools.client("full"), schools, "OAK1", "BIRCH1").url

    answer = schools.client("of Oak").post(page)

    assert "instead_of" in answer.url
    assert not Batch.objects.exists()
    newest = BatchPlan.objects.order_by("created_at").last()
    assert (newest.summary["go"], newest.summary["reasons"]) == (1, {"networkNotYours": 1})


def test_a_reader_sees_somebody_elses_plan_and_cannot_start_it(schools):
    page = posted_plan(schools.client("full"), schools, "OAK1").url
    reader = schools.client("reader")

    shown, answer = reader.get(page), reader.post(page)

    assert (shown.status_code, READ_ONLY in text_of(shown)) == (200, True)
    assert (answer.status_code, READ_ONLY in text_of(answer)) == (403, False)
    assert not Batch.objects.exists()


def test_changing_the_lists_is_recorded_with_names_also_by_who_is_not_on_them(schools):
    schools.allow("named", "of Oak")
    url = schools.below(f"mdm/accounts/{schools.account.pk}/edit/")

    schools.client("full").post(
        url,
        {
            "name": "North",
            "email": "vpp@example.org",
            "allowed_admins": "networks",
            "allowed_networks": [schools.birch.pk],
            "assignable_networks": "some",
            "assignable_network_list": [schools.oak.pk],
        },
    )

    event = AuditEvent.objects.get(action="vpp_account.edited")
    told = {
        name: (event.before[name], event.after[name])
        for name in ("allowedAdmins", "namedAdmins", "allowedNetworks", "assignableNetworkList")
    }
    assert event.actor_name == schools.admin("full").email
    assert told == {
        "allowedAdmins": ("named", "networks"),
        "namedAdmins": ([schools.admin("of Oak").email], []),
        "allowedNetworks": (["Oak"], ["Birch"]),
        "assignableNetworkList": ([], ["Oak"]),
    }


@pytest.mark.parametrize("how", ["removed", "reads only", "deactivated"])
def test_an_account_that_nobody_manages_any_more_says_so(schools, how):
    schools.allow("named", "of Oak")
    mdm = schools.below("mdm/")
    before = "Nobody manages its users" in text_of(schools.client("full").get(mdm))
    if how == "removed":
        schools.members["of Oak"].delete()
    if how == "reads only":
        NetworkAccess.objects.update(can_write=False)
    if how == "deactivated":
        schools.admin("of Oak").is_active = False
        schools.admin("of Oak").save()

    after = "Nobody manages its users" in text_of(schools.client("full").get(mdm))

    assert (before, after) == (False, True)


def test_the_accounts_that_only_one_admin_manages_are_found(schools):
    schools.allow("named", "of Oak", "of Birch")
    both = VppAccount.objects.managed_only_by(schools.members["of Oak"]).count()
    schools.allow("named", "of Oak", "reader")
    one = VppAccount.objects.managed_only_by(schools.members["of Oak"])

    assert (both, list(one)) == (0, [schools.account])
    assert not VppAccount.objects.managed_only_by(schools.members["reader"]).exists()


def test_a_list_with_which_nobody_manages_is_saved_with_a_warning(schools):
    answer = schools.client("full").post(
        schools.below(f"mdm/accounts/{schools.account.pk}/edit/"),
        {
            "name": "North",
            "email": "vpp@example.org",
            "allowed_admins": "named",
            "named_admins": [schools.admin("reader").pk],
            "assignable_networks": "all",
        },
        follow=True,
    )

    schools.account.refresh_from_db()
    assert schools.account.allowed_admins == "named"
    assert "Nobody can change the users and licenses of North now" in text_of(answer)


def test_only_colleagues_who_have_accepted_can_be_named(schools):
    invited = factories.MembershipFactory(
        organization=schools.organization, admin__name="Not Yet", accepted_at=None
    )

    page = schools.client("full").get(schools.below(f"mdm/accounts/{schools.account.pk}/edit/"))

    assert schools.admin("reader").email in text_of(page)
    assert (invited.admin.email in text_of(page), "Not Yet" in text_of(page)) == (False, False)
