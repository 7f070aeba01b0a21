"""The pages of plans and batches about people: what is said before and after people are retired or invited."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from licensing import batches
from licensing.models import Batch, BatchPlan, LicensedApp
from organizations.models import Organization
from tests.draining import BY
from tests.factories import (
    AssignmentFactory,
    BatchItemFactory,
    InvitationFactory,
    OwnerFactory,
    VppAccountFactory,
    VppUserFactory,
)
from tests.reading import text_of
from tests.test_batch_pages import csv_of, ended, over, rows_of, url
from tests.test_licensed_apps import title
from tests.test_plan_page import confirm_button, page_of
from users.models import VppUser
from vpp_accounts.models import AccountState, VppAccount


@pytest.fixture
def north(organization: Organization) -> VppAccount:
    return VppAccountFactory(organization=organization, name="North", state="in_sync")


@pytest.fixture
def atlas(north: VppAccount) -> LicensedApp:
    book = {"product_type": "Book", "device_assignable": False, "revocable": False}
    found: LicensedApp = title(north, "Atlas", available_count=3, **book)
    return found


@pytest.fixture
def notes(north: VppAccount) -> LicensedApp:
    found: LicensedApp = title(north, "Notes", available_count=3)
    return found


def person(account: VppAccount, name: str, status: str = "Associated", **values: Any) -> VppUser:
    email = f"{name.split()[0].lower()}@example.org"
    owner = OwnerFactory(organization=account.organization, name=name, email=email)
    made: VppUser = VppUserFactory(
        account=account, owner=owner, name=name, email=email, apple_status=status, **values
    )
    return made


def plan_for(kind: str, *users: VppUser) -> BatchPlan:
    wish = batches.wish_for(kind=kind, users=users)
    return batches.make_plan(by=BY, membership=None, account=users[0].account, wish=wish)


def held(titles: Iterable[LicensedApp], user: VppUser) -> None:
    for each in titles:
        AssignmentFactory(licensed_app=each, holder=user.client_user_id, holder_kind="user")


# --- Retiring -------------------------------------------------------------------------------------


def test_plan_detail_of_a_retirement_says_what_stops_what_stays_and_how_to_undo_it(
    owner_client: Client, north: VppAccount, atlas: LicensedApp, notes: LicensedApp
) -> None:
    ada, ben = person(north, "Ada Lovelace"), person(north, "Ben Bitdiddle", "Registered")
    held([atlas, notes], ada)
    held([notes], ben)
    InvitationFactory(user=ben)
    BatchItemFactory(
        batch__account=north,
        licensed_app=atlas,
        holder=ben.client_user_id,
        holder_kind="user",
        state="waiting",
    )
    ada.owner.missing_since = timezone.now()
    ada.owner.save()
    gone = person(north, "Cy Fox", "Retired")

    page = owner_client.get(page_of(plan_for("retire", ada, ben, gone)))

    text = text_of(page)
    assert "Retire 3 people" in text
    assert "Are retired 2 Licenses return 2 Books stay 1 with 1 person for good" in text
    assert "Grants dropped 1 planned or waited for Invitations end 1 Left out 1" in text
    assert "1 of them is no longer in the owners' source." in text
    assert "1 book stays with 1 person for good. No admin and no later step takes it back" in text
    assert "What stops 2 licenses return: the apps can no longer be downloaded" in text
    assert "1 grant that is planned or waited for is dropped. 1 open invitation ends." in text
    assert "What stays 1 book stays with 1 person for good. An app that is installed keeps" in text
    assert "How to undo it Register the person again and invite them" in text
    assert "Notes 2 3 5 as of" in text
    assert "Atlas Irrevocable 0 1 stays for good 2 2 as of" in text
    assert "1 This person has been retired already. Cy Fox" in text
    assert "I understand that 1 book stays with 1 person for good: nobody can ever take it" in text
    assert confirm_button(page) == "Retire 2 people"
    assert 'class="btn btn-danger"' in page.content.decode()


def test_plan_detail_of_one_person_calls_them_by_name(
    owner_client: Client, north: VppAccount
) -> None:
    page = owner_client.get(page_of(plan_for("retire", person(north, "Ada Lovelace", ""))))

    text = text_of(page)
    assert "Retire Ada Lovelace" in text
    assert (
        "1 is unknown to Apple: their registration is dropped, and Apple is told nothing." in text
    )
    assert "I understand" not in text
    assert confirm_button(page) == "Retire 1 person"


def test_what_stays_is_called_a_license_where_it_is_no_book(
    owner_client: Client, north: VppAccount, atlas: LicensedApp
) -> None:
    ada = person(north, "Ada Lovelace")
    held([atlas, title(north, "Kept App", revocable=False)], ada)

    page = owner_client.get(page_of(plan_for("retire", ada)))

    assert "2 permanent licenses stay with 1 person for good" in text_of(page)


def test_what_stays_for_good_needs_a_second_yes(
    owner_client: Client, north: VppAccount, atlas: LicensedApp
) -> None:
    ada = person(north, "Ada Lovelace")
    held([atlas], ada)
    plan = plan_for("retire", ada)

    without = owner_client.post(page_of(plan), follow=True)
    begun = Batch.objects.count()
    answer = owner_client.post(page_of(plan), {"confirm_irrevocable": "1"}, follow=True)

    assert "1 permanent licenses stay with these people for good" in text_of(without)
    assert (begun, Batch.objects.get().kind) == (0, "retire")
    assert "Retire: Ada Lovelace has begun." in text_of(answer)


def test_a_retirement_that_got_worse_is_shown_with_what_changed(
    owner_client: Client, north: VppAccount, notes: LicensedApp
) -> None:
    ada = person(north, "Ada Lovelace")
    plan = plan_for("retire", ada)
    held([notes], ada)

    page = owner_client.post(page_of(plan), follow=True)

    assert "Meanwhile something changed" in text_of(page)
    assert "what it is now: 0 → 1 licenses return." in text_of(page)
    assert not Batch.objects.exists()


def test_the_csv_of_a_retirement_says_what_each_person_keeps(
    owner_client: Client, north: VppAccount, atlas: LicensedApp, notes: LicensedApp
) -> None:
    ada, ben = person(north, "Ada Lovelace"), person(north, "Ben Bitdiddle", "Retired")
    held([atlas, notes, title(north, "Pages")], ada)
    held([atlas], ben)

    rows = csv_of(owner_client.get(page_of(plan_for("retire", ada, ben), format="csv")))

    shared = {"Outcome": "Is retired", "Reason": ""}
    counts = {"Licenses that return": "2", "Permanent licenses that stay": "1"}
    nothing = {"Licenses that return": "0", "Permanent licenses that stay": "0"}
    left_out = {"Outcome": "Left out", "Reason": "This person has been retired already."}
    assert rows == [
        {
            "Name": "Ada Lovelace",
            "Email": "ada@example.org",
            "Client user ID": ada.client_user_id,
            **shared,
            **counts,
        },
        {
            "Name": "Ben Bitdiddle",
            "Email": "ben@example.org",
            "Client user ID": ben.client_user_id,
            **left_out,
            **nothing,
        },
    ]


def test_an_account_that_takes_no_changes_has_no_button_to_retire(
    owner_client: Client, north: VppAccount
) -> None:
    plan = plan_for("retire", person(north, "Ada Lovelace"))
    VppAccount.objects.update(state=AccountState.REVOKED)

    page = owner_client.get(page_of(plan))

    assert confirm_button(page) is None
    assert "North" in text_of(page)


# --- Inviting -------------------------------------------------------------------------------------


def test_plan_detail_of_invitations_says_what_the_people_get(
    owner_client: Client, north: VppAccount
) -> None:
    new = person(north, "New Person", "")
    again = person(north, "Ada Lovelace", "Registered", invited_at=timezone.now())
    done = person(north, "Ben Bitdiddle")
    silent = VppUserFactory(account=north, apple_status="Registered", email="", owner=None)

    page = owner_client.get(page_of(plan_for("invite", new, again, done, silent)))

    text = text_of(page)
    assert "Invite 4 people" in text
    assert "Get an invitation 2 Of these once more 1 they were invited before" in text
    assert "Have accepted 1 nothing changes Left out 1 the reasons are below" in text
    assert "1 is unknown to Apple and is registered first; the mail follows by itself." in text
    assert "What the people get A mail from “North” with a link of their own." in text
    assert "1 No e-mail address is known of this person." in text
    assert confirm_button(page) == "Send 2 invitations"
    assert 'class="btn btn-primary"' in page.content.decode()


def test_invitations_go_out_whatever_the_account_is_in(
    owner_client: Client, north: VppAccount
) -> None:
    plan = plan_for("invite", person(north, "Ada Lovelace", "Registered"), person(north, "B", ""))
    VppAccount.objects.update(state=AccountState.EXPIRED)

    page = owner_client.get(page_of(plan))
    owner_client.post(page_of(plan))

    assert "“North” takes no changes now: the mail goes out once it does again." in text_of(page)
    assert confirm_button(page) == "Send 2 invitations"
    assert Batch.objects.get(kind="invite").planned == 2


def test_nobody_to_invite_has_no_button(owner_client: Client, north: VppAccount) -> None:
    plan = plan_for("invite", person(north, "Ada Lovelace"))

    page = owner_client.get(page_of(plan))
    answer = owner_client.post(page_of(plan), follow=True)

    assert confirm_button(page) is None
    assert "There is nothing to do: this plan changes nothing." in text_of(answer)
    assert not Batch.objects.exists()


def test_the_csv_of_invitations_names_everybody(owner_client: Client, north: VppAccount) -> None:
    ada, ben = person(north, "Ada Lovelace", "Registered"), person(north, "Ben Bitdiddle")

    rows = csv_of(owner_client.get(page_of(plan_for("invite", ada, ben), format="csv")))

    assert [(row["Name"], row["Email"], row["Outcome"], row["Reason"]) for row in rows] == [
        ("Ada Lovelace", "ada@example.org", "Gets an invitation", ""),
        (
            "Ben Bitdiddle",
            "ben@example.org",
            "Left out",
            "This person has accepted already and needs no invitation.",
        ),
    ]


# --- Who, and what it costs -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["retire", "invite"])
def test_a_reader_looks_and_an_outsider_finds_nothing(
    reader_client: Client, outsider_client: Client, north: VppAccount, kind: str
) -> None:
    address = page_of(plan_for(kind, person(north, "Ada Lovelace", "Registered")))

    page = reader_client.get(address)
    answers = [
        reader_client.post(address),
        outsider_client.get(address),
        outsider_client.post(address),
    ]

    assert (page.status_code, confirm_button(page)) == (200, None)
    assert "You have read-only access" in text_of(page)
    assert [answer.status_code for answer in answers] == [403, 404, 404]
    assert not Batch.objects.exists()


@pytest.mark.parametrize("kind", ["retire", "invite"])
def test_the_way_back_is_user_management(
    owner_client: Client, north: VppAccount, kind: str
) -> None:
    page = owner_client.get(page_of(plan_for(kind, person(north, "Ada Lovelace"))))

    users = reverse("licensing:user_list", args=[north.organization_id])
    assert f'href="{users}?account={north.pk}"' in page.content.decode()


@pytest.mark.parametrize("kind", ["retire", "invite"])
def test_a_plan_costs_the_same_for_1_and_60_people(
    owner_client: Client,
    north: VppAccount,
    notes: LicensedApp,
    django_assert_max_num_queries: Any,
    kind: str,
) -> None:
    people = [person(north, f"P{number}", "Registered") for number in range(60)]
    retired = [person(north, f"R{number}", "Retired") for number in range(60)]
    for each in people:
        held([notes], each)
    few, many = plan_for(kind, people[0], retired[0]), plan_for(kind, *people, *retired)
    owner_client.get(page_of(few))

    with django_assert_max_num_queries(20) as of_few:
        owner_client.get(page_of(few))
    with django_assert_max_num_queries(20) as of_many:
        owner_client.get(page_of(many))

    assert len(of_many) <= len(of_few)


# --- Batches --------------------------------------------------------------------------------------


def test_the_page_of_invitations_tells_of_mails_and_not_of_apple(
    owner_client: Client, north: VppAccount
) -> None:
    people = [person(north, f"P{number}", "Registered") for number in range(3)]
    batch = over(north, kind="invite", about="3 people", succeeded=1, failed=1, sent=1)
    batch.finished_at = None
    batch.save()
    said = "The mail server refused this address: 550 no such mailbox"
    for user, state, message in zip(
        people, ("succeeded", "failed", "sent"), ("", said, ""), strict=True
    ):
        where = {"holder_kind": "user", "state": state, "message": message}
        ended(batch, None, user.client_user_id, **where)

    page = owner_client.get(url("batch_detail", batch))
    rows = csv_of(owner_client.get(f"{url('batch_detail', batch)}?format=csv"))

    text = text_of(page)
    assert "Mail sent 1 Failed 1 Pending 1" in text
    assert "Requests to Apple" not in text
    assert "all mails are written" in page.content.decode()
    assert "What comes next The people find a mail with a link of their own." in text
    assert "Invitation by mail Mail on its way" in rows_of(page)[2]
    assert [(row["Title"], row["State"], row["Reason"]) for row in rows] == [
        ("Invitation by mail", "Mail sent", ""),
        ("Invitation by mail", "Failed", said),
        ("Invitation by mail", "Mail on its way", ""),
    ]


def test_the_page_of_a_retirement_says_what_comes_next(
    owner_client: Client, north: VppAccount
) -> None:
    ada = person(north, "Ada Lovelace", "Retired")
    batch = over(north, kind="retire", about="Ada Lovelace", succeeded=1, calls=1)
    ended(batch, None, ada.client_user_id, holder_kind="user")

    page = owner_client.get(url("batch_detail", batch))

    text = text_of(page)
    assert "Retire: Ada Lovelace" in text
    assert "Retired 1" in text
    assert "Ada Lovelace" in rows_of(page)[0]
    assert "Retirement at Apple Succeeded" in rows_of(page)[0]
    assert "To bring somebody back, register them again and invite them under" in text


@pytest.mark.parametrize(
    ("kind", "done"),
    [("register", "2 registered"), ("update", "2 changed"), ("retire", "2 retired")],
)
def test_the_list_calls_what_succeeded_by_its_kind(
    owner_client: Client, organization: Organization, north: VppAccount, kind: str, done: str
) -> None:
    over(north, kind=kind, about="2 people", succeeded=2)

    page = owner_client.get(reverse("licensing:batch_list", args=[organization.pk]))

    assert done in rows_of(page)[0]


def test_failed_invitations_can_be_tried_again_while_apple_is_away(
    owner_client: Client, north: VppAccount
) -> None:
    batch = over(north, kind="invite", about="Ada Lovelace", failed=1)
    ada = person(north, "Ada Lovelace", "Registered", failure="550")
    ended(batch, None, ada.client_user_id, holder_kind="user", state="failed")
    VppAccount.objects.update(state=AccountState.EXPIRED)

    page = owner_client.get(url("batch_detail", batch))
    owner_client.post(url("batch_retry", batch))

    assert 'id="batch-retry"' in page.content.decode()
    assert Batch.objects.get(retry_of=batch).kind == "invite"


def test_what_is_not_written_is_cancelled_in_its_own_words(
    owner_client: Client, north: VppAccount
) -> None:
    plan = plan_for("invite", person(north, "Ada Lovelace", "Registered"))
    owner_client.post(page_of(plan))

    page = owner_client.post(url("batch_cancel", Batch.objects.get()), follow=True)

    assert "1 item cancelled before the mail was written." in text_of(page)
