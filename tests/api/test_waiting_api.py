"""Waiting lists over REST: who waits, taken off, moved."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing.models import BatchItem, LicensedApp
from organizations.models import AuditEvent
from tests.api.conftest import ApiClient, client_of
from tests.draining import begin, drain, states, synced
from tests.factories import (
    LicensedAppFactory,
    NetworkAccessFactory,
    NetworkFactory,
    VppAccountFactory,
    VppUserFactory,
)
from tests.test_sync import PAGES
from tests.test_waiting_list_page import waits
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture
def title(account: VppAccount) -> LicensedApp:
    return LicensedAppFactory(account=account, app__name="Pages", available_count=0)


def everything(account: VppAccount) -> str:
    return f"/organizations/{account.organization_id}/sm/waiting"


def path(title: LicensedApp, action: str = "") -> str:
    account = f"/organizations/{title.organization_id}/sm/vppAccounts/{title.account_id}"
    return f"{account}/assets/{title.adam_id}/{title.pricing_param}/waiting{action}"


def ids(*items: BatchItem, **more: Any) -> dict[str, Any]:
    return {"itemIds": [str(item.pk) for item in items], **more}


def queue(answer: Any) -> list[tuple[str, int, int]]:
    """Who waits, at which place, with which priority."""
    return [
        (row["serialNumber"] or row["clientUserId"], row["place"], row["priority"])
        for row in answer.json()
    ]


# --- Who waits ------------------------------------------------------------------------------------


def test_waiting_tells_of_each_who_waits_for_what(
    reader_api: ApiClient, account: VppAccount, title: LicensedApp
) -> None:
    device = waits(title, "DMQ1")
    user = VppUserFactory(account=account, client_user_id="ada")
    waits(title, "ada", holder_kind="user", priority=5)
    waits(title, "DMQ2", state="planned")

    answer = reader_api.get(path(title))

    first, second = answer.json()
    assert first == {
        "id": str(device.pk),
        "vppAccountId": str(account.pk),
        "adamId": title.adam_id,
        "pricingParam": "STDQ",
        "name": "Pages",
        "serialNumber": "DMQ1",
        "userId": None,
        "clientUserId": None,
        "place": 2,
        "priority": 0,
        "since": f"{device.changed_at:%Y-%m-%dT%H:%M:%SZ}",
        "batchId": str(device.batch_id),
        "createdBy": device.batch.actor_name,
    }
    assert [second[name] for name in ("serialNumber", "userId", "clientUserId", "place")] == [
        None,
        str(user.pk),
        "ada",
        1,
    ]


def test_waiting_of_everything_is_oldest_first_with_the_places_of_each_title(
    reader_api: ApiClient, account: VppAccount, title: LicensedApp
) -> None:
    other = LicensedAppFactory(account=VppAccountFactory(organization=account.organization))
    closed = LicensedAppFactory(
        account=VppAccountFactory(organization=account.organization, allowed_admins="named")
    )
    waits(title, "DMQ1")
    waits(other, "DMQ1", priority=-3)
    waits(closed, "DMQ1")
    waits(title, "DMQ2", priority=7)

    every = reader_api.get(everything(account))
    narrowed = [
        reader_api.get(everything(account), query)
        for query in (
            {"vppAccountId": other.account_id},
            {"adamId": title.adam_id},
            {"serialNumber": "dmq2"},
            {"clientUserId": "DMQ2"},
        )
    ]

    assert queue(every) == [("DMQ1", 2, 0), ("DMQ1", 1, -3), ("DMQ2", 1, 7)]
    assert [queue(answer) for answer in narrowed] == [
        [("DMQ1", 1, -3)],
        [("DMQ1", 2, 0), ("DMQ2", 1, 7)],
        [("DMQ2", 1, 7)],
        [],
    ]


def test_waiting_is_paged(reader_api: ApiClient, account: VppAccount, title: LicensedApp) -> None:
    items = [waits(title, f"DMQ{number}") for number in range(5)]

    first = reader_api.get(everything(account), {"perPage": 3})
    rest = reader_api.get(everything(account), {"startingAfter": items[2].pk})

    assert queue(first) == [("DMQ0", 1, 0), ("DMQ1", 2, 0), ("DMQ2", 3, 0)]
    assert queue(rest) == [("DMQ3", 4, 0), ("DMQ4", 5, 0)]
    assert f"startingAfter={items[2].pk}>; rel=next" in first.headers["Link"]


@pytest.mark.parametrize("whole", [True, False])
def test_waiting_costs_the_same_for_one_and_for_three(
    reader_api: ApiClient, account: VppAccount, title: LicensedApp, whole: bool
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            reader_api.get(everything(account) if whole else path(title))
        return len(captured)

    waits(title, "bob", holder_kind="user")
    queries()
    one = queries()
    waits(title, "DMQ1")
    another = LicensedAppFactory(account=VppAccountFactory(organization=account.organization))
    waits(another, "ada", holder_kind="user")

    assert queries() == one


# --- Changing -------------------------------------------------------------------------------------


def test_who_is_taken_off_gets_no_license(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount
) -> None:
    fake.purchase(account.uid, PAGES, quantity=0)
    title = synced(account)[PAGES]
    batch = begin("grant", [title], serials=["DMQ1", "DMQ2"])
    first = BatchItem.objects.get(holder="DMQ1")

    answer = owner_api.send("POST", path(title, "/takeOff"), ids(first))
    fake.purchase(account.uid, PAGES, quantity=2)
    synced(account)
    drain(account, fake)

    assert (answer.status_code, answer.json()) == (200, {"takenOff": 1})
    assert states(batch) == {"DMQ1": "cancelled", "DMQ2": "succeeded"}


def test_priorities_are_raised_and_lowered(owner_api: ApiClient, title: LicensedApp) -> None:
    first, last = waits(title, "DMQ1"), waits(title, "DMQ2")

    raised = owner_api.send("POST", path(title, "/move"), ids(last, direction="raise"))
    seen = queue(owner_api.get(path(title)))
    lowered = owner_api.send("POST", path(title, "/move"), {"everyone": True, "direction": "lower"})

    assert (raised.json(), lowered.json()) == ({"moved": 1}, {"moved": 2})
    assert seen == [("DMQ1", 2, 0), ("DMQ2", 1, 1)]
    assert queue(owner_api.get(path(title))) == [("DMQ1", 2, -1), ("DMQ2", 1, 0)]
    assert AuditEvent.objects.filter(action="assignment.priority_changed").count() == 2
    assert first.pk < last.pk


def test_others_than_those_of_the_title_cannot_be_chosen(
    owner_api: ApiClient, account: VppAccount, title: LicensedApp
) -> None:
    elsewhere = waits(LicensedAppFactory(account=account), "DMQ1")
    served = waits(title, "DMQ2", state="planned")

    answer = owner_api.send("POST", path(title, "/takeOff"), ids(elsewhere, served))

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_waits")
    assert BatchItem.objects.get(pk=elsewhere.pk).state == "waiting"


@pytest.mark.parametrize("body", [{}, {"itemIds": ["1"], "everyone": True}])
def test_it_has_to_be_said_who_is_meant(
    owner_api: ApiClient, title: LicensedApp, body: dict[str, Any]
) -> None:
    answer = owner_api.send("POST", path(title, "/takeOff"), body)

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "errors": ["“itemIds” or “everyone” has to be sent, and not both."],
            "code": "request_wrong",
        },
    )


def test_who_may_change_waiting_lists(
    reader_api: ApiClient, outsider_api: ApiClient, account: VppAccount, title: LicensedApp
) -> None:
    item = waits(title, "DMQ1")
    network = NetworkFactory(organization=account.organization)
    access = NetworkAccessFactory(membership__organization=account.organization, network=network)
    account.allowed_admins = "networks"
    account.save()
    account.allowed_networks.add(network)
    manager = client_of(access.membership.admin)
    theirs = waits(title, "DMQ2")
    theirs.batch.actor_kind, theirs.batch.actor_id = "admin", access.membership.admin_id
    theirs.batch.save()

    answers = {
        name: [
            api.get(path(title)).status_code,
            api.send("POST", path(title, "/takeOff"), ids(item)).status_code,
            api.send("POST", path(title, "/move"), ids(item, direction="raise")).status_code,
        ]
        for name, api in {
            "reader": reader_api,
            "outsider": outsider_api,
            "manager": manager,
        }.items()
    }
    own = manager.send("POST", path(title, "/takeOff"), ids(theirs))

    assert answers == {
        "reader": [403, 403, 403],
        "outsider": [404, 404, 404],
        "manager": [200, 403, 403],
    }
    assert own.json() == {"takenOff": 1}
    item.refresh_from_db()
    assert (item.state, item.priority) == ("waiting", 0)
