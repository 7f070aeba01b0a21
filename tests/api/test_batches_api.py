"""Grant and revoke over REST, to the end at Apple."""

import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from licensing.api import batch_requests
from licensing.models import Batch, BatchItem, BatchPlan, LicensedApp
from organizations.audit import Actor
from organizations.models import Admin, ApiKey, Membership
from tests import factories
from tests.api.conftest import ApiClient
from tests.draining import at_apple, drain, synced
from tests.test_sync import KEYNOTE, PAGES
from users.models import VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

BOOK = "1801147365"
CHANGED = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
NEXT = re.compile(r"<[^>]*/api/v1([^>]*)>; rel=next")


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=3)
    fake.purchase(account.uid, BOOK, quantity=5, product_type="Book")
    found = synced(account)
    found[KEYNOTE].app.name = "Keynote"
    found[KEYNOTE].app.save()
    return found


@pytest.fixture
def path(account: VppAccount) -> str:
    return f"/organizations/{account.organization_id}/sm/vppAccounts/{account.pk}/batches"


@pytest.fixture
def ada(fake: FakeApple, account: VppAccount) -> VppUser:
    """Somebody who has accepted."""
    location = fake.location(account.uid)
    user = fake.register(location, "5f1a-ada", "ada@example.org")
    fake.accept_invitation(user.invite_code, "ada@icloud.example")
    synced(account)
    return VppUser.objects.get(client_user_id="5f1a-ada")


def asked(*adam_ids: str, kind: str = "grant", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "assets": [{"adamId": adam_id} for adam_id in adam_ids], **more}


def counts(**those: int) -> dict[str, int]:
    """A batch's counts: those, zero for the others, and their sum."""
    zeros = dict.fromkeys(("pending", "succeeded", "failed", "waiting", "skipped", "cancelled"), 0)
    return {"total": sum(those.values()), **zeros, **those}


def wire(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def outcomes(answer: Any) -> dict[str, tuple[str, str]]:
    """Holder → state and message."""
    return {
        row["serialNumber"] or row["userId"] or row["clientUserId"]: (row["state"], row["message"])
        for row in answer.json()
    }


# --- to the end -----------------------------------------------------------------------------------


def test_a_grant_runs_to_its_end_at_apple(
    owner_api: ApiClient,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    path: str,
) -> None:
    started = owner_api.send(
        "POST", path, asked(KEYNOTE, serialNumbers=["serial1", "SERIAL2"], why="New classroom")
    )
    drain(account, fake)
    ended = owner_api.get(f"{path}/{started.json()['id']}")

    batch = Batch.objects.get()
    begun = {
        "id": str(batch.pk),
        "kind": "grant",
        "state": "planned",
        "reason": "",
        "about": "Keynote · 2 devices",
        "why": "New classroom",
        "priority": 0,
        "everything": False,
        "counts": counts(pending=2),
        "calls": 0,
        "createdAt": wire(batch.created_at),
        "createdBy": f"owner@example.org ({ApiKey.objects.get()})",
        "startedAt": None,
        "finishedAt": None,
        "retryOf": None,
    }
    assert (started.status_code, started.json()) == (202, begun)
    assert ended.json() == begun | {
        "state": "finished",
        "counts": counts(succeeded=2),
        "calls": 1,
        "startedAt": wire(batch.started_at),
        "finishedAt": wire(batch.finished_at),
    }
    assert at_apple(fake, account) == {(KEYNOTE, "SERIAL1"), (KEYNOTE, "SERIAL2")}


def test_a_revoke_runs_to_its_end_at_apple(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, ada: VppUser, path: str
) -> None:
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.assign(account.uid, KEYNOTE, serial_numbers=["SERIAL1", "SERIAL2"])
    fake.assign(account.uid, KEYNOTE, client_user_ids=["5f1a-ada"])
    synced(account)
    body = asked(KEYNOTE, kind="revoke", serialNumbers=["SERIAL1"], userIds=[str(ada.pk)])

    started = owner_api.send("POST", path, body)
    drain(account, fake)
    ended = owner_api.get(f"{path}/{started.json()['id']}")
    items = owner_api.get(f"{path}/{started.json()['id']}/items")

    assert at_apple(fake, account) == {(KEYNOTE, "SERIAL2")}
    assert ended.json()["counts"] == counts(succeeded=2)
    assert outcomes(items) == {"SERIAL1": ("succeeded", ""), str(ada.pk): ("succeeded", "")}


def test_everything_of_a_holder_is_revoked_without_naming_it(
    owner_api: ApiClient,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    path: str,
) -> None:
    fake.assign(account.uid, KEYNOTE, serial_numbers=["SERIAL1", "SERIAL2"])
    fake.assign(account.uid, PAGES, serial_numbers=["SERIAL1"])
    synced(account)

    started = owner_api.send(
        "POST", path, {"kind": "revoke", "everything": True, "serialNumbers": ["serial1"]}
    )
    drain(account, fake)

    assert (started.status_code, started.json()["about"]) == (202, "All licenses · 1 device")
    assert at_apple(fake, account) == {(KEYNOTE, "SERIAL2")}


def test_who_gets_none_waits_and_is_served_when_licenses_come(
    owner_api: ApiClient,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    path: str,
) -> None:
    serials = [f"SERIAL{number}" for number in range(1, 6)]
    one = owner_api.send("POST", path, asked(PAGES, serialNumbers=serials)).json()["id"]
    drain(account, fake)
    before = owner_api.get(f"{path}/{one}").json()

    fake.purchase(account.uid, PAGES, quantity=1)
    synced(account)
    drain(account, fake)
    after = owner_api.get(f"{path}/{one}").json()
    waiting = owner_api.get(f"{path}/{one}/items", {"state": "waiting"})

    assert (before["state"], before["counts"]) == ("finished", counts(succeeded=3, waiting=2))
    assert (after["state"], after["counts"]) == ("finished", counts(succeeded=4, waiting=1))
    assert outcomes(waiting) == {"SERIAL5": ("waiting", "")}


# --- plans ----------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_come_of_it_and_changes_nothing(
    owner_api: ApiClient,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    ada: VppUser,
    path: str,
) -> None:
    fake.assign(account.uid, PAGES, serial_numbers=["HOLDER1"])
    synced(account)
    factories.DeviceFactory(
        organization=account.organization, serial_number="MAC1", platform="macOS"
    )
    factories.DeviceFactory(organization=account.organization, serial_number="PAD1")
    LicensedApp.objects.filter(adam_id=PAGES).update(platforms=["iOS"])
    elsewhere = factories.VppUserFactory()
    body = asked(
        PAGES,
        serialNumbers=["holder1", "MAC1", "PAD1", "bad-1"],
        userIds=[str(ada.pk), str(elsewhere.pk)],
        dryRun=True,
    )

    answer = owner_api.send("POST", path, body)

    title = {"adamId": PAGES, "pricingParam": "STDQ"}
    device = {"userId": None, "clientUserId": None}
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "planId": str(BatchPlan.objects.get().pk),
            "kind": "grant",
            "grant": 2,
            "revoke": 0,
            "alreadyHold": 1,
            "holdNone": 0,
            "waiting": 0,
            "noLongerWaiting": 0,
            "skipped": [
                title
                | device
                | {
                    "serialNumber": "MAC1",
                    "reason": "wrongPlatform",
                    "message": "The title does not run on this device's platform.",
                },
                title
                | device
                | {
                    "serialNumber": "BAD-1",
                    "reason": "invalidSerialNumber",
                    "message": "This is not a serial number: letters and digits only, at most 32.",
                },
                title
                | {
                    "serialNumber": None,
                    "userId": str(elsewhere.pk),
                    "clientUserId": None,
                    "reason": "unknownUser",
                    "message": "This account has no such person.",
                },
            ],
            "skippedCount": 3,
            "skippedReasons": {"wrongPlatform": 1, "invalidSerialNumber": 1, "unknownUser": 1},
            "availableAfter": [title | {"available": 0}],
            "irrevocable": 0,
            "notAccepted": 0,
            "notRegistered": 0,
            "notInInventory": 2,
        },
    )
    assert Batch.objects.count() == 0


def test_devices_and_people_share_what_is_left(
    owner_api: ApiClient, titles: dict[str, LicensedApp], ada: VppUser, path: str
) -> None:
    body = asked(PAGES, serialNumbers=["S1", "S2", "S3"], userIds=[str(ada.pk)], dryRun=True)

    plan = owner_api.send("POST", path, body).json()

    assert (plan["grant"], plan["waiting"]) == (3, 1)
    assert plan["availableAfter"] == [{"adamId": PAGES, "pricingParam": "STDQ", "available": 0}]


def test_a_dry_run_of_a_revoke(
    owner_api: ApiClient,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    path: str,
) -> None:
    fake.assign(account.uid, KEYNOTE, serial_numbers=["SERIAL1"])
    synced(account)
    body = asked(KEYNOTE, kind="revoke", serialNumbers=["SERIAL1", "SERIAL2"], dryRun=True)

    plan = owner_api.send("POST", path, body).json()

    told = ("kind", "grant", "revoke", "alreadyHold", "holdNone", "skippedCount")
    assert [plan[name] for name in told] == ["revoke", 0, 1, 0, 1, 0]
    assert plan["availableAfter"] == [{"adamId": KEYNOTE, "pricingParam": "STDQ", "available": 10}]


def test_a_plan_is_started_by_its_id_and_once(
    owner_api: ApiClient,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    path: str,
) -> None:
    body = asked(KEYNOTE, serialNumbers=["SERIAL1"], dryRun=True)
    plan = owner_api.send("POST", path, body).json()["planId"]

    first = owner_api.send("POST", path, {"planId": plan})
    second = owner_api.send("POST", path, {"planId": plan})
    drain(account, fake)

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert at_apple(fake, account) == {(KEYNOTE, "SERIAL1")}


def test_with_its_plan_the_same_request_may_be_sent_again(
    owner_api: ApiClient, titles: dict[str, LicensedApp], ada: VppUser, path: str
) -> None:
    body = asked(KEYNOTE, PAGES, serialNumbers=["S1", "S2"], userIds=[str(ada.pk)], priority=3)
    plan = owner_api.send("POST", path, body | {"dryRun": True}).json()["planId"]
    body["assets"].reverse()

    answer = owner_api.send("POST", path, body | {"planId": plan, "serialNumbers": ["s2", "s1"]})

    assert (answer.status_code, answer.json()["counts"]) == (202, counts(pending=6))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "revoke"),
        ("assets", [{"adamId": PAGES}]),
        ("serialNumbers", ["SERIAL1", "SERIAL2"]),
        ("userIds", ["1"]),
        ("priority", 1),
        ("everything", True),
        ("why", "Another"),
    ],
)
def test_a_plan_is_started_for_nothing_else_than_it_was_made_of(
    owner_api: ApiClient, titles: dict[str, LicensedApp], path: str, name: str, value: object
) -> None:
    body = asked(KEYNOTE, serialNumbers=["SERIAL1"], dryRun=True)
    plan = owner_api.send("POST", path, body).json()["planId"]

    answer = owner_api.send("POST", path, {"planId": plan, name: value})

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "errors": [f"“{name}” is not what this plan was made of; leave it out or plan again."],
            "code": "request_wrong",
        },
    )
    assert Batch.objects.count() == 0


def test_a_plan_that_came_out_worse_is_answered_with_the_new_one(
    owner_api: ApiClient, titles: dict[str, LicensedApp], path: str
) -> None:
    body = asked(PAGES, serialNumbers=["SERIAL1", "SERIAL2"])
    shown = owner_api.send("POST", path, body | {"dryRun": True}).json()
    owner_api.send("POST", path, asked(PAGES, serialNumbers=["OTHER1", "OTHER2"]))

    worse = owner_api.send("POST", path, {"planId": shown["planId"]})
    confirmed = owner_api.send("POST", path, {"planId": worse.json()["plan"]["planId"]})

    new = BatchPlan.objects.latest("created_at")
    assert (worse.status_code, worse.json()) == (
        409,
        {
            "errors": [
                "Meanwhile something changed, and the result would be another one than was shown."
                " Look at the new plan and confirm again."
            ],
            "code": "plan_got_worse",
            "plan": shown
            | {
                "planId": str(new.pk),
                "grant": 1,
                "waiting": 1,
                "availableAfter": [{"adamId": PAGES, "pricingParam": "STDQ", "available": 0}],
            },
        },
    )
    assert confirmed.json()["counts"] == counts(pending=1, waiting=1)


def test_without_a_plan_of_its_own_what_got_worse_runs_as_well(
    owner: Admin,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    owner_api: ApiClient,
    path: str,
) -> None:
    body = asked(PAGES, serialNumbers=["SERIAL1", "SERIAL2"], dryRun=True)
    stale = BatchPlan.objects.get(pk=owner_api.send("POST", path, body).json()["planId"])
    owner_api.send("POST", path, asked(PAGES, serialNumbers=["OTHER1", "OTHER2"]))

    batch = batch_requests.start_current(
        stale,
        by=Actor.of_admin(owner),
        membership=Membership.objects.get(admin=owner),
        confirmed=False,
    )

    assert (batch.planned, batch.waiting) == (1, 1)


def test_a_plan_of_another_account_is_unknown(
    owner_api: ApiClient, titles: dict[str, LicensedApp], account: VppAccount, path: str
) -> None:
    body = asked(KEYNOTE, serialNumbers=["SERIAL1"], dryRun=True)
    plan = owner_api.send("POST", path, body).json()["planId"]
    other = factories.VppAccountFactory(organization=account.organization)
    its_path = path.replace(f"Accounts/{account.pk}/", f"Accounts/{other.pk}/")

    answers = [
        owner_api.send("POST", its_path, {"planId": plan}),
        owner_api.send("POST", path, {"planId": str(uuid.uuid4())}),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (400, "plan_unknown")
    ] * 2


def test_what_is_for_good_needs_a_confirmation(
    owner_api: ApiClient,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    ada: VppUser,
    path: str,
) -> None:
    body = asked(BOOK, userIds=[str(ada.pk)])

    plan = owner_api.send("POST", path, body | {"dryRun": True}).json()
    refused = [
        owner_api.send("POST", path, body),
        owner_api.send("POST", path, {"planId": plan["planId"]}),
    ]
    confirmed = owner_api.send("POST", path, {"planId": plan["planId"], "confirmIrrevocable": True})
    drain(account, fake)

    assert (plan["grant"], plan["irrevocable"]) == (1, 1)
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [
        (400, "confirm_irrevocable")
    ] * 2
    assert confirmed.status_code == 202
    assert at_apple(fake, account) == {(BOOK, "5f1a-ada")}


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "“kind” is missing; it is grant or revoke."),
        ({"kind": "retire"}, '“kind”: "retire" is not a valid choice.'),
        (
            asked("999", serialNumbers=["A"]),
            "“assets” names a title that this account does not have: 999/STDQ.",
        ),
        (
            {"kind": "grant", "assets": [{"adamId": KEYNOTE, "pricingParam": "PLUS"}]},
            f"“assets” names a title that this account does not have: {KEYNOTE}/PLUS.",
        ),
        (asked("abc"), "“assets[0].adamId”: must be digits only."),
        ({"kind": "grant", "assets": [{}]}, "“assets[0].adamId” is missing."),
        (asked(KEYNOTE, serialNumbers="A"), "“serialNumbers”: must be a list of texts."),
        (
            asked(KEYNOTE, serialNumbers=["A", 5]),
            "“serialNumbers[1]”: must be a serial number: a text of 1 to 64 characters.",
        ),
        (
            asked(KEYNOTE, serialNumbers=["A", "B" * 65]),
            "“serialNumbers[1]”: must be a serial number: a text of 1 to 64 characters.",
        ),
        (
            asked(KEYNOTE, serialNumbers=["A\x00"]),
            "“serialNumbers[0]”: must be a serial number: a text of 1 to 64 characters.",
        ),
        (
            asked(KEYNOTE, userIds=["ada"]),
            "“userIds[0]”: must be an id as …/users gives it: a text of digits.",
        ),
        (
            asked(KEYNOTE, serialNumbers=["A"] * 100_001),
            "“serialNumbers”: takes at most 100,000 at once; these are 100,001. Send them in parts.",
        ),
        (
            asked(KEYNOTE, serialNumbers=["A"], priority=1001),
            "“priority”: Ensure this value is less than or equal to 1000.",
        ),
        (asked(KEYNOTE, everything=True), "“everything” goes with kind revoke only."),
        (
            asked(KEYNOTE, kind="revoke", everything=True, serialNumbers=["A"]),
            "“everything” and “assets” exclude each other.",
        ),
        (
            {"kind": "revoke", "everything": True, "serialNumbers": ["A"]},
            "None of these holders holds a license of this account, so there is nothing to take back.",
        ),
        ({"planId": "7"}, "“planId”: Must be a valid UUID."),
        (
            {"planId": str(uuid.UUID(int=7)), "dryRun": True},
            "“dryRun” and “planId” exclude each other.",
        ),
    ],
)
def test_requests_that_make_no_sense_are_refused(
    owner_api: ApiClient, titles: dict[str, LicensedApp], path: str, body: object, error: str
) -> None:
    answer = owner_api.send("POST", path, body)

    assert (answer.status_code, answer.json()["errors"]) == (400, [error])
    assert Batch.objects.count() == 0


@pytest.mark.parametrize("body", [asked(serialNumbers=["A"]), asked(KEYNOTE)])
def test_a_batch_of_nothing_is_refused(
    owner_api: ApiClient, titles: dict[str, LicensedApp], path: str, body: object
) -> None:
    answer = owner_api.send("POST", path, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "nothing_chosen")


def test_a_batch_for_an_account_that_stopped_is_refused(
    owner_api: ApiClient, titles: dict[str, LicensedApp], path: str
) -> None:
    VppAccount.objects.update(state="expired", state_reason="Renew the token.")

    answer = owner_api.send("POST", path, asked(KEYNOTE, serialNumbers=["SERIAL1"]))

    assert (answer.status_code, answer.json()["code"]) == (409, "account_stopped")
    assert Batch.objects.count() == 0


def test_a_hundred_thousand_serial_numbers_are_read_within_a_second(
    owner_api: ApiClient, titles: dict[str, LicensedApp], path: str
) -> None:
    serials = [f"DMQ{number:09d}" for number in range(100_000)]
    body = asked(KEYNOTE, kind="revoke", serialNumbers=serials, priority="high", dryRun=True)

    began = time.perf_counter()
    answer = owner_api.send("POST", path, body)
    took = time.perf_counter() - began

    # All of it was read: the only thing that is wrong is the priority.
    assert answer.json()["errors"] == ["“priority”: A valid integer is required."]
    assert took < 1


# --- idempotency ----------------------------------------------------------------------------------


def test_a_batch_that_is_asked_for_again_is_begun_once(
    owner_api: ApiClient, titles: dict[str, LicensedApp], path: str
) -> None:
    body, key = asked(KEYNOTE, serialNumbers=["SERIAL1"]), {"Idempotency-Key": "4f1c"}

    first = owner_api.send("POST", path, body, headers=key)
    second = owner_api.send("POST", path, body, headers=key)
    other = owner_api.send("POST", path, body | {"priority": 2}, headers=key)

    assert (first.status_code, second.status_code, other.status_code) == (202, 202, 409)
    assert second.content == first.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Batch.objects.count() == 1


# --- the batch and its items ----------------------------------------------------------------------


def test_an_item_says_what_became_of_it(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    title = factories.LicensedAppFactory(account=account)
    ada = factories.VppUserFactory(account=account)
    batch = factories.BatchFactory(account=account)
    give = {"batch": batch, "licensed_app": title, "state": "planned", "changed_at": CHANGED}
    on_device = factories.BatchItemFactory(
        **give | {"state": "failed"}, holder="S1", error_number=9707, message="Not on devices."
    )
    for_ada = factories.BatchItemFactory(**give, holder_kind="user", holder=ada.client_user_id)
    unknown = factories.BatchItemFactory(**give, holder_kind="user", holder="other-mdm")
    registered = factories.BatchItemFactory(
        **give | {"state": "sent", "licensed_app": None},
        kind="register",
        holder_kind="user",
        holder=ada.client_user_id,
    )

    answer = owner_api.get(f"{path}/{batch.pk}/items")

    key = {"adamId": title.adam_id, "pricingParam": "STDQ"}
    at = {"changedAt": "2026-05-04T12:00:30Z"}
    plain = {"errorNumber": None, "message": "", "state": "planned", **at}
    nobody = {"serialNumber": None, "userId": None, "clientUserId": None}
    ours = nobody | {"userId": str(ada.pk), "clientUserId": ada.client_user_id}
    assert answer.json() == [
        {"id": str(on_device.pk), **key, **nobody}
        | {"serialNumber": "S1", "state": "failed"}
        | {"errorNumber": 9707, "message": "Not on devices.", **at},
        {"id": str(for_ada.pk), **key, **ours, **plain},
        {"id": str(unknown.pk), **key, **nobody, **plain} | {"clientUserId": "other-mdm"},
        {"id": str(registered.pk), "adamId": None, "pricingParam": None, **ours, **plain}
        | {"state": "sent"},
    ]


def test_items_come_in_pages_and_by_state(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    batch = factories.BatchFactory(account=account)
    title = factories.LicensedAppFactory(account=account)
    for number in range(5):
        state = "failed" if number in (1, 4) else "succeeded"
        factories.BatchItemFactory(
            batch=batch, licensed_app=title, holder=f"S{number}", state=state
        )
    factories.BatchItemFactory(batch=factories.BatchFactory(account=account), holder="OTHER")

    first = owner_api.get(f"{path}/{batch.pk}/items", {"perPage": 3})
    second = owner_api.get(NEXT.search(first.headers["Link"])[1])
    failed = owner_api.get(f"{path}/{batch.pk}/items", {"state": "failed"})

    assert [[*outcomes(page)] for page in (first, second, failed)] == [
        ["S0", "S1", "S2"],
        ["S3", "S4"],
        ["S1", "S4"],
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_items_cost_the_same_for_one_and_three(
    owner_api: ApiClient,
    account: VppAccount,
    path: str,
    django_assert_num_queries: Any,
    count: int,
) -> None:
    batch = factories.BatchFactory(account=account)
    for _ in range(count):
        title = factories.LicensedAppFactory(account=account)
        factories.BatchItemFactory(batch=batch, licensed_app=title)
        user = factories.VppUserFactory(account=account)
        factories.BatchItemFactory(
            batch=batch, licensed_app=title, holder_kind="user", holder=user.client_user_id
        )
    owner_api.get("/organizations")

    with django_assert_num_queries(8):
        answer = owner_api.get(f"{path}/{batch.pk}/items")

    assert len(answer.json()) == 2 * count


def test_batches_are_listed_newest_first_by_kind_and_state(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    grant = factories.BatchFactory(account=account)
    revoke = factories.BatchFactory(account=account, kind="revoke", state="running")
    again = factories.BatchFactory(account=account, retry_of=grant)
    factories.BatchFactory(account__organization=account.organization)

    every = owner_api.get(path)
    grants = owner_api.get(path, {"kind": "grant"})
    running = owner_api.get(path, {"state": "running"})
    nonsense = owner_api.get(path, {"state": "odd"})

    ids = [[row["id"] for row in answer.json()] for answer in (every, grants, running)]
    one, two, three = (str(batch.pk) for batch in (grant, revoke, again))
    assert ids == [[three, two, one], [three, one], [two]]
    assert every.json()[0]["retryOf"] == one
    assert (nonsense.status_code, nonsense.json()["code"]) == (400, "bad_parameter")


def test_what_is_not_sent_is_cancelled(
    owner_api: ApiClient,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    path: str,
) -> None:
    body = asked(PAGES, serialNumbers=[f"SERIAL{number}" for number in range(5)])
    one = owner_api.send("POST", path, body).json()["id"]
    drain(account, fake)

    cancelled = owner_api.send("POST", f"{path}/{one}/cancel")
    again = owner_api.send("POST", f"{path}/{one}/cancel")

    assert (cancelled.status_code, cancelled.json()["counts"]) == (
        202,
        counts(succeeded=3, cancelled=2),
    )
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_cancel")


def test_what_failed_is_tried_again_as_a_new_batch(
    owner_api: ApiClient,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    path: str,
) -> None:
    body = asked(KEYNOTE, serialNumbers=["SERIAL1", "SERIAL2"])
    one = owner_api.send("POST", path, body).json()["id"]
    nothing = owner_api.send("POST", f"{path}/{one}/retry")
    BatchItem.objects.filter(holder="SERIAL1").update(state="failed")

    again = owner_api.send("POST", f"{path}/{one}/retry")
    drain(account, fake)

    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_retry")
    told = again.json()
    assert (again.status_code, told["retryOf"], told["counts"]) == (202, one, counts(pending=1))
    assert told["why"] == f"Again what failed in #{one}."
    assert at_apple(fake, account) == {(KEYNOTE, "SERIAL1"), (KEYNOTE, "SERIAL2")}
