"""What admins of networks do with an account that they manage, and what stays with full admins."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import TestCase

from licensing import batches
from licensing.models import Batch, BatchItem, LicensingSettings
from organizations.audit import Actor
from organizations.models import ApiKey, Owner
from tests.draining import BY, begin, drain, states, synced
from tests.people import person
from tests.reading import text_of
from tests.rights import District, district
from users.models import Invitation, VppUser

OTHERS_BATCH = (
    "Only who began this batch, or an admin with full access to the organization, can do this."
)
PRIORITY = "Only admins with full access to the organization can change who is served first."
OWNERS = "Owners belong to the organization; ask an admin with full access to it."


@pytest.fixture
def schools(fake, account) -> District:
    found = district(fake, account)
    found.allow("networks")
    return found


@pytest.fixture
def ada(schools: District) -> VppUser:
    """Somebody whom Apple does not know yet."""
    return person(schools.account, "Ada", "")


def url(schools: District, path: str) -> str:
    return schools.below(f"manage/vpp/{path}")


def who(schools: District, kind: str) -> dict[str, Any]:
    return {"by": Actor.of_admin(schools.admin(kind)), "membership": schools.members[kind]}


def begun(schools: District, kind: str, *serials: str) -> Batch:
    wish = batches.wish_for(kind="grant", titles=[schools.title], serials=serials)
    plan = batches.make_plan(account=schools.account, wish=wish, **who(schools, kind))
    with TestCase.captureOnCommitCallbacks(execute=True):
        return batches.start(plan=plan, **who(schools, kind))


# --- People ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["of Oak", "reader, of Oak"])
def test_people_are_invited_linked_granted_and_retired(schools, ada, kind):
    client = schools.client(kind)
    person = url(schools, f"{schools.account.pk}/holders/user/{ada.client_user_id}/")
    page = text_of(client.get(person))

    invited = client.post(url(schools, f"users/{ada.pk}/invite/"))
    drain(schools.account, schools.fake)
    link = client.get(url(schools, f"users/{ada.pk}/link/"))
    granted = client.post(person, {"kind": "grant", "title": schools.title.pk})
    client.post(granted.url)
    retire = client.post(
        url(schools, f"users/?account={schools.account.pk}"), {"kind": "retire", "holder": ada.pk}
    )
    client.post(retire.url, {"confirm_irrevocable": "1"})

    assert (invited.status_code, link.status_code) == (302, 200)
    assert Invitation.objects.filter(user=ada).count() == 1
    assert set(Batch.objects.values_list("kind", "actor_name")) == {
        (what, schools.admin(kind).email) for what in ("register", "invite", "grant", "retire")
    }
    assert "+ Grant license" in page


@pytest.mark.parametrize("kind", ["reads Oak", "reader, of Oak", "of Oak"])
def test_owners_stay_with_full_admins_and_the_buttons_say_so(schools, ada, kind):
    client = schools.client(kind)
    details = {"name": "Ada L.", "email": "other@example.org"}

    answers = [
        client.get(url(schools, f"users/{ada.pk}/edit/")).status_code,
        client.post(url(schools, f"users/{ada.pk}/edit/"), details).status_code,
        client.post(url(schools, f"users/add/?account={schools.account.pk}"), details).status_code,
    ]
    page = client.get(url(schools, f"users/?account={schools.account.pk}")).content.decode()

    assert answers == [403, 403, 403]
    assert list(Owner.objects.values_list("name", flat=True)) == ["Ada"]
    reason = OWNERS if kind != "reads Oak" else "You have read-only access"
    assert page.count(f'title="{reason}') == (4 if kind == "reads Oak" else 2)


def test_a_retired_person_without_an_owner_is_not_made_one_by_a_network_admin(schools, ada):
    ada.apple_status, ada.owner = "Retired", None
    ada.save()
    Owner.objects.all().delete()

    answer = schools.client("of Oak").post(url(schools, f"users/{ada.pk}/register/"))

    assert (answer.status_code, OWNERS in text_of(answer)) == (403, True)
    assert not Owner.objects.exists()


# --- Batches --------------------------------------------------------------------------------------


def test_network_admins_stop_and_repeat_the_batches_that_they_began(schools):
    ours, theirs = begun(schools, "of Oak", "OAK1"), begun(schools, "full, of Oak", "BIRCH1")
    client = schools.client("of Oak")

    cancelled = [
        client.post(url(schools, f"batches/{batch.pk}/cancel/")).status_code
        for batch in (ours, theirs)
    ]
    BatchItem.objects.update(state="failed")
    Batch.objects.update(failed=1, planned=0, cancelled=0)
    repeated = [
        client.post(url(schools, f"batches/{batch.pk}/retry/")).status_code
        for batch in (ours, theirs)
    ]

    assert (cancelled, repeated) == ([302, 403], [302, 403])
    assert list(Batch.objects.exclude(retry_of=None).values_list("retry_of", flat=True)) == [
        ours.pk
    ]


def test_buttons_of_somebody_elses_batch_say_why(schools):
    theirs = begun(schools, "full, of Oak", "BIRCH1")

    page = schools.client("of Oak").get(url(schools, f"batches/{theirs.pk}/")).content.decode()

    assert f'title="{OTHERS_BATCH}"' in page
    assert "/cancel/" not in page


def test_what_a_key_began_is_its_admins(schools):
    key, _ = ApiKey.objects.issue(admin=schools.admin("of Oak"), name="Script")
    batch = begun(schools, "of Oak", "OAK1")
    Batch.objects.update(actor_kind="api_key", actor_id=key.pk)

    answer = schools.client("of Oak").post(url(schools, f"batches/{batch.pk}/cancel/"))

    batch.refresh_from_db()
    assert (answer.status_code, batch.state) == (302, "cancelled")


def test_who_lost_the_account_no_longer_stops_what_they_began(schools):
    batch = begun(schools, "reader, of Oak", "OAK1")
    schools.allow("all")

    answer = schools.client("reader, of Oak").post(url(schools, f"batches/{batch.pk}/cancel/"))

    assert answer.status_code == 403
    assert states(batch) == {"OAK1": "planned"}


# --- The waiting list -----------------------------------------------------------------------------


@pytest.fixture
def queue(schools: District) -> list[BatchItem]:
    """A device of Oak that its admin asked for, and one of Birch that the organization did."""
    schools.fake.assign(
        schools.account.uid, schools.title.adam_id, serial_numbers=[f"X{n}" for n in range(10)]
    )
    schools.title = synced(schools.account)[schools.title.adam_id]
    begun(schools, "of Oak", "OAK1")
    begin("grant", [schools.title], serials=["BIRCH1"])
    return list(BatchItem.objects.order_by("pk"))


def test_network_admins_take_off_the_list_whom_they_asked_for(schools, queue):
    client = schools.client("of Oak")
    page = client.get(f"{schools.title_url}waiting/").content.decode()

    answers = [
        client.post(f"{schools.title_url}waiting/", {"action": action, "item": item.pk}).status_code
        for item in queue
        for action in ("raise", "take-off")
    ]
    everyone = client.post(
        f"{schools.title_url}waiting/", {"action": "take-off", "everyone": "1"}
    ).status_code

    assert (answers, everyone) == ([403, 302, 403, 403], 403)
    assert [item.state for item in BatchItem.objects.order_by("pk")] == ["cancelled", "waiting"]
    assert page.count(f'title="{PRIORITY}"') == 2
    assert page.count('name="item"') == 1


def test_full_admins_change_the_whole_list(schools, queue):
    client = schools.client("full, of Oak")

    for action in ("raise", "take-off"):
        client.post(f"{schools.title_url}waiting/", {"action": action, "everyone": "1"})

    assert list(BatchItem.objects.order_by("pk").values_list("state", "priority")) == [
        ("cancelled", 1),
        ("cancelled", 1),
    ]


def test_a_priority_is_for_full_admins(schools):
    wish = batches.wish_for(kind="grant", titles=[schools.title], serials=["OAK1"], priority=5)

    with pytest.raises(PermissionDenied, match="who is served first"):
        batches.make_plan(account=schools.account, wish=wish, **who(schools, "of Oak"))

    plan = batches.make_plan(account=schools.account, wish=wish, **who(schools, "full, of Oak"))
    assert plan.request["priority"] == 5


# --- Beside the licenses --------------------------------------------------------------------------


def test_a_titles_threshold_is_its_managers_and_the_organizations_is_not(schools):
    client = schools.client("of Oak")

    title = client.post(f"{schools.title_url}threshold/", {"threshold": 3}).status_code
    default = client.post(url(schools, "settings/"), {"threshold": 3}).status_code

    schools.title.refresh_from_db()
    assert (title, default, schools.title.low_threshold) == (302, 403, 3)
    assert not LicensingSettings.objects.exclude(low_threshold=None).exists()


@pytest.mark.parametrize("kind", ["reads Oak", "reader"])
def test_who_only_reads_sees_the_threshold_disabled(schools, kind):
    schools.allow("named")
    client = schools.client(kind)

    page = client.get(f"{schools.title_url}threshold/")
    answer = client.post(f"{schools.title_url}threshold/", {"threshold": 3})

    assert (page.status_code, answer.status_code) == (200, 403)
    assert 'aria-disabled="true"' in page.content.decode()


def test_unknown_holders_are_for_those_who_manage_the_account(schools):
    schools.fake.assign(schools.account.uid, schools.title.adam_id, serial_numbers=["STRANGER"])
    synced(schools.account)
    page = url(schools, f"{schools.account.pk}/unknown-holders/")
    plan = schools.client("of Oak").post(page, {"holder": "STRANGER"})
    reader = schools.client("reads Oak").post(page, {"holder": "STRANGER"})

    assert (plan.status_code, reader.status_code) == (200, 403)


@pytest.mark.parametrize("kind", ["of Oak", "reader, of Oak"])
def test_the_account_itself_stays_with_full_admins(schools, kind):
    client = schools.client(kind)
    account = schools.below(f"mdm/accounts/{schools.account.pk}/")
    told = client.get(schools.below("mdm/")).content.decode()

    answers = {
        page: client.post(f"{account}{page}/", {"typed_name": schools.account.name}).status_code
        for page in ("edit", "renew", "remove", "take-over", "notifications/try-again")
    }

    assert set(answers.values()) == {403}
    assert f'id="account-{schools.account.pk}-sync"' in told
    assert f'id="account-{schools.account.pk}-edit"' not in told


def test_a_network_admin_reads_no_names_of_others_on_organization_mdm(schools):
    schools.account.allowed_networks.add(schools.birch)
    network_admin = text_of(schools.client("of Oak").get(schools.below("mdm/")))
    schools.allow("named", "of Oak", "full")
    named = text_of(schools.client("of Oak").get(schools.below("mdm/")))
    reader = schools.client("reader").get(schools.below("mdm/")).content.decode()

    assert ("Admins of Oak" in network_admin, "Birch" in network_admin) == (True, False)
    assert ("Certain admins" in named, schools.admin("full").name in named) == (True, False)
    assert schools.admin("full").name in reader


def test_begin_by_the_product_itself_needs_no_membership(schools):
    batch = begin("grant", [schools.title], serials=["OAK1"])

    assert batches.cancel(by=BY, batch=batch) == 1
