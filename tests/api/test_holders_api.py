"""Holders that no inventory knows, over REST: counted, listed, everything taken back from them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing.models import Assignment, Batch, BatchPlan, LicensedApp
from organizations import audit
from organizations.audit import Actor
from tests import factories
from tests.api.conftest import ApiClient
from tests.draining import at_apple, drain, synced
from tests.test_sync import KEYNOTE, PAGES
from tests.test_unknown_holders import held_by
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

USER = Assignment.HolderKind.USER
ONE_OF_BOTH = "“serialNumbers” or “clientUserIds” has to name somebody, and not both."


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    """One title held by a known and two unknown devices, another by one of these."""
    factories.DeviceFactory(organization=account.organization, serial_number="KNOWN1")
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=10)
    fake.assign(account.uid, KEYNOTE, serial_numbers=["GHOST1", "GHOST2", "KNOWN1"])
    fake.assign(account.uid, PAGES, serial_numbers=["GHOST1"])
    return synced(account)


@pytest.fixture
def path(account: VppAccount) -> str:
    return f"/organizations/{account.organization_id}/sm/vppAccounts/{account.pk}/unknownHolders"


def names(answer: Any) -> list[str]:
    return [row["serialNumber"] or row["clientUserId"] for row in answer.json()]


def test_unknown_holders_are_counted_by_account(
    reader_api: ApiClient, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    held_by(account, "who", kind=USER)
    closed = factories.VppAccountFactory(organization=account.organization, allowed_admins="named")
    held_by(closed, "GHOST9")

    told = reader_api.get(f"/organizations/{account.organization_id}/sm/unknownHolders").json()

    assert (told["isCapped"], told["vppAccounts"]) == (
        False,
        [
            {
                "vppAccountId": str(account.pk),
                "name": "Example Schools North",
                "devices": 2,
                "users": 1,
            }
        ],
    )


def test_unknown_holders_are_listed_with_what_they_hold(
    reader_api: ApiClient, path: str, titles: dict[str, LicensedApp]
) -> None:
    answer = reader_api.get(path)

    since = Assignment.objects.filter(holder="GHOST1").earliest("since").since
    assert names(answer) == ["GHOST1", "GHOST2"]
    assert answer.json()[0] == {
        "serialNumber": "GHOST1",
        "clientUserId": None,
        "email": None,
        "licenses": 2,
        "assets": [
            {"adamId": adam_id, "pricingParam": "STDQ"} for adam_id in sorted((KEYNOTE, PAGES))
        ],
        "since": f"{since:%Y-%m-%dT%H:%M:%SZ}",
        "revocable": True,
        "reason": "neverImported",
        "message": "Never imported here, or another MDM's.",
    }


def test_unknown_holders_are_told_with_the_reason(
    reader_api: ApiClient, account: VppAccount, path: str, by: Actor
) -> None:
    device = factories.DeviceFactory(organization=account.organization, serial_number="A1")
    audit.record(
        "device.deleted",
        by=by,
        organization=account.organization,
        target=device,
        before={"serialNumber": "A1"},
    )
    device.delete()
    held_by(account, "A1")
    held_by(account, "A2", origin="other_mdm")
    held_by(account, "A3", origin="manual")
    factories.VppUserFactory(
        account=account, client_user_id="u1", email="u1@example.org", apple_status="Retired"
    )
    held_by(account, "u1", "u2", kind=USER)

    devices = reader_api.get(path).json()
    people = reader_api.get(path, {"kind": "users"}).json()

    assert [(row["serialNumber"], row["reason"]) for row in devices] == [
        ("A1", "deletedHere"),
        ("A2", "otherMdm"),
        ("A3", "grantedHere"),
    ]
    assert [
        (row["clientUserId"], row["email"], row["revocable"], row["reason"]) for row in people
    ] == [
        ("u1", "u1@example.org", True, "retired"),
        ("u2", None, False, "notAtApple"),
    ]


def test_unknown_holders_are_paged_by_name_and_searched(
    reader_api: ApiClient, account: VppAccount, path: str
) -> None:
    held_by(account, "E1", "E2", "E3", "E4", "F1")

    first = reader_api.get(path, {"perPage": 3})
    second = reader_api.get(path, {"startingAfter": "=E3", "perPage": 3})
    back = reader_api.get(path, {"endingBefore": "=E4"})
    last = reader_api.get(path, {"endingBefore": "end", "perPage": 3})
    searched = reader_api.get(path, {"search": "e"})
    wrong = reader_api.get(path, {"startingAfter": "E3"})

    assert names(first) == ["E1", "E2", "E3"]
    assert "startingAfter=%3DE3>; rel=next" in first.headers["Link"]
    assert (names(second), "rel=next" in second.headers["Link"]) == (["E4", "F1"], False)
    assert (names(back), names(last)) == (["E1", "E2", "E3"], ["E3", "E4", "F1"])
    assert names(searched) == ["E1", "E2", "E3", "E4"]
    assert (wrong.status_code, wrong.json()["code"]) == (400, "bad_parameter")


def test_unknown_holders_as_csv_are_all_of_them(
    reader_api: ApiClient, account: VppAccount, path: str
) -> None:
    held_by(account, "E1", "E2")

    answer = reader_api.get(path, headers={"Accept": "text/csv"})

    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["serialNumber", "E1", "E2"]


def test_unknown_holders_cost_the_same_for_one_and_for_three(
    reader_api: ApiClient, account: VppAccount, path: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            reader_api.get(path)
        return len(captured)

    held_by(account, "E1")
    queries()
    one = queries()
    held_by(account, "E2", "E3")

    assert queries() == one


# --- Taking back ----------------------------------------------------------------------------------


def test_everything_is_taken_back_from_those_who_are_named(
    owner_api: ApiClient,
    fake: FakeApple,
    account: VppAccount,
    path: str,
    titles: dict[str, LicensedApp],
) -> None:
    body = {"serialNumbers": ["GHOST1"]}

    dry = owner_api.send("POST", f"{path}/revoke", body | {"dryRun": True})
    planned = at_apple(fake, account)
    started = owner_api.send("POST", f"{path}/revoke", body)
    drain(account, fake)

    assert (dry.status_code, dry.json()["revoke"], dry.json()["kind"]) == (200, 2, "revoke")
    assert len(planned) == 4
    assert (started.status_code, started.json()["everything"]) == (202, True)
    assert started.json()["id"] == str(Batch.objects.get().pk)
    assert at_apple(fake, account) == {(KEYNOTE, "GHOST2"), (KEYNOTE, "KNOWN1")}


def test_a_plan_is_started_where_batches_are(
    owner_api: ApiClient,
    fake: FakeApple,
    account: VppAccount,
    path: str,
    titles: dict[str, LicensedApp],
) -> None:
    dry = owner_api.send(
        "POST", f"{path}/revoke", {"serialNumbers": ["GHOST1"], "dryRun": True}
    ).json()

    started = owner_api.send(
        "POST", path.replace("unknownHolders", "batches"), {"planId": dry["planId"]}
    )
    drain(account, fake)

    assert started.status_code == 202
    assert at_apple(fake, account) == {(KEYNOTE, "GHOST2"), (KEYNOTE, "KNOWN1")}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, ONE_OF_BOTH),
        ({"serialNumbers": []}, ONE_OF_BOTH),
        ({"serialNumbers": ["GHOST1"], "clientUserIds": ["u1"]}, ONE_OF_BOTH),
        (
            {"serialNumbers": ["GHOST1", "KNOWN1"]},
            "“serialNumbers” has one that …/unknownHolders has not: KNOWN1.",
        ),
        (
            {"clientUserIds": ["GHOST1"]},
            "“clientUserIds” has one that …/unknownHolders has not: GHOST1.",
        ),
    ],
)
def test_only_who_is_unknown_can_be_named(
    owner_api: ApiClient,
    path: str,
    titles: dict[str, LicensedApp],
    body: dict[str, Any],
    sentence: str,
) -> None:
    answer = owner_api.send("POST", f"{path}/revoke", body)

    assert (answer.status_code, answer.json()) == (
        400,
        {"errors": [sentence], "code": "request_wrong"},
    )
    assert not BatchPlan.objects.exists()


def test_who_may_see_and_take_back(
    owner_api: ApiClient,
    reader_api: ApiClient,
    outsider_api: ApiClient,
    account: VppAccount,
    path: str,
) -> None:
    held_by(account, "GHOST1")
    body = {"serialNumbers": ["GHOST1"]}

    answers = [
        outsider_api.get(path),
        outsider_api.send("POST", f"{path}/revoke", body),
        reader_api.send("POST", f"{path}/revoke", body),
    ]
    account.allowed_admins = "named"
    account.save()
    closed = [owner_api.get(path), owner_api.send("POST", f"{path}/revoke", body)]

    assert [answer.status_code for answer in answers + closed] == [404, 404, 403, 403, 403]
    assert not Batch.objects.exists()
