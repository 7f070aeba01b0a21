"""A title's tabs Users and Devices, and the page of one holder: who has what, since when, from whom."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from licensing.models import BatchPlan
from tests import factories
from tests.conftest import signed_in
from tests.reading import text_of, words
from tests.test_licensed_apps import csv_of, title, url_of


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
    return title(north, "Notes")


@pytest.fixture
def ada(organization):
    return factories.OwnerFactory(organization=organization, name="Ada", email="ada@example.org")


def device(network, serial, name="", **values):
    return factories.DeviceFactory(
        organization=network.organization,
        network=network,
        serial_number=serial,
        name=name or f"iPad {serial}",
        **values,
    )


def held(licensed_app, holder, **values):
    return factories.AssignmentFactory(licensed_app=licensed_app, holder=holder, **values)


def item(
    licensed_app, holder, state, *, kind="grant", by="admin@example.org", account=None, **values
):
    """Without a title it is about a person of the account."""
    account = account or licensed_app.account
    batch = factories.BatchFactory(account=account, kind=kind, actor_name=by)
    values |= {} if licensed_app else {"holder_kind": "user"}
    return factories.BatchItemFactory(
        batch=batch, licensed_app=licensed_app, holder=holder, state=state, **values
    )


def rows_of(response, list_id="list"):
    html = response.content.decode()
    html = html[html.index(f'id="{list_id}"') :]
    body = re.search(r"<tbody>(.*?)</tbody>", html, re.DOTALL)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body[1] if body else "", re.DOTALL)
    return [re.sub(r"today \d\d:\d\d", "today", words(row)) for row in rows]


def first_words(response, number=2):
    return [" ".join(row.split()[:number]) for row in rows_of(response)]


def users_url(licensed_app, query=""):
    return f"{url_of(licensed_app)}?holders=users{query}"


def holder_url(account, kind, holder):
    place = [account.organization_id, account.pk, kind, holder]
    return reverse("licensing:holder_detail", args=place)


def plan_of(response):
    """The plan that a selection led to."""
    assert response.status_code == 302, text_of(response)
    assert "/plans/" in response.url, response.url
    return BatchPlan.objects.get(pk=urlsplit(response.url).path.rstrip("/").rsplit("/", 1)[1])


# --- Devices ----------------------------------------------------------------------------------------


def test_devices_are_all_that_could_hold_a_license_and_strangers_that_do(
    owner_client, notes, school, ada
):
    device(school, "DMQ1", "Ada's iPad", owner=ada)
    device(school, "DMQ2", "Cart 2")
    device(school, None, "Own phone")
    held(notes, "DMQ1", origin="manual")
    held(notes, "XYZ9")

    rows = rows_of(owner_client.get(url_of(notes)))

    assert rows == [
        "Ada's iPad DMQ1 North School Ada Licensed today An admin",
        "Cart 2 DMQ2 North School — Not licensed — —",
        "Own phone none North School — Not licensed — —",
        "XYZ9 not in the inventory XYZ9 — — Licensed today Found at Apple",
    ]


def test_devices_show_what_is_under_way_and_what_failed(owner_client, notes, school):
    for serial in ("D1", "D2", "D3", "D4", "D5", "D6", "D7"):
        device(school, serial, f"iPad-{serial}")
    held(notes, "D3")
    held(notes, "D5")
    item(notes, "D1", "planned")
    item(notes, "D2", "waiting", by="Rule Grade 7")
    item(notes, "D3", "sent", kind="revoke")
    item(notes, "D4", "failed", message="Apple had no license left for it.")
    item(notes, "D5", "failed", kind="revoke", message="Apple had a problem of its own.")
    long_ago = timezone.now() - timedelta(days=8)
    item(notes, "D6", "failed", message="Long ago.", changed_at=long_ago)
    item(notes, "D7", "failed", message="First.")
    item(notes, "D7", "succeeded")

    rows = rows_of(owner_client.get(url_of(notes)))

    states = [re.sub(r" #\d+$", "", row).split("North School — ")[1] for row in rows]
    assert states == [
        "Pending today admin@example.org",
        "Waiting for a license today Rule Grade 7",
        "Revoking today admin@example.org",
        "Failed Apple had no license left for it. today admin@example.org",
        "Licensed Could not be revoked: Apple had a problem of its own. today Found at Apple",
        "Not licensed — —",
        "Not licensed — —",
    ]


def test_who_gave_a_license_is_named_with_the_batch(owner_client, organization, notes, school):
    device(school, "D1")
    batch = factories.BatchFactory(account=notes.account, actor_name="eve@example.org")
    held(notes, "D1", origin="manual", batch_id=batch.pk)

    response = owner_client.get(url_of(notes))

    assert rows_of(response)[0].endswith(f"Licensed today eve@example.org #{batch.pk}")
    batch_url = reverse("licensing:batch_detail", args=[organization.pk, batch.pk])
    assert f'href="{batch_url}"' in response.content.decode()


def test_a_grant_to_an_unknown_serial_number_is_listed_before_it_is_there(owner_client, notes):
    item(notes, "NEW1", "planned")

    rows = rows_of(owner_client.get(url_of(notes)))

    assert rows[0].startswith("NEW1 not in the inventory NEW1 — — Pending today")


@pytest.fixture
def fleet(notes, school, organization, ada):
    """Of every state one device; the owner of one of them holds a license of her own."""
    south = factories.NetworkFactory(organization=organization, name="South School")
    for serial in ("D1", "D2", "D3", "D4", "D5"):
        device(school, serial, owner=ada if serial == "D1" else None)
    device(south, "D6", "Mac mini", platform="macOS")
    device(south, None, "Own phone")
    held(notes, "D1", origin="manual")
    held(notes, "D2", origin="other_mdm")
    held(notes, "X9")
    held(notes, "X8")
    item(notes, "D2", "sent", kind="revoke")
    item(notes, "X8", "planned", kind="revoke")
    item(notes, "D3", "planned")
    item(notes, "D4", "waiting")
    item(notes, "D5", "failed", message="No.")
    user = factories.VppUserFactory(account=notes.account, owner=ada, email="ada@example.org")
    held(notes, user.client_user_id, holder_kind="user")
    return notes


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=licensed", ["D1", "X9"]),
        ("state=revoking", ["D2", "X8"]),
        ("state=pending", ["D3"]),
        ("state=waiting", ["D4"]),
        ("state=failed", ["D5"]),
        ("state=not-licensed", ["D6", "none"]),
        ("state=twice", ["D1"]),
        ("by=manual", ["D1"]),
        ("by=other_mdm", ["D2"]),
        ("by=apple", ["X8", "X9"]),
        ("platform=macOS", ["D6"]),
        ("q=mac", ["D6"]),
        ("q=ADA@", ["D1"]),
        ("q=x9", ["X9"]),
        ("q=own+phone", ["none"]),
        ("state=licensed&q=d", ["D1"]),
        ("state=licensed&by=apple", ["X9"]),
        ("sort=-serial_number", ["D6", "D5", "D4", "D3", "D2", "D1", "none", "X9", "X8"]),
        ("sort=name&platform=macOS", ["D6"]),
    ],
)
def test_devices_are_found(owner_client, fleet, query, expected):
    response = owner_client.get(f"{url_of(fleet)}?holders=devices&{query}&format=csv")

    assert [row["Serial number"] or "none" for row in csv_of(response)] == expected


def test_devices_of_one_network(owner_client, fleet, school):
    response = owner_client.get(f"{url_of(fleet)}?holders=devices&network={school.pk}")

    assert first_words(response) == ["iPad D1", "iPad D2", "iPad D3", "iPad D4", "iPad D5"]


@pytest.mark.parametrize("query", ["state=toy", "network=99999", "network=x", "by=%00", "after=a"])
def test_any_address_is_survived(owner_client, fleet, query):
    assert owner_client.get(f"{url_of(fleet)}?{query}").status_code == 200


def test_pages_go_through_the_inventory_and_then_the_strangers(owner_client, notes, school):
    for number in range(26):
        device(school, f"D{number:02d}", f"iPad-{number:02d}")
    for number in range(26):
        held(notes, f"X{number:02d}")
    address, seen = f"{url_of(notes)}?size=25&holders=devices", []

    while address:
        page = owner_client.get(address)
        seen += first_words(page, 1)
        found = re.search(r'id="list-next"[^>]*href="([^"]*)"', page.content.decode())
        address = found and url_of(notes) + found[1].replace("&amp;", "&")
    back = re.search(r'id="list-previous"[^>]*href="([^"]*)"', page.content.decode())[1]
    before = owner_client.get(url_of(notes) + back.replace("&amp;", "&"))

    assert seen == [f"iPad-{n:02d}" for n in range(26)] + [f"X{n:02d}" for n in range(26)]
    assert first_words(before, 1) == seen[25:50]
    assert "26 to 50 of 52 devices" in text_of(before)


def test_devices_cost_the_same_for_3_and_40(
    owner_client, notes, school, ada, django_assert_max_num_queries
):
    def stock(serials):
        for serial in serials:
            device(school, serial, owner=ada)
            held(notes, serial)
            item(notes, serial, "failed", kind="revoke")

    stock(["D1", "D2", "D3"])
    owner_client.get(url_of(notes))
    with django_assert_max_num_queries(34) as few:
        owner_client.get(url_of(notes))
    stock([f"E{number:02d}" for number in range(37)])

    with django_assert_max_num_queries(34) as many:
        response = owner_client.get(url_of(notes))

    assert (len(few), len(rows_of(response))) == (len(many), 40)


def test_network_admins_see_their_devices_by_name_only(organization, fleet, north):
    access = factories.NetworkAccessFactory(membership__organization=organization)
    north.allowed_admins = "networks"
    north.save()
    north.allowed_networks.add(access.network)
    device(access.network, "N1", "Own iPad")
    client = signed_in(access.membership.admin)

    response = client.get(url_of(fleet))

    assert rows_of(response)[0].startswith("Own iPad N1")
    assert all("not in your networks" in row for row in rows_of(response)[1:])
    assert "Mac mini" not in text_of(response)


# --- Users ------------------------------------------------------------------------------------------


@pytest.fixture
def people(notes, ada):
    north = notes.account
    user = factories.VppUserFactory(account=north, owner=ada, email="ada@example.org")
    new = factories.VppUserFactory(account=north, email="bob@example.org", apple_status="")
    gone = factories.VppUserFactory(account=north, email="cy@example.org", apple_status="Retired")
    held(notes, user.client_user_id, holder_kind="user", origin="rule")
    held(notes, "stranger", holder_kind="user")
    item(notes, new.client_user_id, "waiting", holder_kind="user")
    return {"ada": user, "bob": new, "cy": gone}


def test_users_are_all_of_the_account_and_strangers(owner_client, notes, people):
    rows = rows_of(owner_client.get(users_url(notes)))

    assert [re.sub(r" #\d+$", "", row) for row in rows] == [
        "ada@example.org Ada Associated Licensed today A rule",
        "bob@example.org — New Waiting for a license today admin@example.org",
        "cy@example.org — Retired Not licensed — —",
        "stranger not in the inventory — — Licensed today Found at Apple",
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=New", ["bob@example.org"]),
        ("status=Retired", ["cy@example.org"]),
        ("status=Associated&state=licensed", ["ada@example.org"]),
        ("state=licensed", ["ada@example.org", "stranger"]),
        ("state=not-licensed", ["cy@example.org"]),
        ("by=rule", ["ada@example.org"]),
        ("q=ADA", ["ada@example.org"]),
        ("q=stran", ["stranger"]),
        ("sort=-email", ["cy@example.org", "bob@example.org", "ada@example.org", "stranger"]),
    ],
)
def test_users_are_found(owner_client, notes, people, query, expected):
    assert first_words(owner_client.get(users_url(notes, f"&{query}")), 1) == expected


def test_a_book_has_users_only_and_nothing_to_take_back(owner_client, north):
    atlas = title(north, "Atlas", product_type="Book", device_assignable=False, revocable=False)
    user = factories.VppUserFactory(account=north)
    held(atlas, user.client_user_id, holder_kind="user")

    page = owner_client.get(f"{url_of(atlas)}?holders=devices")

    html = page.content.decode()
    assert "Devices" not in html[html.index('aria-label="Holders"') :].split("</nav>")[0]
    assert "+ Grant license to user(s)" in text_of(page)
    assert "Revoke" not in text_of(page)


def test_a_license_of_device_and_owner_is_pointed_out_and_can_be_freed(owner_client, notes, fleet):
    page = owner_client.get(f"{url_of(notes)}?holders=devices")
    ids = re.search(r'name="selected" value="(\d+)"', page.content.decode())[1]

    answer = owner_client.post(users_url(notes), {"kind": "revoke", "selected": ids})

    assert "Licensed Its owner holds one too." in rows_of(page)[0]
    assert "On this page 1 person holds a license although a device of theirs" in text_of(page)
    plan = plan_of(answer)
    assert (plan.kind, plan.request["users"], plan.summary["go"]) == ("revoke", [int(ids)], 1)


# --- Choosing ---------------------------------------------------------------------------------------


def test_chosen_devices_become_a_plan(owner_client, notes, school):
    chosen = [device(school, serial).pk for serial in ("D1", "D2")]
    elsewhere = device(school, "D3").pk
    phone = device(school, None, "Own phone").pk
    held(notes, "X9")

    answer = owner_client.post(
        f"{url_of(notes)}?holders=devices&state=not-licensed",
        {"kind": "grant", "holder": [*chosen, phone], "selected": f"{elsewhere} ~X9"},
    )

    request = plan_of(answer).request
    assert request["kind"] == "grant"
    assert request["titles"] == [notes.pk]
    assert sorted(request["serials"]) == ["D1", "D2", "D3", "X9"]
    assert request["unserialed"] == ["Own phone"]
    back = parse_qs(urlsplit(answer.url).query)["back"][0]
    assert back == f"{url_of(notes)}?holders=devices&state=not-licensed"


def test_all_that_match_are_those_of_the_filter_on_all_pages(owner_client, notes, school):
    for number in range(30):
        device(school, f"D{number:02d}", platform="macOS" if number % 3 else "iPadOS")

    answer = owner_client.post(
        f"{url_of(notes)}?holders=devices&platform=macOS&size=25",
        {"kind": "grant", "all": "1", "holder": "1"},
    )

    serials = plan_of(answer).request["serials"]
    assert serials == [f"D{number:02d}" for number in range(30) if number % 3]


def test_all_users_that_match(owner_client, notes, people):
    answer = owner_client.post(users_url(notes, "&state=licensed"), {"kind": "revoke", "all": "1"})

    assert plan_of(answer).request["users"] == [people["ada"].pk]


def test_who_is_foreign_in_a_choice_is_nobody(owner_client, notes, school):
    mine = device(school, "D1").pk
    theirs = factories.DeviceFactory(serial_number="THEIRS")
    ids = [mine, theirs.pk, "~THEIRS", "~D1", "x", "-1", "9" * 40, ""]

    answer = owner_client.post(
        f"{url_of(notes)}?holders=devices", {"kind": "grant", "holder": ids, "selected": "\x00"}
    )

    assert plan_of(answer).request["serials"] == ["D1"]


def test_people_of_another_account_are_nobody(owner_client, organization, notes, people):
    other = factories.VppAccountFactory(organization=organization)
    foreign = factories.VppUserFactory(account=other)

    answer = owner_client.post(
        users_url(notes), {"kind": "grant", "holder": [foreign.pk, people["bob"].pk]}
    )

    assert plan_of(answer).request["users"] == [people["bob"].pk]


def test_nothing_chosen_is_said_where_one_chose(owner_client, notes, school):
    device(school, "D1")

    answer = owner_client.post(
        f"{url_of(notes)}?holders=devices", {"kind": "grant", "holder": "0"}, follow=True
    )

    assert answer.redirect_chain == [(f"{url_of(notes)}?holders=devices", 302)]
    assert "Choose at least one device: tick the boxes, or all that match." in text_of(answer)
    assert not BatchPlan.objects.exists()


@pytest.mark.parametrize("kind", ["", "steal", "retire"])
def test_an_unknown_wish_is_refused(owner_client, notes, school, kind):
    chosen = device(school, "D1").pk

    answer = owner_client.post(url_of(notes), {"kind": kind, "holder": chosen}, follow=True)

    assert "Say whether to grant or revoke." in text_of(answer)


def test_a_hundred_thousand_ids_are_taken(owner_client, notes, school):
    mine = device(school, "D1").pk
    ids = " ".join(str(mine + number) for number in range(100_000))

    answer = owner_client.post(
        f"{url_of(notes)}?holders=devices", {"kind": "grant", "selected": ids}
    )

    assert plan_of(answer).request["serials"] == ["D1"]


def test_more_boxes_than_a_page_has_are_refused(owner_client, notes):
    answer = owner_client.post(url_of(notes), {"kind": "grant", "holder": list(range(2000))})

    assert answer.status_code == 400


def test_coming_back_from_a_plan_finds_the_same_boxes_ticked(owner_client, notes, school):
    chosen = device(school, "D1").pk
    other = device(school, "D2").pk
    plan = plan_of(owner_client.post(url_of(notes), {"kind": "grant", "holder": chosen}))

    html = owner_client.get(f"{url_of(notes)}?chosen={plan.pk}").content.decode()
    ticked = re.findall(r'<input class="form-check-input"[^>]*value="(\d+)"[^>]*?checked', html)

    assert ticked == [str(chosen)]
    assert str(other) in re.findall(r'name="holder"\s+value="(\d+)"', html)


# --- Who may not, and what cannot be done -------------------------------------------------------------


def obstacles(response):
    html = response.content.decode()
    bar = html[html.index('id="selection"') :].split("</form>")[0]
    return re.findall(r'aria-disabled="true"\s+title="([^"]*)"', bar)


def test_a_reader_sees_who_holds_it_and_why_the_buttons_are_disabled(reader_client, fleet):
    page = reader_client.get(url_of(fleet))

    reason = "You have read-only access; a full admin of the organization can do it."
    assert obstacles(page) == [reason, reason]
    assert len(rows_of(page)) == 9
    assert "Free the user" not in text_of(page)


def test_a_reader_cannot_plan(reader_client, notes, school):
    chosen = device(school, "D1").pk

    answer = reader_client.post(url_of(notes), {"kind": "grant", "holder": chosen})

    assert (answer.status_code, BatchPlan.objects.count()) == (403, 0)


def test_an_outsider_finds_neither_page_nor_plan(outsider_client, notes, school):
    chosen = device(school, "D1").pk

    looked = outsider_client.get(url_of(notes))
    planned = outsider_client.post(url_of(notes), {"kind": "grant", "holder": chosen})

    assert (looked.status_code, planned.status_code) == (404, 404)


def test_an_account_closed_to_the_admin_is_not_found(owner_client, notes, north, people):
    north.allowed_admins = "named"
    north.save()
    ada = people["ada"].client_user_id

    urls = [url_of(notes), holder_url(north, "user", ada)]

    assert [owner_client.get(url).status_code for url in urls] == [404, 404]
    assert [owner_client.post(url, {"kind": "grant"}).status_code for url in urls] == [404, 404]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("expired", "North has an expired token."),
        ("claimed", "North is in use by another MDM"),
        ("read_only", "North is read-only at Apple"),
    ],
)
def test_an_account_that_apple_does_not_serve_disables_and_refuses(
    owner_client, notes, north, school, state, expected
):
    chosen = device(school, "D1").pk
    north.state = state
    north.save()

    page = owner_client.get(f"{url_of(notes)}?holders=devices")
    answer = owner_client.post(
        f"{url_of(notes)}?holders=devices", {"kind": "grant", "holder": chosen}, follow=True
    )

    assert all(expected in reason for reason in obstacles(page))
    assert expected in text_of(answer)
    assert not BatchPlan.objects.exists()


def test_a_title_for_people_only_disables_the_grant_to_devices(owner_client, north, school):
    chosen = device(school, "D1").pk
    tables = title(north, "Tables", device_assignable=False)
    address = f"{url_of(tables)}?holders=devices"

    page = owner_client.get(address)
    answer = owner_client.post(address, {"kind": "grant", "holder": chosen}, follow=True)

    assert [reason[:31] for reason in obstacles(page)] == ["The developer of this title has"]
    assert "grant it to people instead" in text_of(answer)


def test_a_title_that_is_gone_can_be_neither_granted_nor_revoked(owner_client, north, school):
    device(school, "D1")
    gone = title(north, "Gone", gone_at=timezone.now())

    page = owner_client.get(f"{url_of(gone)}?holders=devices")

    assert obstacles(page) == ["Apple no longer lists this title in North."] * 2


def test_counts_say_what_is_pending(owner_client, notes):
    for serial in ("A", "B", "C"):
        item(notes, serial, "planned")
    item(notes, "D", "sent", kind="revoke")
    item(notes, "E", "waiting")

    text = text_of(owner_client.get(url_of(notes)))

    assert "Pending \N{MINUS SIGN}3: being given out, not yet in Apple's numbers." in text
    assert "Pending +1: being taken back." in text


# --- One holder -------------------------------------------------------------------------------------


def test_holder_detail_shows_a_device_with_all_it_has(
    owner_client, organization, north, notes, school, ada
):
    south = factories.VppAccountFactory(organization=organization, name="South")
    device(school, "D1", "Ada's iPad", owner=ada, model="iPad Air")
    held(notes, "D1", origin="manual")
    held(title(south, "Maps"), "D1")
    tables = title(north, "Tables")
    item(tables, "D1", "waiting")
    item(title(north, "Draw"), "D1", "failed", message="Apple had no license left for it.")

    page = owner_client.get(holder_url(north, "device", "D1"))

    text = text_of(page)
    assert "Serial number D1 Network North School Owner Ada Platform iPadOS Model iPad Air" in text
    assert rows_of(page) == ["Notes Licensed today An admin"]
    assert "1 license in South" in text
    assert "Grant Tables Waiting for a license admin@example.org" in text
    assert "Grant Draw Failed Apple had no license left for it. admin@example.org" in text


def test_holder_detail_shows_a_person(owner_client, north, notes, people):
    page = owner_client.get(holder_url(north, "user", people["ada"].client_user_id))

    assert "Associated Has accepted: licenses arrive at their devices." in text_of(page)
    assert "Email ada@example.org" in text_of(page)
    assert rows_of(page) == ["Notes Licensed today A rule"]


def test_holder_detail_of_an_unknown_serial_number_still_takes_back(owner_client, north, notes):
    held(notes, "X9")
    address = holder_url(north, "device", "X9")

    page = owner_client.get(address)
    answer = owner_client.post(address, {"kind": "revoke", "title": notes.pk})

    assert "In no inventory." in text_of(page)
    assert plan_of(answer).summary["go"] == 1


def test_holder_detail_takes_everything_back(owner_client, north, notes, school):
    device(school, "D1")
    tables = title(north, "Tables")
    held(notes, "D1")
    held(tables, "D1")
    item(title(north, "Draw"), "D1", "waiting")

    answer = owner_client.post(
        holder_url(north, "device", "D1"), {"kind": "revoke", "everything": "1"}
    )

    plan = plan_of(answer)
    assert (plan.request["everything"], plan.request["serials"]) == (True, ["D1"])
    assert (plan.summary["go"], plan.summary["unwait"]) == (2, 1)


def test_holder_detail_grants_another_title(owner_client, north, notes, school):
    device(school, "D1", platform="macOS")
    held(notes, "D1")
    title(north, "iPad only", platforms=["iOS"])
    title(north, "People only", platforms=["macOS"], device_assignable=False)
    tables = title(north, "Tables", platforms=["macOS"])
    address = holder_url(north, "device", "D1")

    page = owner_client.get(address)
    answer = owner_client.post(address, {"kind": "grant", "title": tables.pk})

    offered = re.findall(r'<option value="(\d+)"', page.content.decode())
    assert offered == [str(tables.pk)]
    assert plan_of(answer).request["titles"] == [tables.pk]


def test_holder_detail_takes_titles_of_its_account_only(owner_client, organization, north, notes):
    held(notes, "X9")
    foreign = factories.LicensedAppFactory()

    answer = owner_client.post(
        holder_url(north, "device", "X9"), {"kind": "revoke", "title": foreign.pk}, follow=True
    )

    assert "Choose at least one title." in text_of(answer)
    assert not BatchPlan.objects.exists()


def test_holder_detail_of_an_unknown_person_says_that_no_batch_reaches_them(
    owner_client, north, notes, people
):
    address = holder_url(north, "user", "stranger")

    page = owner_client.get(address)
    answer = owner_client.post(address, {"kind": "revoke", "everything": "1"}, follow=True)

    reason = "Apple's list of users does not have this person"
    assert reason in text_of(page)
    assert reason in text_of(answer)
    assert not BatchPlan.objects.exists()


@pytest.mark.parametrize("end", ["device/NOBODY/", "user/NOBODY/", "toy/X9/"])
def test_holder_detail_of_nobody_is_not_found(owner_client, organization, north, notes, end):
    held(notes, "X9")
    start = reverse("licensing:vpp", args=[organization.pk])

    assert owner_client.get(f"{start}{north.pk}/holders/{end}").status_code == 404


def test_holder_detail_for_a_reader_is_to_be_read(reader_client, north, notes):
    held(notes, "X9")
    address = holder_url(north, "device", "X9")

    page = reader_client.get(address)
    answer = reader_client.post(address, {"kind": "revoke", "everything": "1"})

    assert "You have read-only access" in text_of(page)
    assert rows_of(page) == ["Notes Licensed today Found at Apple"]
    assert (answer.status_code, BatchPlan.objects.count()) == (403, 0)


def test_holder_detail_costs_the_same_for_1_and_20_titles(
    owner_client, north, notes, school, django_assert_max_num_queries
):
    device(school, "D1")
    held(notes, "D1")
    item(notes, "D1", "succeeded")
    address = holder_url(north, "device", "D1")
    owner_client.get(address)
    with django_assert_max_num_queries(28) as one:
        owner_client.get(address)
    for number in range(19):
        other = title(north, f"Title {number}")
        held(other, "D1")
        item(other, "D1", "succeeded")

    with django_assert_max_num_queries(28) as twenty:
        page = owner_client.get(address)

    assert (len(one), len(rows_of(page))) == (len(twenty), 20)
