"""The page of a plan: what is said before anything is sent, and what its confirmation does."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from licensing import batches
from licensing.models import Assignment, Batch, BatchPlan, LicensedApp
from organizations.audit import Actor
from tests import factories
from tests.draining import drain, synced
from tests.reading import text_of
from tests.test_licensed_apps import csv_of, title, url_of
from tests.test_sync import KEYNOTE


@pytest.fixture
def north(organization):
    return factories.VppAccountFactory(
        organization=organization, name="North", state="in_sync", last_synced_at=timezone.now()
    )


@pytest.fixture
def school(organization):
    return factories.NetworkFactory(organization=organization, name="North School")


@pytest.fixture
def notes(north):
    return title(north, "Notes", total_count=10, assigned_count=7, available_count=3)


def device(network, serial, name, **values):
    return factories.DeviceFactory(
        organization=network.organization,
        network=network,
        serial_number=serial,
        name=name,
        **values,
    )


def plan_for(kind, licensed_app, **whom):
    wish = batches.wish_for(kind=kind, titles=[licensed_app], **whom)
    by = Actor.system("Test")
    return batches.make_plan(by=by, membership=None, account=licensed_app.account, wish=wish)


def page_of(plan, **query):
    address = reverse("licensing:plan_detail", args=[plan.organization_id, plan.pk])
    return f"{address}?{urlencode(query)}" if query else address


def confirm_button(response):
    html = response.content.decode()
    form = html[html.index("plan-confirm") :].split("</form>")[0]
    found = re.search(r'<button type="submit"[^>]*>([^<]*)</button>', form)
    return found and found[1]


# --- What it says -----------------------------------------------------------------------------------


def test_plan_detail_of_a_grant_says_who_gets_one_who_waits_and_who_not(
    owner_client, notes, school
):
    serials = [f"D{number}" for number in range(1, 6)]
    for serial in serials:
        device(school, serial, f"iPad {serial}")
    device(school, "MAC1", "Mac mini", platform="macOS")
    device(school, "MAC2", "Mac Studio", platform="macOS")
    phone = device(school, None, "Own phone")
    factories.AssignmentFactory(licensed_app=notes, holder="D1")
    whom = {"serials": [*serials, "MAC1", "MAC2", "X7", "X8"], "devices": [phone]}

    page = owner_client.get(page_of(plan_for("grant", notes, **whom)))

    text = text_of(page)
    assert "Grant “Notes” to 10 devices" in text
    assert "Get a license 3 Wait for one 3 until licenses arrive Hold one already 1" in text
    assert "Left out 3 the reasons are below" in text
    assert "3 have to wait: as soon as licenses arrive they are given by themselves" in text
    assert "2 serial numbers are in no inventory here." in text
    assert "Notes 3 3 wait 3 0 as of" in text
    assert "2 The title does not run on this device's platform." in text
    assert "Mac mini (MAC1), Mac Studio (MAC2)" in text
    assert "1 The device has no serial number (User Enrollment)" in text
    assert confirm_button(page) == "Grant 3 licenses"


def test_plan_detail_speaks_of_people_that_apple_does_not_know_yet(owner_client, north, notes):
    factories.VppUserFactory(account=north, apple_status="Retired", email="cy@example.org")
    for status in ("", "", "Registered", "Associated"):
        factories.VppUserFactory(account=north, apple_status=status)
    users = north.vpp_users.order_by("-pk")

    page = owner_client.get(page_of(plan_for("grant", notes, users=users)))

    text = text_of(page)
    assert "3 have not accepted yet, a license is held for them." in text
    assert "2 are unknown to Apple and are registered first." in text
    assert "1 This person has been retired; add them again first. cy@example.org" in text
    assert "1 has to wait: as soon as a license arrives" in text


def test_plan_detail_of_a_revoke_says_what_stops_and_what_stays(owner_client, notes):
    for serial in ("S1", "S2"):
        factories.AssignmentFactory(licensed_app=notes, holder=serial)

    page = owner_client.get(page_of(plan_for("revoke", notes, serials=["S1", "S2", "S3"])))

    text = text_of(page)
    assert "Revoke “Notes” from 3 devices" in text
    assert "Lose their license 2 Hold none 1 nothing changes" in text
    assert "2 licenses are taken back: the app can no longer be downloaded" in text
    assert "An app that is installed keeps working for up to 30 days." in text
    assert "About two minutes after Apple has carried it out" in text
    assert "Notes 2 3 5" in text
    assert confirm_button(page) == "Revoke 2 licenses"


def test_plan_detail_of_a_revoke_from_who_only_waits(owner_client, notes):
    batch = factories.BatchFactory(account=notes.account)
    factories.BatchItemFactory(batch=batch, licensed_app=notes, holder="S1", state="waiting")

    page = owner_client.get(page_of(plan_for("revoke", notes, serials=["S1"])))

    assert "1 no longer waits for a license." in text_of(page)
    assert "30 days" not in text_of(page)
    assert confirm_button(page) == "Take 1 off the waiting list"


def test_plan_detail_with_nothing_to_do_has_no_button_and_does_nothing(owner_client, notes):
    factories.AssignmentFactory(licensed_app=notes, holder="S1")
    plan = plan_for("grant", notes, serials=["S1"])

    page = owner_client.get(page_of(plan))
    answer = owner_client.post(page_of(plan), follow=True)

    assert "There is nothing to do. Everybody chosen holds a license already." in text_of(page)
    assert confirm_button(page) is None
    assert "There is nothing to do: this plan changes nothing." in text_of(answer)
    assert not Batch.objects.exists()


def test_plan_detail_counts_no_end_of_unlimited_licenses(owner_client, north):
    free = title(north, "Free", total_count=2147483647, available_count=2147483640)

    page = owner_client.get(page_of(plan_for("grant", free, serials=["S1"])))

    assert "Free 1 unlimited unlimited as of" in text_of(page)


def test_plan_detail_names_the_first_of_many_and_gives_all_as_csv(owner_client, notes, school):
    for number in range(30):
        device(school, f"M{number:02d}", f"Mac {number:02d}", platform="macOS")
    device(school, "D1", "iPad 1")
    plan = plan_for("grant", notes, serials=["D1", *(f"M{n:02d}" for n in range(30)), "S-1"])

    page = owner_client.get(page_of(plan))
    rows = csv_of(owner_client.get(page_of(plan, format="csv")))

    text = text_of(page)
    assert "30 The title does not run on this device's platform. Mac 00 (M00)" in text
    assert "Mac 09 (M09) and 20 more" in text
    assert len(rows) == 32
    assert [rows[0][name] for name in ("Title", "Name", "Outcome", "Reason")] == [
        "Notes",
        "iPad 1 (D1)",
        "Gets a license",
        "",
    ]
    assert {row["Reason"] for row in rows if row["Outcome"] == "Left out"} == {
        "The title does not run on this device's platform.",
        "This is not a serial number: letters and digits only, at most 32.",
    }


def test_plan_detail_costs_the_same_for_1_and_300_left_out(
    owner_client, notes, school, django_assert_max_num_queries
):
    for number in range(300):
        device(school, f"M{number:03d}", f"Mac {number}", platform="macOS")
    one = plan_for("grant", notes, serials=["M000"])
    many = plan_for("grant", notes, serials=[f"M{n:03d}" for n in range(300)])
    owner_client.get(page_of(one))

    with django_assert_max_num_queries(20) as of_one:
        owner_client.get(page_of(one))
    with django_assert_max_num_queries(20) as of_many:
        owner_client.get(page_of(many))

    assert len(of_one) == len(of_many)


# --- Confirming -------------------------------------------------------------------------------------


def test_confirming_begins_the_batch_and_leads_to_it(owner_client, owner, notes):
    plan = plan_for("grant", notes, serials=["S1", "S2"])

    first = owner_client.post(page_of(plan))
    again = owner_client.post(page_of(plan))
    page = owner_client.get(page_of(plan))

    batch = Batch.objects.get()
    batch_url = reverse("licensing:batch_detail", args=[plan.organization_id, batch.pk])
    assert (first.url, again.url) == (batch_url, batch_url)
    assert (batch.kind, batch.actor_name, batch.planned) == ("grant", owner.email, 2)
    assert "This plan was confirmed: see what has become of it" in text_of(page)
    assert "plan-confirm" not in page.content.decode()


def test_what_is_for_good_needs_a_second_yes(owner_client, north):
    book = {"product_type": "Book", "device_assignable": False, "revocable": False}
    atlas = title(north, "Atlas", **book)
    user = factories.VppUserFactory(account=north)
    plan = plan_for("grant", atlas, users=[user])

    page = owner_client.get(page_of(plan))
    without = owner_client.post(page_of(plan), follow=True)
    begun = Batch.objects.count()
    owner_client.post(page_of(plan), {"confirm_irrevocable": "1"})

    assert "I understand that 1 of these licenses is given for good" in text_of(page)
    assert "nobody can ever take" in text_of(without)
    assert (begun, Batch.objects.count()) == (0, 1)


def test_a_plan_that_got_worse_is_shown_anew_with_what_changed(owner_client, notes):
    plan = plan_for("grant", notes, serials=["S1", "S2", "S3"])
    LicensedApp.objects.filter(pk=notes.pk).update(available_count=1)
    back = url_of(notes)

    answer = owner_client.post(page_of(plan, back=back))
    page = owner_client.get(answer.url)

    assert not Batch.objects.exists()
    query = parse_qs(urlsplit(answer.url).query)
    assert query == {"instead_of": [str(plan.pk)], "back": [back]}
    text = text_of(page)
    assert "Meanwhile something changed" in text
    assert "3 → 1 get a license, 0 → 2 wait." in text
    assert confirm_button(page) == "Grant 1 license"


def test_a_plan_of_an_account_that_stopped_says_so_and_starts_nothing(owner_client, north, notes):
    plan = plan_for("grant", notes, serials=["S1"])
    north.state = "revoked"
    north.save()

    page = owner_client.get(page_of(plan))
    answer = owner_client.post(page_of(plan), follow=True)

    assert "North has a token that Apple has revoked." in text_of(page)
    assert confirm_button(page) is None
    assert "no license can be changed now" in text_of(answer)
    assert not Batch.objects.exists()


def test_cancel_leads_back_to_the_choice(owner_client, notes):
    plan = plan_for("grant", notes, serials=["S1"])
    back = f"{url_of(notes)}?holders=devices&chosen=old"

    page = owner_client.get(page_of(plan, back=back))

    expected = f"{url_of(notes)}?holders=devices&amp;chosen={plan.pk}"
    assert f'href="{expected}">Cancel</a>' in page.content.decode()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/accounts/logout/"])
def test_cancel_leads_nowhere_else(owner_client, notes, back):
    plan = plan_for("grant", notes, serials=["S1"])

    html = owner_client.get(page_of(plan, back=back)).content.decode()

    home = reverse("licensing:vpp", args=[notes.organization_id])
    assert f'href="{home}?account={notes.account_id}">Cancel</a>' in html


# --- Doors ------------------------------------------------------------------------------------------


def test_a_reader_sees_a_plan_and_cannot_confirm_it(reader_client, notes):
    plan = plan_for("grant", notes, serials=["S1"])

    page = reader_client.get(page_of(plan))
    answer = reader_client.post(page_of(plan))

    assert "You have read-only access" in text_of(page)
    assert confirm_button(page) is None
    assert (answer.status_code, Batch.objects.count()) == (403, 0)


def test_a_plan_is_not_found_by_strangers_nor_through_a_closed_account(
    owner_client, outsider_client, north, notes
):
    plan = plan_for("grant", notes, serials=["S1"])

    strange = [outsider_client.get(page_of(plan)), outsider_client.post(page_of(plan))]
    north.allowed_admins = "named"
    north.save()
    closed = [owner_client.get(page_of(plan)), owner_client.post(page_of(plan))]

    assert [answer.status_code for answer in (*strange, *closed)] == [404] * 4
    assert not Batch.objects.exists()


def test_a_plan_that_is_not_there_any_more_is_not_found(owner_client, notes):
    plan = plan_for("grant", notes, serials=["S1"])
    address = page_of(plan)
    BatchPlan.objects.all().delete()

    assert owner_client.get(address).status_code == 404


@pytest.mark.parametrize(
    "query", ["instead_of=x", "instead_of=9dedd5e7-bdcf-42a7-b684-3f3b5059a486", "format=csv"]
)
def test_any_address_of_a_plan_is_survived(owner_client, notes, query):
    plan = plan_for("grant", notes, serials=["S1"])

    assert owner_client.get(f"{page_of(plan)}?{query}").status_code == 200


# --- From the boxes to Apple and back -----------------------------------------------------------------


def test_from_the_boxes_to_apple_and_back(fake, account, organization, owner_client, school):
    fake.purchase(account.uid, KEYNOTE, quantity=5)
    keynote = synced(account)[KEYNOTE]
    chosen = [device(school, serial, serial).pk for serial in ("D1", "D2")]

    planned = owner_client.post(
        f"{url_of(keynote)}?holders=devices", {"kind": "grant", "holder": chosen}
    )
    owner_client.post(planned.url)
    drain(account, fake)
    granted = sorted(fake.location(account.uid).assets[(KEYNOTE, "STDQ")].holders("serial"))
    page = owner_client.get(f"{url_of(keynote)}?holders=devices&state=licensed")
    planned = owner_client.post(
        f"{url_of(keynote)}?holders=devices&state=licensed", {"kind": "revoke", "all": "1"}
    )
    owner_client.post(planned.url)
    drain(account, fake)

    assert granted == ["D1", "D2"]
    assert "2 devices" in text_of(page)
    assert not Assignment.objects.filter(account=account).exists()
    assert [batch.succeeded for batch in Batch.objects.order_by("pk")] == [2, 2]
