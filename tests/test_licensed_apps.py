"""Systems Manager > Manage > VPP: the list of titles, a title's page, the activity of accounts."""

import csv
import io
import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from licensing.charts import chart_of, scale
from licensing.models.apps import UNLIMITED
from organizations.models import Organization
from tests import factories
from tests.reading import text_of, words
from vpp_accounts.models import SyncRun


@pytest.fixture
def north(organization):
    return factories.VppAccountFactory(
        organization=organization,
        name="North",
        location_name="North Campus",
        state="in_sync",
        last_synced_at=timezone.now(),
    )


@pytest.fixture
def south(organization):
    return factories.VppAccountFactory(
        organization=organization, name="South", state="in_sync", last_synced_at=timezone.now()
    )


def title(account, name="Notes", **values):
    app = {key[5:]: values.pop(key) for key in list(values) if key.startswith("app__")}
    app.setdefault("adam_id", f"9{abs(hash(name)) % 10**8:08d}")
    return factories.LicensedAppFactory(
        account=account, app=factories.AppFactory(name=name, **app), **values
    )


def same_title(other, account, **values):
    return factories.LicensedAppFactory(account=account, app=other.app, **values)


def list_url(organization, **query):
    url = reverse("licensing:licensed_app_list", args=[organization.pk])
    return f"{url}?{'&'.join(f'{k}={v}' for k, v in query.items())}"


def url_of(licensed_app):
    return reverse(
        "licensing:licensed_app_detail",
        args=[
            licensed_app.organization_id,
            licensed_app.account_id,
            licensed_app.adam_id,
            licensed_app.pricing_param,
        ],
    )


def names_in(response):
    return re.findall(
        r'<th scope="row">.*?<a [^>]*>\s*(.*?)\s*</a>', response.content.decode(), re.DOTALL
    )


def row_of(response, name):
    html = response.content.decode()
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    row = next(row for row in rows if f">{name}</a>" in row)
    return words(row)


def csv_of(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


# --- The list ---------------------------------------------------------------------------------------


def test_licensed_app_list_shows_the_titles_of_an_account(owner_client, organization, north):
    title(
        north,
        "Notes",
        total_count=40,
        assigned_count=40,
        available_count=0,
        platforms=["macOS", "iOS"],
        app__price=4.99,
        app__price_text="$4.99",
    )
    title(north, "Tables", device_assignable=False, app__price=0)

    response = owner_client.get(list_url(organization, account=north.pk))

    assert names_in(response) == ["Notes", "Tables"]
    assert row_of(response, "Notes") == ("Notes App iOS, macOS Paid $4.99 40 40 0, none left Y")
    assert row_of(response, "Tables") == "Tables App iOS Free 10 4 6 N"


def test_licensed_app_list_keeps_unlimited_out_of_all_arithmetic(owner_client, organization, north):
    title(north, "Pages", total_count=UNLIMITED, available_count=UNLIMITED - 7, assigned_count=7)
    title(north, "Notes", total_count=10, assigned_count=4, available_count=6)

    response = owner_client.get(list_url(organization))

    assert row_of(response, "Pages") == "Pages App iOS — unlimited 7 unlimited Y"
    assert "Total 10 and 1 unlimited title" in text_of(response)
    assert "2,147" not in text_of(response)


def test_licensed_app_list_sums_a_title_over_all_accounts(owner_client, organization, north, south):
    notes = title(north, "Notes", total_count=10, assigned_count=4, available_count=6)
    same_title(notes, south, total_count=1500, assigned_count=1000, available_count=500)

    response = owner_client.get(list_url(organization, account="all"))

    assert names_in(response) == ["Notes"]
    row = row_of(response, "Notes")
    assert row.startswith(
        "Notes in 2 accounts North 4 of 10 assigned, 6 available"
        " South 1,000 of 1,500 assigned, 500 available"
    )
    assert "1,510 1,004 506 Y" in row


def test_licensed_app_list_keeps_unlimited_where_one_account_is(
    owner_client, organization, north, south
):
    notes = title(north, "Notes", total_count=10, assigned_count=4, available_count=6)
    same_title(notes, south, total_count=UNLIMITED, assigned_count=5, available_count=UNLIMITED)

    response = owner_client.get(list_url(organization, account="all"))

    assert "5 of unlimited" in row_of(response, "Notes")
    assert row_of(response, "Notes").endswith("unlimited 9 unlimited Y")


def test_licensed_app_list_sets_books_apart_and_says_what_they_are(
    owner_client, organization, north
):
    book = {"product_type": "Book", "device_assignable": False, "revocable": False}
    atlas = title(north, "Atlas", **book, app__price=9, app__price_text="$9.00")
    same_title(atlas, north, pricing_param="PLUS", **book)
    title(north, "Zoo app")

    response = owner_client.get(list_url(organization))

    assert names_in(response) == ["Zoo app", "Atlas", "Atlas"]
    assert "Books for people only" in text_of(response)
    assert row_of(response, "Atlas") == (
        "Atlas Book iOS Paid $9.00 High quality 10 4 6 N Irrevocable"
    )
    assert "Standard quality" in text_of(response)


def test_licensed_app_list_lists_a_title_that_the_store_does_not_know(
    owner_client, organization, north
):
    title(
        north,
        "",
        app__adam_id="123456789",
        app__country="DE",
        app__is_custom=True,
        app__metadata_asked_at=timezone.now(),
    )

    response = owner_client.get(list_url(organization))

    assert row_of(response, "Adam ID 123456789").startswith(
        "Adam ID 123456789 name not known to the store in DE Custom app iOS —"
    )


def test_licensed_app_list_leaves_out_what_apple_no_longer_lists(owner_client, organization, north):
    title(north, "Gone", gone_at=timezone.now())
    title(north, "Here")

    response = owner_client.get(list_url(organization))

    assert names_in(response) == ["Here"]


# --- Filters, search, order -------------------------------------------------------------------------


@pytest.fixture
def catalogue(north):
    title(north, "Atlas", product_type="Book", device_assignable=False, platforms=["iOS"])
    title(north, "Builder", platforms=["macOS"], app__bundle_id="org.example.builder")
    title(north, "Custom", app__is_custom=True, assigned_count=0)
    title(north, "Drained", available_count=0, assigned_count=10, app__adam_id="555000111")
    title(north, "Endless", total_count=UNLIMITED, available_count=0, assigned_count=3)
    title(north, "Given back", total_count=0, available_count=0, assigned_count=0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"kind": "book"}, ["Atlas"]),
        ({"kind": "custom"}, ["Custom"]),
        ({"kind": "app"}, ["Builder", "Drained", "Endless", "Given back"]),
        ({"platform": "macOS"}, ["Builder"]),
        ({"device_assignable": "N"}, ["Atlas"]),
        ({"licenses": "none-left"}, ["Drained"]),
        ({"licenses": "unused"}, ["Custom"]),
        ({"q": "ATLAS"}, ["Atlas"]),
        ({"q": "555000"}, ["Drained"]),
        ({"q": "example.builder"}, ["Builder"]),
        ({"q": "builder", "kind": "book"}, []),
        ({"sort": "-name", "kind": "app"}, ["Given back", "Endless", "Drained", "Builder"]),
        ({"sort": "-available", "kind": "app"}, ["Endless", "Builder", "Given back", "Drained"]),
        ({"sort": "assigned", "kind": "app"}, ["Given back", "Endless", "Builder", "Drained"]),
    ],
)
def test_licensed_app_list_finds(owner_client, organization, catalogue, query, expected):
    response = owner_client.get(list_url(organization, **query))

    found = names_in(response)
    if "available" in query.get("sort", ""):
        assert found[:2] == expected[:2]
        expected, found = sorted(expected), sorted(found)
    assert found == expected


@pytest.mark.parametrize(
    "query", ["q=%00", "kind=toy", "sort=secret", "size=1e9", "after=nonsense"]
)
def test_licensed_app_list_survives_any_address(owner_client, organization, catalogue, query):
    response = owner_client.get(f"{list_url(organization)}{query}")

    assert response.status_code == 200


def test_licensed_app_list_says_that_nothing_matches_and_how_to_see_all(
    owner_client, organization, catalogue
):
    response = owner_client.get(list_url(organization, q="no such title", sort="-name"))

    assert "No title matches these filters" in text_of(response)
    assert 'href="?sort=-name"' in response.content.decode()


def test_licensed_app_list_says_where_else_a_title_is(owner_client, organization, north, south):
    title(north, "Notes")
    title(south, "Tables", total_count=12)

    response = owner_client.get(list_url(organization, account=north.pk, q="tables"))

    assert "Not in North. 12 licenses are in South: show" in text_of(response)
    assert f'href="?account={south.pk}&amp;q=tables"' in response.content.decode()


def test_licensed_app_list_does_not_betray_accounts_that_are_closed_to_the_admin(
    owner_client, organization, north, south
):
    title(north, "Notes")
    title(south, "Tables")
    south.allowed_admins = "named"
    south.save()

    texts = [
        text_of(owner_client.get(list_url(organization, **query)))
        for query in ({}, {"account": south.pk}, {"account": north.pk, "q": "tables"})
    ]

    assert all("South" not in text and "Tables" not in text for text in texts)


# --- Pages, sizes, CSV ------------------------------------------------------------------------------


def test_licensed_app_list_pages_through_apps_and_books(owner_client, organization, north):
    for number in range(30):
        title(
            north,
            f"Title {number:02d}",
            app__adam_id=f"1000{number:02d}",
            product_type="Book" if number < 3 else "App",
        )

    first = owner_client.get(list_url(organization, size=25))
    next_url = re.search(r'id="list-next"[^>]*href="([^"]*)"', first.content.decode())[1]
    second = owner_client.get(list_url(organization).rstrip("?") + next_url.replace("&amp;", "&"))

    assert "1 to 25 of 30 titles" in text_of(first)
    assert "26 to 30 of 30 titles" in text_of(second)
    assert names_in(first) == [f"Title {number:02d}" for number in range(3, 28)]
    assert names_in(second) == [f"Title {number:02d}" for number in (28, 29, 0, 1, 2)]


def test_licensed_app_list_csv_has_every_column(owner_client, organization, catalogue):
    response = owner_client.get(list_url(organization, format="csv", q="e", sort="name"))

    rows = csv_of(response)
    assert [row["Name"] for row in rows] == ["Builder", "Drained", "Endless", "Given back"]
    assert (rows[2]["Total"], rows[2]["Available"], rows[2]["VPP accounts"]) == (
        "unlimited",
        "unlimited",
        "North",
    )
    assert response["Content-Disposition"].startswith(
        'attachment; filename="licensed-applications-'
    )


def test_licensed_app_list_costs_the_same_for_1_and_30_titles(
    owner_client, organization, north, django_assert_max_num_queries
):
    title(north, "Notes")
    owner_client.get(list_url(organization))
    with django_assert_max_num_queries(14) as one:
        owner_client.get(list_url(organization))
    for number in range(30):
        title(north, f"Title {number}", app__adam_id=f"2000{number}")

    with django_assert_max_num_queries(14) as thirty:
        response = owner_client.get(list_url(organization))

    assert len(one) == len(thirty)
    assert len(names_in(response)) == 31


def test_licensed_app_list_answers_htmx_with_the_list_alone(owner_client, organization, catalogue):
    url = list_url(organization, q="atlas")
    headers = {"HX-Request": "true", "HX-Target": "list"}

    part = owner_client.get(url, headers=headers)
    page = owner_client.get(url)

    assert "<html" not in part.content.decode()
    assert names_in(part) == names_in(page) == ["Atlas"]
    assert "HX-Request" in part["Vary"]


@pytest.mark.parametrize(("shown_before", "pushed"), [("?q=", True), ("?q=atlas", False)])
def test_licensed_app_list_puts_a_clean_address_into_the_browser(
    owner_client, organization, catalogue, shown_before, pushed
):
    here = reverse("licensing:licensed_app_list", args=[organization.pk])
    headers = {
        "HX-Request": "true",
        "HX-Target": "list",
        "HX-Current-URL": f"http://testserver{here}{shown_before}",
    }

    part = owner_client.get(f"{here}?q=atlas&kind=&licenses=", headers=headers)

    assert part.get("HX-Push-Url") == (f"{here}?q=atlas" if pushed else None)


# --- Freshness and empty states ---------------------------------------------------------------------


def test_licensed_app_list_offers_a_sync_to_those_who_may(owner_client, organization, north):
    html = owner_client.get(list_url(organization)).content.decode()

    assert f'action="{reverse("licensing:account_sync", args=[organization.pk, north.pk])}"' in html
    assert "disabled" not in html[html.index('id="sync"') : html.index("Sync now")]


def test_licensed_app_list_tells_readers_why_they_cannot_sync(reader_client, organization, north):
    html = reader_client.get(list_url(organization)).content.decode()

    assert (
        'disabled title="You have read-only access; a full admin of the organization can do it."'
        in html
    )


def test_licensed_app_list_tells_what_stops_a_sync(owner_client, organization, north):
    north.state = "expired"
    north.save()

    html = owner_client.get(list_url(organization)).content.decode()

    assert 'disabled title="Expired. Download the token' in html


def test_licensed_app_list_shows_how_far_a_sync_is_and_reloads_at_its_end(
    owner_client, organization, north
):
    run = factories.SyncRunFactory(account=north, phase="assignments", done=500, total=2000)
    page = owner_client.get(list_url(organization)).content.decode()
    poll = re.search(r'id="sync"[^>]*hx-get="([^"]*)"', page)[1].replace("&amp;", "&")

    during = owner_client.get(poll)
    SyncRun.objects.filter(pk=run.pk).update(finished_at=timezone.now(), outcome="succeeded")
    afterwards = owner_client.get(poll)

    assert "Reading assignments, page 500 of 2,000" in text_of(during)
    assert "HX-Trigger" not in during
    assert afterwards["HX-Trigger"] == "licenses-changed"
    assert "hx-get" not in afterwards.content.decode()


def test_licensed_app_list_without_an_account_leads_to_mdm(owner_client, organization):
    text = text_of(owner_client.get(list_url(organization)))

    assert "No VPP account yet" in text


def test_licensed_app_list_with_closed_accounts_only_says_who_can_help(
    owner_client, organization, north
):
    north.allowed_admins = "named"
    north.save()

    assert "No account is open to you" in text_of(owner_client.get(list_url(organization)))


@pytest.mark.parametrize(
    ("is_running", "expected"),
    [(True, "The first sync is running"), (False, "Nothing has been read from Apple yet")],
)
def test_licensed_app_list_before_the_first_sync(
    owner_client, organization, north, is_running, expected
):
    north.last_synced_at = None
    north.state = "not_verified"
    north.save()
    if is_running:
        factories.SyncRunFactory(account=north)

    assert expected in text_of(owner_client.get(list_url(organization)))


def test_licensed_app_list_of_an_empty_location_names_it_and_says_how_to_transfer(
    owner_client, organization, north
):
    text = text_of(owner_client.get(list_url(organization)))

    assert "No licenses in the location North Campus yet" in text
    assert "Apple knows North as the location North Campus of Example Schools" in text
    assert "then Transfer" in text


# --- A title's page ---------------------------------------------------------------------------------


def test_licensed_app_detail_shows_counts_flags_and_other_accounts(
    owner_client, organization, north, south
):
    notes = title(
        north,
        "Notes",
        retired_count=2,
        app__seller="Example Ltd",
        app__minimum_os="17.0",
        app__store_url="https://apps.example/notes",
    )
    same_title(notes, south, total_count=77)

    text = text_of(owner_client.get(url_of(notes)))

    assert "App by Example Ltd in North, location North Campus" in text
    assert "Total 10 Assigned 4 40 % of the total Available 6 Retired 2" in text
    assert "Device-assignable: Y. A license can be given to a serial number" in text
    assert "South 77 4 6" in text


def test_licensed_app_detail_explains_an_irrevocable_book(owner_client, north):
    atlas = title(north, "Atlas", product_type="Book", device_assignable=False, revocable=False)

    text = text_of(owner_client.get(url_of(atlas)))

    assert "Books are given to people, never to devices" in text
    assert "Irrevocable. A license that was given stays with that person for good" in text
    assert "Revoke" not in text


def test_licensed_app_detail_draws_the_history(owner_client, organization, north):
    notes = title(north, "Notes")
    today = timezone.now().date()
    for days, assigned in ((0, 9), (1, 4)):
        factories.LicenseCountFactory(
            licensed_app=notes, day=today - timedelta(days=days), assigned_count=assigned
        )

    html = owner_client.get(url_of(notes)).content.decode()

    assert '<polyline class="chart-line chart-assigned" points="56,' in html
    assert f"9 of 10 assigned on {today.day} {today:%b %Y}; 4 on" in html
    assert "style=" not in html[html.index("<main") :]


def test_licensed_app_detail_of_a_title_that_has_gone_says_so(owner_client, north):
    notes = title(north, "Notes", gone_at=timezone.now())

    assert "Apple no longer lists this title in North" in text_of(owner_client.get(url_of(notes)))


@pytest.mark.parametrize("end", ["0/STDQ/", "%00/STDQ/", "123/%00/"])
def test_licensed_app_detail_of_nothing_is_not_found(owner_client, organization, north, end):
    start = reverse("licensing:vpp", args=[organization.pk])

    assert owner_client.get(f"{start}{north.pk}/apps/{end}").status_code == 404


# --- Doors ------------------------------------------------------------------------------------------


def test_strangers_find_nothing_of_all_this(outsider_client, client, organization, north):
    urls = [
        url_of(title(north)),
        *(
            reverse(f"licensing:{name}", args=[organization.pk])
            for name in ("vpp", "licensed_app_list", "licensed_app_sync", "vpp_activity")
        ),
    ]

    assert [outsider_client.get(url).status_code for url in urls] == [404] * 5
    assert [client.get(url).status_code for url in urls] == [302] * 5


def test_a_title_cannot_be_borrowed_through_another_organization(
    outsider_client, organization, north
):
    elsewhere = Organization.objects.exclude(pk=organization.pk).get()
    url = url_of(title(north)).replace(f"/{organization.pk}/", f"/{elsewhere.pk}/", 1)

    assert outsider_client.get(url).status_code == 404


def test_a_title_of_a_closed_account_is_not_found(owner_client, north):
    notes = title(north)
    north.allowed_admins = "named"
    north.save()

    assert owner_client.get(url_of(notes)).status_code == 404


def test_vpp_leads_to_its_first_tab_with_the_account(owner_client, organization):
    response = owner_client.get(reverse("licensing:vpp", args=[organization.pk]) + "?account=7")

    assert response.url == list_url(organization, account=7)


# --- Charts -----------------------------------------------------------------------------------------


def day_count(day, total, assigned):
    return factories.LicenseCountFactory.build(
        licensed_app=None, organization=None, day=day, total_count=total, assigned_count=assigned
    )


def test_a_chart_is_drawn_to_scale():
    days = [day_count(date(2026, 11, day), 10, day) for day in (1, 2, 5)]

    chart = chart_of(days)

    assert (chart.assigned, chart.total) == (
        "56,159.2 220,142.4 712,92",
        "56,8 220,8 712,8",
    )
    assert [(row.label, row.y) for row in chart.rows] == [
        ("0", "176"),
        ("5", "92"),
        ("10", "8"),
    ]
    assert [day.label for day in chart.days] == ["1 Nov 2026", "5 Nov 2026"]
    assert chart.summary == "5 of 10 assigned on 5 Nov 2026; 1 on 1 Nov 2026."


def test_a_chart_of_an_unlimited_title_has_no_total():
    chart = chart_of([day_count(date(2026, 11, day), UNLIMITED, 1000) for day in (1, 2)])

    assert chart.total == ""
    assert chart.summary == "1,000, unlimited assigned on 2 Nov 2026; 1,000 on 1 Nov 2026."


def test_a_single_day_is_no_line_and_no_day_no_chart():
    chart = chart_of([day_count(date(2026, 11, 1), 0, 0)])

    assert not chart.is_line
    assert chart_of([]) is None


@given(st.integers(min_value=1, max_value=2**31))
def test_an_axis_ends_above_the_highest_value_in_few_round_steps(highest):
    top, step = scale(highest)

    assert top >= highest
    assert top % step == 0
    assert 1 <= top // step <= 4
