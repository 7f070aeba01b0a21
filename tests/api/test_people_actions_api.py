"""Inviting and retiring people over REST, to the end at the mail server and at Apple."""

import uuid
from typing import Any

import pytest

from licensing.models import Batch, BatchPlan, LicensedApp
from organizations.models import Organization
from organizations.tasks import send_mail
from tests import factories
from tests.api.conftest import ApiClient
from tests.api.test_batches_api import counts
from tests.draining import drain, synced
from tests.test_sync import KEYNOTE
from users.models import Invitation, VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, VppAccount

BOOK = "1801147365"
ACTIONS = pytest.mark.parametrize("action", ["invite", "retire"])


@pytest.fixture
def path(account: VppAccount) -> str:
    return f"/organizations/{account.organization_id}/sm/vppAccounts/{account.pk}"


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=5)
    fake.purchase(account.uid, BOOK, quantity=5, product_type="Book")
    return synced(account)


@pytest.fixture
def ann(fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]) -> VppUser:
    """Apple knows her; she has not accepted yet, and holds an app and a book."""
    fake.add_users(account.uid, [{"clientUserId": "ann", "email": "ann@example.org"}])
    for adam_id in (KEYNOTE, BOOK):
        fake.assign(account.uid, adam_id, client_user_ids=["ann"])
    synced(account)
    return VppUser.objects.get(client_user_id="ann")


def ids(*users: VppUser) -> dict[str, list[str]]:
    return {"userIds": [str(user.pk) for user in users]}


# --- To the end -----------------------------------------------------------------------------------


def test_an_invitation_runs_to_the_mail_server(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, ann: VppUser, path: str
) -> None:
    started = owner_api.send("POST", f"{path}/users/invite", ids(ann) | {"why": "New school year"})
    drain(account, fake)
    under_way = owner_api.get(f"{path}/batches/{started.json()['id']}").json()
    send_mail()
    ended = owner_api.get(f"{path}/batches/{started.json()['id']}").json()
    user = owner_api.get(f"{path}/users/{ann.pk}").json()

    assert (started.status_code, started.json()["kind"]) == (202, "invite")
    assert (started.json()["about"], started.json()["why"]) == (
        "ann@example.org",
        "New school year",
    )
    assert (under_way["state"], under_way["counts"]) == ("running", counts(pending=1))
    assert (ended["state"], ended["counts"], ended["calls"]) == ("finished", counts(succeeded=1), 0)
    assert user["status"] == "Invited"


def test_a_retirement_runs_to_its_end_at_apple(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, ann: VppUser, path: str
) -> None:
    started = owner_api.send("POST", f"{path}/users/retire", ids(ann))
    drain(account, fake)
    ended = owner_api.get(f"{path}/batches/{started.json()['id']}").json()
    items = owner_api.get(f"{path}/batches/{started.json()['id']}/items").json()
    held = owner_api.get(f"{path}/assignments").json()

    assert (started.status_code, started.json()["kind"]) == (202, "retire")
    assert (ended["state"], ended["counts"], ended["calls"]) == ("finished", counts(succeeded=1), 1)
    [item] = items
    assert (item["userId"], item["adamId"], item["state"]) == (str(ann.pk), None, "succeeded")
    assert [(row["adamId"], row["clientUserId"]) for row in held] == [(BOOK, "ann")]
    assert owner_api.get(f"{path}/users/{ann.pk}").json()["status"] == "Retired"


# --- Plans ----------------------------------------------------------------------------------------


def test_a_dry_run_of_an_invitation(
    owner_api: ApiClient, account: VppAccount, ann: VppUser, path: str
) -> None:
    gone = factories.VppUserFactory(account=account, apple_status="Retired")
    new = factories.VppUserFactory(account=account, apple_status="")
    body = {"userIds": [str(ann.pk), str(new.pk), str(gone.pk), "4711"], "dryRun": True}

    answer = owner_api.send("POST", f"{path}/users/invite", body)

    plan = BatchPlan.objects.get()
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "planId": str(plan.pk),
            "kind": "invite",
            "invite": 2,
            "invitedBefore": 0,
            "notRegistered": 1,
            "skipped": [
                {
                    "userId": str(gone.pk),
                    "clientUserId": gone.client_user_id,
                    "reason": "userRetired",
                    "message": "This person has been retired; add them again first.",
                },
                {
                    "userId": "4711",
                    "clientUserId": None,
                    "reason": "unknownUser",
                    "message": "This account has no such person.",
                },
            ],
            "skippedCount": 2,
            "skippedReasons": {"userRetired": 1, "unknownUser": 1},
        },
    )
    assert not Batch.objects.exists()
    assert not Invitation.objects.exists()


def test_a_dry_run_of_a_retirement(
    owner_api: ApiClient, account: VppAccount, ann: VppUser, path: str
) -> None:
    factories.InvitationFactory(user=ann)

    answer = owner_api.send("POST", f"{path}/users/retire", ids(ann) | {"dryRun": True})

    def after(adam_id: str, **numbers: int) -> dict[str, Any]:
        return {"adamId": adam_id, "pricingParam": "STDQ", **numbers}

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "planId": str(BatchPlan.objects.get().pk),
            "kind": "retire",
            "retire": 1,
            "licensesReturned": 1,
            "booksStaying": 1,
            "peopleKeepingBooks": 1,
            "grantsDropped": 0,
            "invitationsEnded": 1,
            "leftSource": 0,
            "notRegistered": 0,
            "availableAfter": [
                after(KEYNOTE, available=5, returned=1, staying=0),
                after(BOOK, available=4, returned=0, staying=1),
            ],
            "skipped": [],
            "skippedCount": 0,
            "skippedReasons": {},
        },
    )
    assert not Batch.objects.exists()


@ACTIONS
def test_a_plan_is_started_by_its_id_and_once(
    owner_api: ApiClient, account: VppAccount, ann: VppUser, path: str, action: str
) -> None:
    plan = owner_api.send("POST", f"{path}/users/{action}", ids(ann) | {"dryRun": True}).json()

    answers = [
        owner_api.send("POST", f"{path}/users/{action}", {"planId": plan["planId"]})
        for _ in range(2)
    ]

    assert {answer.status_code for answer in answers} == {202}
    assert {answer.json()["id"] for answer in answers} == {str(Batch.objects.get().pk)}


@ACTIONS
def test_a_plan_that_got_worse_is_answered_with_the_new_one(
    owner_api: ApiClient, account: VppAccount, ann: VppUser, path: str, action: str
) -> None:
    ben = factories.VppUserFactory(account=account, apple_status="Registered")
    body = ids(ann, ben) | {"dryRun": True}
    plan = owner_api.send("POST", f"{path}/users/{action}", body).json()
    VppUser.objects.filter(pk=ben.pk).update(apple_status="Retired")

    answer = owner_api.send("POST", f"{path}/users/{action}", {"planId": plan["planId"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "plan_got_worse")
    assert (plan[action], answer.json()["plan"][action]) == (2, 1)
    assert answer.json()["plan"]["planId"] != plan["planId"]
    assert not Batch.objects.exists()


def test_a_plan_is_started_only_where_its_kind_is(
    owner_api: ApiClient, account: VppAccount, ann: VppUser, path: str
) -> None:
    made = owner_api.send("POST", f"{path}/users/retire", ids(ann) | {"dryRun": True}).json()

    elsewhere = [
        owner_api.send("POST", f"{path}/{place}", {"planId": made["planId"]})
        for place in ("users/invite", "batches")
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in elsewhere] == [
        (400, "plan_unknown")
    ] * 2


# --- Refusals -------------------------------------------------------------------------------------


@ACTIONS
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "Choose at least one person to {action}."),
        ({"userIds": []}, "Choose at least one person to {action}."),
        ({"userIds": "7"}, "“userIds”: must be a list of texts."),
        ({"userIds": ["x"]}, "must be an id as …/users gives it: a text of digits."),
        ({"planId": "no"}, "planId"),
        ({"planId": str(uuid.uuid4())}, "This plan does not exist (any more)"),
        ({"planId": str(uuid.uuid4()), "dryRun": True}, "“planId” exclude each other"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(
    owner_api: ApiClient, account: VppAccount, path: str, action: str, body: Any, said: str
) -> None:
    answer = owner_api.send("POST", f"{path}/users/{action}", body)

    assert answer.status_code == 400
    assert said.format(action=action) in answer.json()["errors"][0]


def test_an_account_that_takes_no_changes_invites_and_does_not_retire(
    owner_api: ApiClient, account: VppAccount, ann: VppUser, path: str
) -> None:
    VppAccount.objects.filter(pk=account.pk).update(state=AccountState.EXPIRED)

    invited = owner_api.send("POST", f"{path}/users/invite", ids(ann))
    retired = owner_api.send("POST", f"{path}/users/retire", ids(ann))

    assert invited.status_code == 202
    assert (retired.status_code, retired.json()["code"]) == (409, "account_stopped")


@ACTIONS
def test_the_same_key_begins_one_batch(
    owner_api: ApiClient, account: VppAccount, ann: VppUser, path: str, action: str
) -> None:
    key = {"Idempotency-Key": "once"}

    answers = [
        owner_api.send("POST", f"{path}/users/{action}", ids(ann), headers=key) for _ in range(2)
    ]

    assert answers[0].json() == answers[1].json()
    assert Batch.objects.count() == 1


@ACTIONS
def test_who_may(
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
    nobody_api: ApiClient,
    account: VppAccount,
    ann: VppUser,
    path: str,
    action: str,
) -> None:
    apis = (reader_api, outsider_api, network_admin_api, nobody_api)

    answers = [api.send("POST", f"{path}/users/{action}", ids(ann)) for api in apis]

    assert [answer.status_code for answer in answers] == [403, 404, 404, 401]
    assert not Batch.objects.exists()


@ACTIONS
def test_people_of_another_account_are_not_there(
    owner_api: ApiClient,
    organization: Organization,
    account: VppAccount,
    path: str,
    action: str,
) -> None:
    other = factories.VppUserFactory(account=factories.VppAccountFactory(organization=organization))

    answer = owner_api.send("POST", f"{path}/users/{action}", ids(other) | {"dryRun": True})

    assert (answer.json()[action], answer.json()["skippedReasons"]) == (0, {"unknownUser": 1})
