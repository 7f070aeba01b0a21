"""Manage > VPP > User management: who is listed, found, chosen; what is told of each."""

import html
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from licensing.models import BatchPlan
from tests import factories
from tests.conftest import signed_in
from tests.people import days_ago, list_url, person
from tests.reading import text_of
from tests.test_holders_pages import held, holder_url, item, plan_of, rows_of
from tests.test_licensed_apps import csv_of, title
from users.models import VppUser


@pytest.fixture
def north(organization):
    return factories.VppAccountFactory(
        organization=organization, name="North", state="in_sync", last_synced_at=timezone.now()
    )


@pytest.fixture
def south(organization):
    return factories.VppAccountFactory(organization=organization, name="South", state="in_sync")


@pytest.fixture
def school(organization):
    return factories.NetworkFactory(organization=organization, name="North School")


def names_in(response):
    return [row.split()[0] for row in rows_of(response)]


# --- What is listed ---------------------------------------------------------------------------------


def test_users_are_listed_with_all_that_counts(owner_client, organization, north, school):
    ada = person(north, "Ada", associated_at=days_ago(1), invited_at=days_ago(2))
    person(north, "Bo", "")
    person(north, "Cy", "", failure="Apple says 9635.")
    person(north, "Di", "Registered", email="")
    person(north, "Ed", "Retired", failure="Of old.")
    factories.DeviceFactory(organization=organization, network=school, owner=ada.owner)
    held(title(north, "Notes"), ada.client_user_id, holder_kind="user")
    held(title(north, "Draw"), ada.client_user_id, holder_kind="user")
    atlas = title(north, "Atlas", product_type="Book", revocable=False)
    held(atlas, ada.client_user_id, holder_kind="user")

    rows = rows_of(owner_client.get(list_url(organization)))

    days = [f"{day.astimezone(organization.zone):%-d %b %Y}" for day in (days_ago(2), days_ago(1))]
    assert rows == [
        f"Ada ada@example.org Associated {days[0]} {days[1]} 2 1 1",
        "Bo bo@example.org New — — 0 0 0",
        "Cy cy@example.org Failed Apple says 9635. — — 0 0 0",
        "Di — New — — 0 0 0",
        "Ed ed@example.org Retired — — 0 0 0",
    ]


def test_what_goes_on_stands_below_the_status(owner_client, organization, north):
    leaving = person(north, "Ada")
    coming = person(north, "Bo", "")
    item(None, leaving.client_user_id, "sent", kind="retire", account=north)
    item(None, coming.client_user_id, "planned", kind="register", account=north)
    item(None, coming.client_user_id, "succeeded", kind="update", account=north)

    rows = rows_of(owner_client.get(list_url(organization)))

    assert [row.split("example.org ")[1] for row in rows] == [
        "Associated Is being retired. — — 0 0 0",
        "New Is being registered at Apple. — — 0 0 0",
    ]


def test_all_accounts_stand_in_one_list_that_nothing_can_be_chosen_in(
    owner_client, organization, north, south
):
    ada = person(north, "Ada")
    person(south, "Ada", owner=ada.owner, email="ada@example.org")

    everywhere = owner_client.get(list_url(organization))
    in_south = owner_client.get(list_url(organization, f"account={south.pk}"))

    assert [row.split()[2] for row in rows_of(everywhere)] == ["North", "South"]
    assert "data-select" not in everywhere.content.decode()
    assert "Choose one VPP account above first" in text_of(everywhere)
    assert rows_of(in_south) == ["Ada ada@example.org Associated — — 0 0 0"]


def test_two_people_behind_one_apple_account_are_warned_of_on_both(
    owner_client, organization, north, south
):
    person(north, "Ada", id_hash="same")
    person(north, "Bo", id_hash="same")
    person(north, "Cy", "Retired", id_hash="same")
    person(north, "Di", id_hash="another")
    person(south, "Ed", id_hash="same")

    rows = rows_of(owner_client.get(list_url(organization, f"account={north.pk}")))

    warned = [re.search(r"Shares an Apple Account with (\w+)", row) for row in rows]
    assert [found and found[1] for found in warned] == ["Bo", "Ada", None, None]


def test_warnings_stand_below_the_name(owner_client, organization, north, school):
    asked = person(north, "Ada", "Registered", invited_at=days_ago(1))
    factories.InvitationFactory(user=asked, asked_again_at=timezone.now())
    person(north, "Bo", missing_since=timezone.now())
    many = person(north, "Cy")
    for _ in range(11):
        factories.DeviceFactory(organization=organization, network=school, owner=many.owner)

    rows = rows_of(owner_client.get(list_url(organization)))

    assert [row.split(" ", 1)[1].split(row.split()[0].lower() + "@")[0] for row in rows] == [
        "Asked for a new invitation, today ",
        "No longer in the owners' source ",
        "11 devices: Apple limits each Apple ID to 10 devices ",
    ]


def test_ten_devices_are_nothing_to_warn_of(owner_client, organization, north, school):
    owner = person(north, "Ada").owner
    for _ in range(10):
        factories.DeviceFactory(organization=organization, network=school, owner=owner)

    assert rows_of(owner_client.get(list_url(organization))) == [
        "Ada ada@example.org Associated — — 0 0 10"
    ]


def test_each_row_leads_to_the_person_whatever_their_id(owner_client, organization, north):
    odd = factories.VppUserFactory(account=north, client_user_id="a b/c?d#é%&", email="", name="")

    page = owner_client.get(list_url(organization))

    (address,) = re.findall(r'class="person-name"><div><a href="([^"]*)"', page.content.decode())
    assert html.unescape(address) == holder_url(north, "user", odd.client_user_id)
    assert owner_client.get(html.unescape(address)).status_code == 200


def test_each_row_has_what_can_be_done_for_one_person(owner_client, organization, north):
    new, silent = person(north, "Ada", ""), person(north, "Bo", "Registered", email="")
    invited = person(north, "Cy", "Registered", invited_at=days_ago(1))
    person(north, "Di")
    person(north, "Ed", "Retired")

    page = owner_client.get(list_url(organization))

    def url(name, user):
        return reverse(f"licensing:{name}", args=[organization.pk, user.pk])

    assert re.findall(r'formaction="([^"]*)"', page.content.decode()) == [
        url("user_invite", new),
        url("user_link", silent),
        url("user_invite", invited),
        url("user_link", invited),
    ]


# --- What is found ----------------------------------------------------------------------------------


@pytest.fixture
def crowd(organization, north, school):
    """Of every kind somebody."""
    person(north, "Ada", id_hash="same", username="adal")
    person(north, "Bo", id_hash="same")
    person(north, "Cy", "", email="")
    person(north, "Di", "Registered", invited_at=days_ago(8))
    asked = person(north, "Ed", "Registered", invited_at=days_ago(6))
    factories.InvitationFactory(user=asked, asked_again_at=timezone.now())
    person(north, "Fay", missing_since=timezone.now())
    person(north, "Gus", "Retired", missing_since=timezone.now(), email="", id_hash="same")
    person(north, "Hal", "", failure="Apple says 9635.")
    many = person(north, "Ida", "Deleted").owner
    busy = person(north, "Jo").owner
    for owner in [many, busy] * 11:
        factories.DeviceFactory(organization=organization, network=school, owner=owner)
    factories.VppUserFactory(account=north, client_user_id="found-at-apple", email="", name="")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=New", ["Cy"]),
        ("status=Invited", ["Di", "Ed"]),
        ("status=Associated", ["Ada", "Bo", "Fay", "Jo", "found-at-apple"]),
        ("status=Retired", ["Gus", "Ida"]),
        ("status=Failed", ["Hal"]),
        ("attention=stale", ["Di"]),
        ("attention=asked", ["Ed"]),
        ("attention=shared", ["Ada", "Bo"]),
        ("attention=devices", ["Jo"]),
        ("attention=left", ["Fay"]),
        ("attention=no-email", ["Cy", "found-at-apple"]),
        ("q=ADAL", ["Ada"]),
        ("q=ed@", ["Ed"]),
        ("q=found-at", ["found-at-apple"]),
        ("q=zed", []),
        ("sort=-name&status=Associated", ["Jo", "Fay", "Bo", "Ada", "found-at-apple"]),
        ("sort=email&status=Retired", ["Ida", "Gus"]),
        ("sort=-email&status=Retired", ["Ida", "Gus"]),
        ("status=toy&attention=toy&account=x&after=x&q=zed", []),
    ],
)
def test_users_are_found(owner_client, organization, crowd, query, expected):
    answer = owner_client.get(list_url(organization, f"{query}&format=csv"))

    assert [row["Name"] for row in csv_of(answer)] == expected


def test_csv_has_a_line_for_each_with_everything(owner_client, organization, north, school):
    owner = factories.OwnerFactory(
        organization=organization,
        name="=Ada",
        email="ada@example.org",
        username="adal",
        managed_apple_account="ada@appleid.example.org",
    )
    user = person(north, "Ada", "Registered", owner=owner, failure="Apple says 9641.")
    held(title(north, "Notes"), user.client_user_id, holder_kind="user")

    (row,) = csv_of(owner_client.get(list_url(organization, "format=csv")))

    assert row == {
        "Name": "'=Ada",
        "Email": "ada@example.org",
        "Username": "adal",
        "Managed Apple Account": "ada@appleid.example.org",
        "User status": "Failed",
        "Reason": "Apple says 9641.",
        "Invited on": "",
        "Accepted on": "",
        "Licenses": "1",
        "Books": "0",
        "Devices": "0",
        "Client user ID": user.client_user_id,
        "VPP account": "North",
    }


def test_a_csv_of_many_costs_the_same_per_chunk(
    owner_client, organization, north, django_assert_max_num_queries
):
    VppUser.objects.bulk_create(
        VppUser(organization=organization, account=north, client_user_id=f"u{n}", name=f"N{n:04}")
        for n in range(2001)
    )

    with django_assert_max_num_queries(12):
        rows = csv_of(owner_client.get(list_url(organization, "format=csv")))

    assert [rows[0]["Name"], rows[-1]["Name"], len(rows)] == ["u0", "u2000", 2001]


def test_pages_are_the_same_size_whatever_the_names(owner_client, organization, north):
    VppUser.objects.bulk_create(
        VppUser(organization=organization, account=north, client_user_id=f"u{n:02}", name="Same")
        for n in range(60)
    )

    first = owner_client.get(list_url(organization, "size=25"))
    after = re.search(r'id="list-next"[^>]*href="\?([^"]*)"', first.content.decode())[1]
    second = owner_client.get(list_url(organization, after.replace("&amp;", "&")))

    ids = [
        re.findall(r'name="holder"\s+value="(\d+)"', p.content.decode()) for p in (first, second)
    ]
    assert [len(page) for page in ids] == [25, 25]
    assert not set(ids[0]) & set(ids[1])


def test_the_page_costs_12_queries_however_many_are_shown(
    owner_client, organization, north, school, django_assert_max_num_queries
):
    def crowd(letters):
        for letter in letters:
            user = person(north, f"{letter}da", id_hash="same", invited_at=days_ago(1))
            factories.DeviceFactory(organization=organization, network=school, owner=user.owner)
            held(title(north, f"Notes {letter}"), user.client_user_id, holder_kind="user")
            factories.InvitationFactory(user=user, asked_again_at=timezone.now())
            item(None, user.client_user_id, "sent", kind="retire", account=north)

    crowd("AB")
    owner_client.get(list_url(organization))
    with django_assert_max_num_queries(12) as two:
        owner_client.get(list_url(organization))
    crowd("CDEFGHIJKL")

    with django_assert_max_num_queries(12) as twelve:
        response = owner_client.get(list_url(organization))

    assert (len(two), len(rows_of(response))) == (len(twelve), 12)


# --- What the page says by itself -------------------------------------------------------------------


def test_who_left_and_who_asked_again_is_said_with_a_link_to_them(
    owner_client, organization, crowd
):
    page = owner_client.get(list_url(organization, "status=New&q=cy"))
    review = owner_client.get(list_url(organization, "attention=left"))

    text = text_of(page)
    assert "1 person is no longer in the owners' source. Review" in text
    assert "1 person has asked for a new invitation. Review" in text
    assert re.findall(
        r'class="btn btn-sm" href="[^?]*\?([^"]*)">Review', page.content.decode()
    ) == [
        "attention=left",
        "attention=asked",
    ]
    assert "Review" not in text_of(review)
    assert names_in(review) == ["Fay"]


def test_an_organization_without_an_account_is_told_where_to_begin(owner_client, organization):
    text = text_of(owner_client.get(list_url(organization)))

    assert "No VPP account yet" in text
    assert "+ Add user" not in text


def test_an_account_without_people_offers_three_ways_to_begin(owner_client, organization, south):
    page = owner_client.get(list_url(organization))

    text = text_of(page)
    assert "Nobody here yet" in text
    assert "The first sync of South has not ended yet." in text
    assert f"/users/add/?account={south.pk}" in page.content.decode()


# --- What changes while one looks -------------------------------------------------------------------


def poll_of(response):
    found = re.search(r'id="people-poll"\s+hx-get="([^"]*)"', response.content.decode())
    return found and found[1].replace("&amp;", "&")


def test_the_status_changes_by_itself(owner_client, organization, north):
    user = person(north, "Ada", "Registered", invited_at=days_ago(1))
    person(north, "Bo", "Registered", invited_at=days_ago(1))
    address = poll_of(owner_client.get(list_url(organization)))
    nothing_new = owner_client.get(address)

    VppUser.objects.filter(pk=user.pk).update(
        apple_status="Associated", associated_at=timezone.now()
    )
    news = owner_client.get(address)

    rows = re.findall(r'<tr id="user-(\d+)" hx-swap-oob="true">', news.content.decode())
    assert nothing_new.status_code == 204
    assert rows == [str(user.pk)]  # only the one that has changed
    assert "Ada ada@example.org Associated" in text_of(news)
    assert poll_of(news)  # the other one may still change


def test_nobody_is_watched_once_all_have_come_to_an_end(owner_client, organization, north):
    user = person(north, "Ada", "Registered", invited_at=days_ago(1))
    address = poll_of(owner_client.get(list_url(organization)))

    VppUser.objects.filter(pk=user.pk).update(apple_status="Associated")
    news = owner_client.get(address)

    assert 'id="people-poll"' in news.content.decode()
    assert poll_of(news) is None


def test_nobody_is_asked_about_who_cannot_change(owner_client, organization, north):
    person(north, "Ada")
    person(north, "Bo", "Retired")
    person(north, "Cy", "", failure="Apple says 9635.")

    assert poll_of(owner_client.get(list_url(organization))) is None


def test_who_is_being_retired_is_watched(owner_client, organization, north):
    user = person(north, "Ada")
    open_item = item(None, user.client_user_id, "sent", kind="retire", account=north)
    address = poll_of(owner_client.get(list_url(organization)))

    VppUser.objects.filter(pk=user.pk).update(apple_status="Retired")
    open_item.state = "succeeded"
    open_item.save()
    news = owner_client.get(address)

    assert "Retired" in text_of(news)


def test_only_people_of_ones_own_accounts_are_told_of(owner_client, organization, north):
    stranger = factories.VppUserFactory(email="stranger@example.net")
    closed = factories.VppAccountFactory(organization=organization, allowed_admins="named")
    hidden = person(closed, "Hidden")
    visible = person(north, "Ada")
    address = reverse("licensing:user_status", args=[organization.pk])

    answer = owner_client.get(
        f"{address}?shown={stranger.pk}-.{hidden.pk}-.{visible.pk}-.x.7-.-.00{visible.pk}-.%00-.{'9' * 30}-"
    )

    rows = re.findall(r'<tr id="user-(\d+)"', answer.content.decode())
    assert rows == [str(visible.pk)]


# --- Choosing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["invite", "retire"])
def test_chosen_users_become_a_plan(owner_client, organization, north, south, kind):
    here, there = person(north, "Ada", "Registered"), person(north, "Bo", "Registered")
    foreign = person(south, "Cy", "Registered")
    address = list_url(organization, f"account={north.pk}&status=New")

    answer = owner_client.post(
        address, {"kind": kind, "holder": [here.pk, foreign.pk, "x"], "selected": f"{there.pk} ~x"}
    )

    plan = plan_of(answer)
    assert (plan.kind, plan.account_id) == (kind, north.pk)
    assert plan.request["users"] == [here.pk, there.pk]


def test_all_that_match_are_those_of_the_filter_on_all_pages(owner_client, organization, north):
    new = [person(north, f"N{n:02}", "Registered") for n in range(30)]
    person(north, "Ada")

    answer = owner_client.post(
        list_url(organization, "status=New&size=25"), {"kind": "invite", "all": "1"}
    )

    assert plan_of(answer).request["users"] == sorted(user.pk for user in new)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"kind": "retire"}, "Choose at least one user: tick the boxes, or all that match."),
        ({"kind": "steal", "all": "1"}, "Say whether to send invitations or to retire."),
    ],
)
def test_a_choice_that_says_nothing_is_refused(owner_client, organization, north, sent, told):
    person(north, "Ada")

    answer = owner_client.post(list_url(organization), sent, follow=True)

    assert told in text_of(answer)
    assert not BatchPlan.objects.exists()


def test_a_choice_in_several_accounts_at_once_is_refused(owner_client, organization, north, south):
    user = person(north, "Ada")

    answer = owner_client.post(
        list_url(organization), {"kind": "retire", "holder": user.pk}, follow=True
    )

    assert "Choose one VPP account above first" in text_of(answer)
    assert not BatchPlan.objects.exists()


def test_coming_back_from_a_plan_finds_the_same_boxes_ticked(owner_client, organization, north):
    ada, bo = person(north, "Ada", "Registered"), person(north, "Bo", "Registered")
    plan = plan_of(owner_client.post(list_url(organization), {"kind": "invite", "holder": ada.pk}))

    markup = owner_client.get(list_url(organization, f"chosen={plan.pk}")).content.decode()

    ticked = re.findall(r'name="holder"\s+value="(\d+)"[^>]*?checked', markup)
    assert (ticked, f'value="{bo.pk}"' in markup) == ([str(ada.pk)], True)


# --- Who may ----------------------------------------------------------------------------------------


def bar_of(response):
    markup = response.content.decode()
    bar = markup[markup.index('id="selection"') :].split("</form>")[0]
    return re.findall(r'aria-disabled="true"\s+title="([^"]*)"', bar)


def test_a_reader_sees_who_is_there_and_why_nothing_can_be_done(reader_client, organization, north):
    person(north, "Ada", "Registered")

    page = reader_client.get(list_url(organization))
    posted = reader_client.post(list_url(organization), {"kind": "retire", "all": "1"})

    reason = "You have read-only access; a full admin of the organization can do it."
    assert names_in(page) == ["Ada"]
    assert bar_of(page) == [reason, reason]
    assert "formaction" not in page.content.decode()
    assert "/users/add/" not in page.content.decode()
    assert (posted.status_code, BatchPlan.objects.count()) == (403, 0)


def test_an_account_that_takes_no_changes_disables_and_refuses(owner_client, organization, north):
    user = person(north, "Ada", "Registered")
    north.state = "claimed"
    north.save()

    page = owner_client.get(list_url(organization))
    answer = owner_client.post(
        list_url(organization), {"kind": "retire", "holder": user.pk}, follow=True
    )

    assert all("North is in use by another MDM" in reason for reason in bar_of(page))
    assert "formaction" not in page.content.decode()
    assert "North is in use by another MDM" in text_of(answer)
    assert not BatchPlan.objects.exists()


def test_an_outsider_finds_nothing(outsider_client, organization, north):
    person(north, "Ada")

    assert outsider_client.get(list_url(organization)).status_code == 404
    assert outsider_client.post(list_url(organization), {"kind": "retire"}).status_code == 404


def test_an_admin_who_is_not_allowed_sees_nobody_of_that_account(
    owner_client, organization, north, south
):
    person(north, "Ada")
    person(south, "Bo")
    north.allowed_admins = "named"
    north.save()

    everywhere = owner_client.get(list_url(organization))
    asked_for = owner_client.get(list_url(organization, f"account={north.pk}"))

    assert (names_in(everywhere), names_in(asked_for)) == (["Bo"], ["Bo"])


def test_a_network_admin_sees_the_people_of_an_account_that_is_theirs(organization, north, school):
    access = factories.NetworkAccessFactory(membership__organization=organization, network=school)
    elsewhere = factories.NetworkFactory(organization=organization)
    owner = person(north, "Ada").owner
    factories.DeviceFactory(organization=organization, network=school, owner=owner)
    factories.DeviceFactory(organization=organization, network=elsewhere, owner=owner)
    client = signed_in(access.membership.admin)
    before = client.get(list_url(organization))

    north.allowed_admins = "networks"
    north.save()
    north.allowed_networks.add(school)
    after = client.get(list_url(organization))

    assert "No account is open to you" in text_of(before)
    assert rows_of(after) == ["Ada ada@example.org Associated — — 0 0 1"]
