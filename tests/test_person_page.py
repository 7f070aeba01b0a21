"""A person's page and what is done there: added, changed, invited, handed a link, registered again."""

import re
from datetime import timedelta

import pytest
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from licensing.models import Batch, BatchItem
from organizations.models import AuditEvent, OutgoingMail, Owner
from tests import factories
from tests.conftest import signed_in
from tests.draining import drain
from tests.people import days_ago, list_url, person
from tests.reading import errors_of, text_of, words
from tests.test_holders_pages import held, holder_url, item, plan_of, rows_of
from tests.test_licensed_apps import title
from users.invitations import links
from users.models import Invitation, VppUser
from users.states import PersonStatus, status_of


@pytest.fixture
def north(organization):
    return factories.VppAccountFactory(organization=organization, name="North", state="in_sync")


@pytest.fixture
def south(organization):
    return factories.VppAccountFactory(organization=organization, name="South", state="in_sync")


@pytest.fixture
def school(organization):
    return factories.NetworkFactory(organization=organization, name="North School")


def page_of(user):
    return holder_url(user.account, "user", user.client_user_id)


def url(name, user):
    return reverse(f"licensing:{name}", args=[user.organization_id, user.pk])


def add_url(organization, query=""):
    return f"{reverse('licensing:user_add', args=[organization.pk])}?{query}"


def next_of(response):
    found = re.search(r'class="person-next">(.*?)</p>', response.content.decode(), re.DOTALL)
    return words(found[1])


def steps_of(response):
    """The buttons in the head of the page."""
    html = response.content.decode()
    footer = html[html.index("person-footer") :].split('name="kind" value="grant"')[0]
    return [words(found) for found in re.findall(r"<button.*?</button>", footer, re.DOTALL)]


def timeline_of(response):
    html = response.content.decode()
    lines = re.findall(r"<li>(.*?)</li>", html[html.index('id="timeline"') :], re.DOTALL)
    return [re.sub(r"^(today|yesterday|\d+ \w+ \d{4}) \d\d:\d\d ", "", words(li)) for li in lines]


def registered(account, name="Ada", **values):
    return person(account, name, "Registered", **values)


def day(moment, organization):
    return f"{moment.astimezone(organization.zone):%-d %b %Y}"


# --- The page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected", "steps"),
    [
        (
            {"status": ""},
            "New Apple gets to know them next, by itself; an invitation waits for that.",
            ["Send invitation(s)", "Retire user(s)"],
        ),
        (
            {"status": "", "failure": "Apple says 9635."},
            "Failed Apple says 9635. Correct what is wrong with Edit, or try again.",
            ["Try again", "Retire user(s)"],
        ),
        (
            {"status": "Registered"},
            "New Apple knows them: send the invitation next.",
            ["Send invitation(s)", "Copy invitation link", "Retire user(s)"],
        ),
        (
            {"status": "Registered", "email": ""},
            "New Has no e-mail address: add one with Edit, or hand the invitation link over"
            " yourself.",
            ["Copy invitation link", "Retire user(s)"],
        ),
        (
            {"status": "Registered", "failure": "The mail server refused this address: 550 no"},
            "Failed The mail server refused this address: 550 no Correct what is wrong with Edit,"
            " or send the invitation again.",
            ["Send invitation(s)", "Copy invitation link", "Retire user(s)"],
        ),
        (
            {"status": "Associated", "failure": "Apple says 9641."},
            "Associated Has accepted: licenses arrive at their devices. Apple says 9641.",
            ["Try again", "Retire user(s)"],
        ),
        ({"status": "Retired"}, "Retired They can be registered again.", ["Register again"]),
    ],
)
def test_the_page_says_what_comes_next(owner_client, north, values, expected, steps):
    user = person(north, "Ada", **values)

    page = owner_client.get(page_of(user))

    said = next_of(page).replace("Retired Retired. ", "Retired ")
    assert (said, steps_of(page)) == (expected, steps)


def test_who_is_invited_can_be_reminded_in_three_ways(owner_client, organization, north):
    user = registered(north, invited_at=days_ago(2))
    factories.InvitationFactory(user=user)

    page = owner_client.get(page_of(user))

    assert next_of(page) == (
        f"Invited Invited on {day(days_ago(2), organization)}, has not accepted yet: send it again"
        " or copy the link."
    )
    assert steps_of(page) == [
        "Resend",
        "Copy invitation link",
        "New link",
        "Withdraw invitation",
        "Retire user(s)",
    ]


def test_who_is_being_retired_is_left_alone(owner_client, north):
    user = person(north, "Ada")
    item(None, user.client_user_id, "sent", kind="retire", account=north)

    page = owner_client.get(page_of(user))

    assert next_of(page) == (
        "Associated Is being retired: their licenses return as soon as Apple confirms it."
    )
    assert steps_of(page) == []


def test_an_expired_invitation_and_one_who_asks_again_are_told(owner_client, organization, north):
    late, asking = registered(north, "Ada"), registered(north, "Bo")
    factories.InvitationFactory(user=late, expires_at=days_ago(1))
    factories.InvitationFactory(user=asking, asked_again_at=days_ago(1))

    told = [next_of(owner_client.get(page_of(user))) for user in (late, asking)]

    yesterday = day(days_ago(1), organization)
    assert told == [
        f"New The invitation expired on {yesterday}: sending it again renews it.",
        f"New Asked for a new invitation on {yesterday}: send it.",
    ]


def test_the_page_shows_all_that_a_person_has(owner_client, organization, north, south, school):
    user = person(north, "Ada", username="adal", id_hash="same")
    person(north, "Bo", id_hash="same")
    east = factories.VppAccountFactory(organization=organization, name="East")
    person(south, "Ada", "Retired", owner=user.owner)
    person(south, "Ada", "Registered", owner=user.owner)
    factories.DeviceFactory(
        organization=organization, network=school, owner=user.owner, name="Ada's iPad"
    )
    held(title(north, "Notes"), user.client_user_id, holder_kind="user")
    atlas = title(north, "Atlas", product_type="Book", revocable=False)
    held(atlas, user.client_user_id, holder_kind="user")

    page = owner_client.get(page_of(user))

    text, html = text_of(page), page.content.decode()
    assert (
        "Email ada@example.org Username adal Managed Apple Account none VPP account North" in text
    )
    assert "Shares an Apple Account with Bo, so licenses of the one can be missing" in text
    assert "Other VPP accounts East Add to East South New in South" in text
    assert f"account={east.pk}&amp;owner={user.owner.pk}" in html
    assert "Devices 1 Ada's iPad North School" in text
    assert [row.split(" Licensed")[0] for row in rows_of(page)] == [
        "Atlas Book Irrevocable",
        "Notes",
    ]


def test_every_step_stands_with_its_time_newest_first(owner_client, organization, north):
    user = person(
        north,
        "Ada",
        registered_at=days_ago(8),
        invited_at=days_ago(3),
        associated_at=days_ago(1),
    )
    VppUser.objects.filter(pk=user.pk).update(first_seen_at=days_ago(9))
    notes = title(north, "Notes")
    holder = {"holder_kind": "user", "by": "eve@example.org"}
    item(None, user.client_user_id, "failed", kind="invite", account=north, message="550 no",
         changed_at=days_ago(7), by="eve@example.org")  # fmt: skip
    item(None, user.client_user_id, "succeeded", kind="invite", account=north,
         changed_at=days_ago(6), by="eve@example.org")  # fmt: skip
    item(notes, user.client_user_id, "succeeded", changed_at=days_ago(0.5), **holder)
    item(title(north, "Draw"), user.client_user_id, "planned", **holder)
    factories.InvitationFactory(
        user=user,
        sent_at=days_ago(6),
        last_sent_at=days_ago(5),
        reminders=1,
        opened_at=days_ago(4),
        went_on_at=days_ago(2),
        ended_at=days_ago(1),
        ending="accepted",
    )

    lines = [re.sub(r" #\d+$", "", each) for each in timeline_of(owner_client.get(page_of(user)))]

    assert lines == [
        "License granted: Notes eve@example.org",
        "Accepted: an Apple Account is associated The person",
        "Went on to Apple's page The person",
        "Invitation opened The person",
        "Reminder sent",
        "Invitation sent eve@example.org",
        "Invitation not sent: 550 no eve@example.org",
        "Registered at Apple Apple",
        "First seen here",
    ]


def test_a_stranger_has_the_page_that_strangers_had(owner_client, north):
    held(title(north, "Notes"), "stranger", holder_kind="user")

    page = owner_client.get(holder_url(north, "user", "stranger"))

    assert "In no inventory." in text_of(page)
    assert rows_of(page)[0].startswith("Notes Licensed")


def test_the_page_costs_the_same_however_much_happened(
    owner_client, organization, north, school, django_assert_max_num_queries
):
    user = registered(north, id_hash="same")

    def happen(number):
        factories.DeviceFactory(organization=organization, network=school, owner=user.owner)
        factories.InvitationFactory(user=user, ended_at=days_ago(1), ending="withdrawn")
        person(north, f"Bo {number}", id_hash="same")
        other = title(north, f"Title {number}")
        held(other, user.client_user_id, holder_kind="user")
        item(other, user.client_user_id, "succeeded")

    happen(0)
    owner_client.get(page_of(user))
    with django_assert_max_num_queries(32) as one:
        owner_client.get(page_of(user))
    for number in range(1, 20):
        happen(number)

    with django_assert_max_num_queries(32) as twenty:
        page = owner_client.get(page_of(user))

    assert (len(one), len(rows_of(page))) == (len(twenty), 20)


# --- Retire, invite -----------------------------------------------------------------------------------


def test_retire_shows_a_plan_and_comes_back(owner_client, north):
    user = person(north, "Ada")

    answer = owner_client.post(page_of(user), {"kind": "retire"})

    plan = plan_of(answer)
    assert (plan.kind, plan.request["users"]) == ("retire", [user.pk])
    assert f"back=%2Forganizations%2F{north.organization_id}" in answer.url


def test_one_click_invites(owner_client, account, fake):
    user = added(owner_client, account, name="Ada", email="ada@example.org")
    drain(account, fake)

    answer = owner_client.post(url("user_invite", user), follow=True)
    drain(account, fake)

    user.refresh_from_db()
    assert answer.redirect_chain == [(page_of(user), 302)]
    assert "The invitation to Ada is on its way to ada@example.org." in text_of(answer)
    assert status_of(user) == PersonStatus.INVITED
    assert OutgoingMail.objects.get().to == "ada@example.org"


def test_one_click_leads_back_to_the_list_that_it_came_from(owner_client, organization, north):
    user = registered(north)
    here = list_url(organization, "status=New")

    to_the_list = owner_client.post(url("user_invite", user), {"next": here})
    elsewhere = owner_client.post(url("user_invite", user), {"next": "https://evil.example/"})

    assert (to_the_list.url, elsewhere.url) == (here, page_of(user))


@pytest.mark.parametrize("status", ["Associated", "Retired"])
def test_who_cannot_be_invited_is_not_and_the_page_says_why(owner_client, north, status):
    user = person(north, "Ada", status)

    answer = owner_client.post(url("user_invite", user), follow=True)

    assert "alert-danger" in answer.content.decode() or "alert-error" in answer.content.decode()
    assert "Ada: " in text_of(answer)
    assert not Batch.objects.exists()


# --- The link -----------------------------------------------------------------------------------------


def link_on(page):
    found = re.search(r'id="link"\s+value="([^"]*)"', page.content.decode())
    return found and found[1]


def test_copying_the_link_makes_an_invitation_without_a_mail(owner_client, north):
    user = registered(north, email="")

    page = owner_client.post(url("user_link", user), follow=True)

    invitation = Invitation.objects.get(user=user)
    user.refresh_from_db()
    assert link_on(page) == links.url_of(invitation)
    assert "Only for Ada: whoever opens it first" in text_of(page)
    assert status_of(user) == PersonStatus.INVITED
    assert not OutgoingMail.objects.exists()
    assert AuditEvent.objects.filter(action="invitation.link_made", target_id=user.pk).count() == 1


def test_copying_it_again_copies_the_same(owner_client, north):
    user = registered(north)
    first = owner_client.post(url("user_link", user), follow=True)
    user.refresh_from_db()
    invited_at = user.invited_at

    again = owner_client.post(url("user_link", user), follow=True)

    user.refresh_from_db()
    assert (link_on(again), user.invited_at) == (link_on(first), invited_at)


def test_an_expired_link_is_made_valid_again(owner_client, north):
    user = registered(north)
    invitation = factories.InvitationFactory(user=user, expires_at=days_ago(1))
    before = owner_client.get(url("user_link", user))

    after = owner_client.post(url("user_link", user), {"action": "make"}, follow=True)

    invitation.refresh_from_db()
    assert "It has expired." in text_of(before)
    assert "It has expired." not in text_of(after)
    assert invitation.expires_at > timezone.now() + timedelta(days=80)


def test_a_new_link_makes_the_old_one_void(owner_client, north):
    user = registered(north)
    first = link_on(owner_client.post(url("user_link", user), follow=True))

    second = link_on(owner_client.post(url("user_link", user), {"action": "renew"}, follow=True))

    found = [links.find(each.rsplit("/", 1)[1])[1] for each in (first, second)]
    assert found == [False, True]


def test_a_withdrawn_invitation_leads_nowhere(owner_client, north):
    user = registered(north)
    owner_client.post(url("user_link", user))

    page = owner_client.post(url("user_link", user), {"action": "withdraw"}, follow=True)

    user.refresh_from_db()
    assert "The invitation of Ada is withdrawn" in text_of(page)
    assert link_on(page) is None
    assert (Invitation.objects.get().ending, status_of(user)) == ("withdrawn", PersonStatus.NEW)
    assert not {"renew", "withdraw"} & set(re.findall(r'value="(\w+)"', page.content.decode()))


@pytest.mark.parametrize("action", ["renew", "withdraw"])
def test_without_an_invitation_there_is_nothing_to_renew_or_withdraw(owner_client, north, action):
    user = registered(north)

    page = owner_client.post(url("user_link", user), {"action": action}, follow=True)

    assert "Ada has no open invitation." in text_of(page)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("", "Apple gets to know them next"),
        ("Associated", "Has accepted"),
        ("Retired", "They can be registered again."),
    ],
)
def test_only_who_is_registered_and_has_not_accepted_has_a_link(owner_client, north, status, why):
    user = person(north, "Ada", status)

    page = owner_client.post(url("user_link", user), follow=True)

    assert f"Ada has no invitation link. {'Retired. ' if status == 'Retired' else ''}{why}" in (
        text_of(page)
    )
    assert (link_on(page), Invitation.objects.count()) == (None, 0)


# --- Registered again ---------------------------------------------------------------------------------


def test_who_was_retired_is_registered_again(owner_client, account, fake):
    user = added(owner_client, account, name="Ada", email="ada@example.org")
    drain(account, fake)
    plan = plan_of(owner_client.post(page_of(user), {"kind": "retire"}))
    place = [account.organization_id, plan.pk]
    with TestCase.captureOnCommitCallbacks(execute=True):
        owner_client.post(reverse("licensing:plan_detail", args=place))
    drain(account, fake)
    retired = owner_client.get(page_of(user))

    answer = owner_client.post(url("user_register", user), follow=True)
    drain(account, fake)

    user.refresh_from_db()
    assert steps_of(retired) == ["Register again"]
    assert "Ada is being registered at Apple again" in text_of(answer)
    assert user.apple_status == "Registered"


def test_a_failed_registration_is_tried_again(owner_client, north):
    user = person(north, "Ada", "", failure="Apple says 9635.")

    answer = owner_client.post(url("user_register", user), follow=True)

    user.refresh_from_db()
    assert "Apple is asked again about Ada." in text_of(answer)
    assert (user.failure, status_of(user)) == ("", PersonStatus.NEW)
    assert BatchItem.objects.get().kind == "register"


def test_a_failed_change_is_told_to_apple_again(owner_client, north):
    user = person(north, "Ada", "Associated", failure="Apple says 9641.")

    owner_client.post(url("user_register", user))

    assert (BatchItem.objects.get().kind, BatchItem.objects.get().holder) == (
        "update",
        user.client_user_id,
    )


def test_who_is_registered_is_not_registered_twice(owner_client, north):
    user = registered(north)

    answer = owner_client.post(url("user_register", user), follow=True)

    assert "there is nothing to repeat" in text_of(answer)
    assert not Batch.objects.exists()


# --- Add ----------------------------------------------------------------------------------------------


def added(client, account, **person_):
    with TestCase.captureOnCommitCallbacks(execute=True):
        client.post(add_url(account.organization, f"account={account.pk}"), person_)
    return VppUser.objects.get(account=account, email=person_["email"])


def offered(page):
    html = page.content.decode()
    names = re.findall(r'<span class="form-check-label">([^<]*)<span class="title-note"', html)
    return [words(name) for name in names]


def test_somebody_new_is_added_and_registered(owner_client, organization, account, fake):
    told = {
        "name": "Ada",
        "email": "ada@example.org",
        "username": "adal",
        "managed_apple_account": "",
        "tags": "grade-7 chess",
    }

    answer = owner_client.post(add_url(organization), told, follow=True)
    drain(account, fake)

    user = VppUser.objects.get()
    tags = organization.tags.filter(pk__in=user.owner.tag_ids)
    assert answer.redirect_chain == [(page_of(user), 302)]
    assert f"Ada is added to {account.name} and being registered at Apple" in text_of(answer)
    assert (user.apple_status, user.name, user.owner.username) == ("Registered", "Ada", "adal")
    assert sorted(tags.values_list("name", flat=True)) == ["chess", "grade-7"]


def test_somebody_new_is_invited_at_once(owner_client, organization, account, fake):
    owner_client.post(
        add_url(organization), {"name": "Ada", "email": "ada@example.org", "invites": "1"}
    )
    drain(account, fake)

    user = VppUser.objects.get()
    assert status_of(user) == PersonStatus.INVITED
    assert OutgoingMail.objects.get().to == "ada@example.org"


def test_an_owner_is_chosen_among_those_who_are_not_in_the_account(
    owner_client, organization, north
):
    person(north, "Ada")
    person(north, "Bo", "Retired")
    cy = factories.OwnerFactory(organization=organization, name="Cy", email="cy@example.org")
    factories.OwnerFactory(name="Foreign")

    page = owner_client.get(add_url(organization))
    answer = owner_client.post(add_url(organization), {"owner": cy.pk}, follow=True)

    assert offered(page) == ["Bo", "Cy"]
    assert "Cy is added to North" in text_of(answer)
    assert VppUser.objects.get(owner=cy).email == "cy@example.org"


def test_owners_are_searched_by_name_address_and_username(owner_client, organization, north):
    for number in range(25):
        factories.OwnerFactory(organization=organization, name=f"Person {number:02}")
    factories.OwnerFactory(organization=organization, name="Ada", email="lovelace@example.org")
    factories.OwnerFactory(organization=organization, name="Bo", username="lovely")

    everybody = owner_client.get(add_url(organization))
    found = owner_client.get(add_url(organization, "q=LOVE"))
    nobody = owner_client.get(add_url(organization, "q=zed%00"))

    assert (len(offered(everybody)), offered(found), offered(nobody)) == (20, ["Ada", "Bo"], [])
    assert "These are the first 20. Search to find others." in text_of(everybody)
    assert "matches “zed”" in text_of(nobody)


def test_an_owner_who_is_named_in_the_address_stands_chosen(
    owner_client, organization, north, south
):
    ada = factories.OwnerFactory(organization=organization, name="Ada")
    factories.OwnerFactory(organization=organization, name="Bo")
    address = add_url(organization, f"account={south.pk}&owner={ada.pk}")

    page = owner_client.get(address)

    assert offered(page) == ["Ada"]
    assert f'value="{ada.pk}" required checked' in " ".join(page.content.decode().split())


def test_with_several_accounts_one_is_chosen_first(owner_client, organization, north, south):
    page = owner_client.get(add_url(organization, "owner=7"))
    posted = owner_client.post(add_url(organization), {"email": "ada@example.org"})

    assert "To which VPP account?" in text_of(page)
    assert f"?account={south.pk}&amp;owner=7" in page.content.decode()
    assert "To which VPP account?" in text_of(posted)
    assert not VppUser.objects.exists()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"email": ""},
            [
                "A person needs an e-mail address, or a Managed Apple Account. Give one like"
                " ann@example.org."
            ],
        ),
        ({"email": "ada"}, ["“ada” is no e-mail address. Give one like ann@example.org."]),
        (
            {"email": "ada@example.org", "managed_apple_account": "x"},
            ["“x” is no Managed Apple Account. Give one like ann@example.org."],
        ),
        (
            {"email": "ada@example.org", "name": "x" * 201},
            ["Ensure this value has at most 200 characters (it has 201)."],
        ),
    ],
)
def test_what_is_wrong_stands_at_its_field(owner_client, organization, north, told, expected):
    page = owner_client.post(add_url(organization), told)

    assert (page.status_code, errors_of(page)) == (200, expected)
    assert not VppUser.objects.exists()
    assert not Owner.objects.exists()


def test_who_is_in_the_account_already_is_named_with_a_link(owner_client, organization, north):
    user = person(north, "Ada")

    page = owner_client.post(add_url(organization), {"email": "ADA@example.org"})

    assert errors_of(page)[0].startswith("“ada@example.org” is in “North” already")
    assert f'href="{page_of(user)}">Show Ada</a>' in page.content.decode()


@pytest.mark.parametrize("chosen", ["", "0", "x", "9" * 30])
def test_a_choice_of_nobody_is_said(owner_client, organization, north, chosen):
    page = owner_client.post(add_url(organization), {"owner": chosen})

    assert "Choose a person of the list, or search for another one." in text_of(page)
    assert not VppUser.objects.exists()


def test_an_owner_without_an_address_cannot_be_added(owner_client, organization, north):
    ada = factories.OwnerFactory(organization=organization, name="Ada", email="")

    page = owner_client.post(add_url(organization), {"owner": ada.pk})

    assert "needs an e-mail address" in text_of(page)


def test_nobody_is_added_to_an_account_that_takes_no_changes(owner_client, organization, north):
    north.state = "revoked"
    north.save()

    page = owner_client.get(add_url(organization))
    posted = owner_client.post(add_url(organization), {"email": "ada@example.org"})

    assert "North has a token that Apple has revoked." in text_of(page)
    assert "Revoked by Apple" in errors_of(posted)[0]
    assert not VppUser.objects.exists()


# --- Edit ---------------------------------------------------------------------------------------------


def test_a_person_is_changed_in_all_their_accounts(owner_client, north, south):
    user = person(north, "Ada", username="adal")
    other = person(south, "Ada", owner=user.owner)
    form = {"name": "Ada King", "email": "king@example.org", "username": "", "tags": "x"}

    page = owner_client.get(url("user_edit", user))
    answer = owner_client.post(url("user_edit", user), form, follow=True)

    other.refresh_from_db()
    owner = Owner.objects.get(pk=user.owner.pk)
    assert 'value="ada@example.org"' in page.content.decode()
    assert answer.redirect_chain == [(page_of(user), 302)]
    assert "Ada King is changed." in text_of(answer)
    assert (owner.email, owner.username, other.name) == ("king@example.org", "", "Ada King")


def test_an_address_of_somebody_else_is_refused_at_its_field(owner_client, organization, north):
    user = person(north, "Ada")
    factories.OwnerFactory(organization=organization, name="Bo", email="bo@example.org")

    page = owner_client.post(url("user_edit", user), {"name": "Ada", "email": "bo@example.org"})

    assert errors_of(page)[0].startswith("“Bo” of this organization has the e-mail address")


# --- Who may ------------------------------------------------------------------------------------------


def test_a_reader_sees_the_page_with_every_step_disabled(reader_client, north):
    user = registered(north)

    page = reader_client.get(page_of(user))

    html = page.content.decode()
    assert steps_of(page)[:3] == ["Send invitation(s)", "Copy invitation link", "Retire user(s)"]
    assert html.count("You have read-only access; a full admin of the organization can do it.") >= 4
    assert url("user_edit", user) not in html


@pytest.mark.parametrize("name", ["user_invite", "user_register", "user_link", "user_edit"])
def test_a_reader_changes_nothing_and_sees_no_link(reader_client, north, name):
    user = registered(north)
    factories.InvitationFactory(user=user)

    answers = [reader_client.post(url(name, user)), reader_client.get(url(name, user))]

    assert [answer.status_code for answer in answers] in ([403, 403], [403, 405])
    assert not Batch.objects.exists()


@pytest.mark.parametrize("name", ["user_invite", "user_register", "user_link", "user_edit"])
def test_people_of_an_account_that_is_closed_are_not_found(owner_client, north, name):
    user = registered(north)
    north.allowed_admins = "named"
    north.save()

    assert owner_client.post(url(name, user)).status_code == 404


def test_who_only_reads_in_a_network_sees_its_account_and_changes_nothing(
    organization, north, school
):
    user = registered(north)
    access = factories.NetworkAccessFactory(
        membership__organization=organization, network=school, can_write=False
    )
    north.allowed_admins = "networks"
    north.save()
    north.allowed_networks.add(school)
    client = signed_in(access.membership.admin)

    page = client.get(page_of(user))
    answer = client.post(url("user_invite", user))

    assert (page.status_code, answer.status_code) == (200, 403)
    assert timeline_of(page) == ["First seen here"]


def test_an_account_without_work_refuses_every_click(owner_client, north):
    user = registered(north)
    north.state = "claimed"
    north.save()

    told = [
        text_of(owner_client.post(url(name, user), follow=True))
        for name in ("user_invite", "user_register", "user_link")
    ]

    assert ["North is in use by another MDM" in text for text in told] == [True, True, True]
    assert not Invitation.objects.exists()
