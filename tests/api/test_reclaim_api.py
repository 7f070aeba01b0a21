"""Licenses that could be freed, over REST: listed, taken back, kept, protected, decided about."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from celery.app.task import Task
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from licensing.models import (
    Batch,
    LicensedApp,
    LicensingSettings,
    ProtectedHolder,
    Reclaim,
)
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.api.conftest import ApiClient, client_of
from tests.draining import at_apple, drain
from tests.reclaiming import bought
from tests.test_reclaim_pages import planned, row, state_of
from tests.test_sync import KEYNOTE, PAGES
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

THEN = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
WIRE = "2026-05-04T12:00:30Z"


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rung: list[str] = []
    monkeypatch.setattr(Task, "apply_async", lambda task, *args, **options: rung.append(task.name))
    return rung


@pytest.fixture
def title(account: VppAccount) -> LicensedApp:
    return factories.LicensedAppFactory(
        account=account, app__name="Keynote", app__price=Decimal("4.99"), app__price_text="$4.99"
    )


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/sm/reclaim"


def decide_path(title: LicensedApp) -> str:
    account = f"/organizations/{title.organization_id}/sm/vppAccounts/{title.account_id}"
    return f"{account}/assets/{title.adam_id}/{title.pricing_param}/reclaim"


def ids(*rows: Reclaim, **more: Any) -> dict[str, Any]:
    return {"reclaimIds": [str(each.pk) for each in rows], **more}


def serials(answer: Any) -> list[str]:
    return [each["serialNumber"] for each in answer.json()]


def manager_of(organization: Organization, serial: str, account: VppAccount) -> ApiClient:
    """An admin of the network of this device, who manages the account."""
    network = factories.NetworkFactory(organization=organization)
    factories.DeviceFactory(organization=organization, network=network, serial_number=serial)
    access = factories.NetworkAccessFactory(membership__organization=organization, network=network)
    account.allowed_admins = "named"
    account.save()
    account.named_admins.add(access.membership.admin)
    return client_of(access.membership.admin)


# --- The list -------------------------------------------------------------------------------------


def test_reclaim_tells_of_each_license_what_becomes_of_it(
    reader_api: ApiClient, title: LicensedApp, path: str
) -> None:
    reclaim = planned(title, "S1", holder_name="Cart 1", since=THEN, waits_since=THEN, batch_id=7)
    Reclaim.objects.update(
        found_at=THEN, due_at=THEN, changed_at=THEN, changed_by="pat", note="Again."
    )

    answer = reader_api.get(path)

    assert (answer.status_code, answer.json()) == (
        200,
        [
            {
                "id": str(reclaim.pk),
                "vppAccountId": str(title.account_id),
                "adamId": title.adam_id,
                "pricingParam": "STDQ",
                "name": "Keynote",
                "serialNumber": "S1",
                "clientUserId": None,
                "deviceName": "Cart 1",
                "cause": "unenrolled",
                "since": WIRE,
                "state": "planned",
                "waitsForDecision": True,
                "message": "Again.",
                "foundAt": WIRE,
                "dueAt": WIRE,
                "chosenBy": None,
                "changedAt": WIRE,
                "changedBy": "pat",
                "batchId": "7",
            }
        ],
    )


def test_reclaim_is_filtered_and_newest_first(
    reader_api: ApiClient, organization: Organization, title: LicensedApp, path: str
) -> None:
    south = factories.VppAccountFactory(organization=organization)
    other = factories.LicensedAppFactory(account=south, app__name="Pages")
    hill = factories.NetworkFactory(organization=organization)
    factories.DeviceFactory(organization=organization, network=hill, serial_number="A3")
    row(title, "A1", holder_name="Cart 1")
    row(other, "A2", cause="missing")
    planned(title, "A3")
    planned(title, "A4", waits_since=timezone.now())
    row(title, "A5", state="done")
    row(title, "A6", state="undone")
    queries: list[dict[str, Any]] = [
        {},
        {"state": "all"},
        {"state": "planned"},
        {"state": "undone"},
        {"waitsForDecision": "true"},
        {"state": "planned", "waitsForDecision": "false"},
        {"cause": "missing"},
        {"vppAccountId": south.pk},
        {"adamId": title.adam_id},
        {"networkId": hill.pk},
        {"networkId": factories.NetworkFactory().pk},
        {"search": "cart"},
        {"search": "pages"},
    ]

    found = [serials(reader_api.get(path, query)) for query in queries]

    assert found == [
        ["A4", "A3", "A2", "A1"],
        ["A6", "A5", "A4", "A3", "A2", "A1"],
        ["A4", "A3"],
        ["A6"],
        ["A4"],
        ["A3"],
        ["A2"],
        ["A2"],
        ["A4", "A3", "A1"],
        ["A3"],
        [],
        ["A1"],
        ["A2"],
    ]


def test_reclaim_costs_the_same_for_one_and_for_three(
    reader_api: ApiClient, organization: Organization, title: LicensedApp, path: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            reader_api.get(path)
        return len(captured)

    row(title, "S0")
    queries()
    one = queries()
    for number in range(1, 3):
        account = factories.VppAccountFactory(organization=organization)
        row(factories.LicensedAppFactory(account=account), f"S{number}")

    assert queries() == one


def test_the_summary_says_how_much_and_what_waits_for_a_decision(
    reader_api: ApiClient, organization: Organization, title: LicensedApp, path: str
) -> None:
    factories.AssignmentFactory.create_batch(3, licensed_app=title)
    row(title, "S1")
    row(title, "S2", cause="missing")
    row(title, "S2", cause="wiped", state="done")
    planned(title, "S3", waits_since=THEN)
    LicensingSettings.objects.create(organization=organization, reclaims_as_of=THEN)

    told = reader_api.get(f"{path}/summary").json()

    assert told == {
        "licenses": 3,
        "devices": 3,
        "planned": 1,
        "causes": [
            {"cause": "unenrolled", "licenses": 2},
            {"cause": "missing", "licenses": 1},
        ],
        "worth": ["$14.97"],
        "pricesAsOf": told["pricesAsOf"],
        "asOf": WIRE,
        "waitingForDecision": [
            {
                "vppAccountId": str(title.account_id),
                "adamId": title.adam_id,
                "pricingParam": "STDQ",
                "name": "Keynote",
                "licenses": 1,
                "assigned": 3,
                "since": WIRE,
            }
        ],
    }


def test_looking_again_calls_a_worker(
    owner_api: ApiClient, organization: Organization, path: str, bells: list[str]
) -> None:
    LicensingSettings.objects.create(organization=organization, reclaims_as_of=THEN)

    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = owner_api.send("POST", f"{path}/look")

    assert (answer.status_code, answer.json()) == (202, {"asOf": WIRE})
    assert bells == ["licensing.tasks.find_reclaims"]


# --- Doing ----------------------------------------------------------------------------------------


def test_licenses_are_taken_back_now(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str
) -> None:
    titles = bought(fake, account, keynote=["S1", "S2"], pages=["S1", "S2"])
    chosen = [row(titles[KEYNOTE], "S1"), planned(titles[PAGES], "S2")]

    dry = owner_api.send("POST", f"{path}/take", ids(*chosen, dryRun=True))
    before = Batch.objects.count()
    started = owner_api.send("POST", f"{path}/take", ids(*chosen))
    drain(account, fake)

    told = dry.json()
    assert (dry.status_code, told["kind"], told["revoke"]) == (200, "revoke", 2)
    assert (before, told["vppAccountId"]) == (0, str(account.pk))
    assert (started.status_code, started.json()["vppAccountId"]) == (202, str(account.pk))
    assert started.json()["id"] == str(Batch.objects.get().pk)
    assert at_apple(fake, account) == {(KEYNOTE, "S2"), (PAGES, "S1")}


def test_licenses_of_several_accounts_are_not_taken_back_at_once(
    owner_api: ApiClient, organization: Organization, title: LicensedApp, path: str
) -> None:
    south = factories.VppAccountFactory(organization=organization, name="South")
    other = factories.LicensedAppFactory(account=south)

    answer = owner_api.send("POST", f"{path}/take", ids(row(title, "S1"), row(other, "S1")))

    assert (answer.status_code, answer.json()["code"]) == (400, "several_accounts")


def test_licenses_are_kept(owner_api: ApiClient, title: LicensedApp, path: str) -> None:
    first, second, under_way = (
        row(title, "S1"),
        planned(title, "S2"),
        row(title, "S3", state="started"),
    )

    answer = owner_api.send("POST", f"{path}/keep", ids(first, second, under_way))
    again = owner_api.send("POST", f"{path}/keep", ids(first, second, under_way))

    assert (answer.status_code, answer.json()) == (200, {"kept": 2})
    assert [state_of(each) for each in (first, second, under_way)] == [
        "undone",
        "undone",
        "started",
    ]
    assert (again.status_code, again.json()["code"]) == (400, "nobody_chosen")
    assert AuditEvent.objects.filter(action="reclaim.kept").count() == 1


def test_holders_are_protected_each_for_its_title(
    owner_api: ApiClient, title: LicensedApp, path: str
) -> None:
    first, second = row(title, "S1"), row(title, "S2")

    answer = owner_api.send("POST", f"{path}/protect", ids(first, second))

    assert (answer.status_code, answer.json()) == (200, {"protected": 2})
    rows = ProtectedHolder.objects.order_by("holder").values_list("holder", "adam_id")
    assert list(rows) == [("S1", title.adam_id), ("S2", title.adam_id)]
    assert [state_of(first), state_of(second)] == ["void", "void"]


@pytest.mark.parametrize("action", ["take", "keep", "protect"])
def test_it_has_to_be_said_which_licenses_are_meant(
    owner_api: ApiClient, path: str, action: str
) -> None:
    silent = owner_api.send("POST", f"{path}/{action}")
    wrong = owner_api.send("POST", f"{path}/{action}", {"reclaimIds": ["S1"]})
    nobody = owner_api.send("POST", f"{path}/{action}", {"reclaimIds": ["4711"]})

    assert (silent.status_code, silent.json()["errors"]) == (400, ["“reclaimIds” is missing."])
    assert wrong.json()["errors"] == [
        "“reclaimIds[0]”: must be an id as …/sm/reclaim gives it: a text of digits."
    ]
    assert (nobody.status_code, nobody.json()["code"]) == (400, "nobody_chosen")


# --- Decisions ------------------------------------------------------------------------------------


def test_so_much_at_once_is_allowed(
    owner_api: ApiClient, title: LicensedApp, bells: list[str]
) -> None:
    waiting = [planned(title, serial, waits_since=THEN) for serial in ("S1", "S2")]

    silent = owner_api.send("POST", decide_path(title), {"allow": True})
    fewer = owner_api.send("POST", decide_path(title), {"allow": True, "shown": 1})
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = owner_api.send("POST", decide_path(title), {"allow": True, "shown": 2})
    again = owner_api.send("POST", decide_path(title), {"allow": True, "shown": 2})

    assert silent.json()["errors"] == ["“shown” is missing; it goes with “allow”."]
    assert (fewer.status_code, fewer.json()["code"]) == (409, "more_waits")
    assert (answer.status_code, answer.json()) == (200, {"allowed": True, "licenses": 2})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_waits")
    assert [state_of(each) for each in waiting] == ["planned", "planned"]
    assert not Reclaim.objects.filter(allowed_by="").exists()
    assert "licensing.tasks.take_back_due" in bells


def test_so_much_at_once_is_kept(owner_api: ApiClient, title: LicensedApp) -> None:
    waiting = planned(title, "S1", waits_since=THEN)

    answer = owner_api.send("POST", decide_path(title), {"allow": False})

    assert (answer.status_code, answer.json()) == (200, {"allowed": False, "licenses": 1})
    assert state_of(waiting) == "undone"


# --- Who ------------------------------------------------------------------------------------------


def test_network_admins_see_and_change_what_is_in_their_networks(
    organization: Organization, account: VppAccount, title: LicensedApp, path: str
) -> None:
    api = manager_of(organization, "S1", account)
    theirs, others = row(title, "S1"), row(title, "S2")
    waiting = planned(title, "S3", waits_since=THEN)

    seen = api.get(path)
    kept = api.send("POST", f"{path}/keep", ids(theirs, others))
    protect = api.send("POST", f"{path}/protect", ids(theirs))
    decided = api.send("POST", decide_path(title), {"allow": False})

    assert serials(seen) == ["S1"]
    assert kept.json() == {"kept": 1}
    assert [state_of(each) for each in (theirs, others)] == ["undone", "found"]
    assert (protect.status_code, decided.status_code) == (403, 403)
    assert state_of(waiting) == "planned"


def test_reclaim_is_not_for_readers_to_change_nor_for_outsiders_to_see(
    reader_api: ApiClient, outsider_api: ApiClient, title: LicensedApp, path: str
) -> None:
    reclaim = row(title, "S1")
    actions = [f"{path}/{action}" for action in ("look", "take", "keep", "protect")]
    writes = [*actions, decide_path(title)]

    told = {
        "reader": [reader_api.send("POST", each, ids(reclaim)).status_code for each in writes],
        "outsider": [outsider_api.send("POST", each, ids(reclaim)).status_code for each in writes],
    }
    reads = [outsider_api.get(each).status_code for each in (path, f"{path}/summary")]

    assert told == {"reader": [403] * 5, "outsider": [404] * 5}
    assert reads == [404, 404]
    assert state_of(reclaim) == "found"


def test_reclaim_of_accounts_that_are_not_open_is_not_told(
    owner_api: ApiClient, account: VppAccount, title: LicensedApp, path: str
) -> None:
    reclaim = row(title, "S1")
    account.allowed_admins = "named"
    account.save()

    seen = owner_api.get(path)
    kept = owner_api.send("POST", f"{path}/keep", ids(reclaim))

    assert seen.json() == []
    assert (kept.status_code, state_of(reclaim)) == (400, "found")
