"""The audit log over REST."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from organizations import audit
from organizations.audit import APPLE, Actor
from organizations.models import Admin, AuditEvent, Organization
from tests.api.conftest import ApiClient


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/auditEvents"


def test_events_are_listed_newest_first_with_all_that_is_known(
    owner_api: ApiClient, owner: Admin, organization: Organization, path: str
) -> None:
    facts = {"organization": organization, "target": organization}
    audit.record("one.done", by=Actor.of_admin(owner), before={"a": 1}, after={"a": 2}, **facts)
    audit.record("two.done", by=APPLE, refused=True, **facts)

    answer = owner_api.get(path)

    second, first = AuditEvent.objects.order_by("-pk")
    target = {"kind": "organization", "id": str(organization.pk), "name": "Example Schools"}
    assert answer.json() == [
        {
            "id": str(second.pk),
            "at": second.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "actor": {"kind": "apple", "id": None, "name": "Apple"},
            "action": "two.done",
            "target": target,
            "before": None,
            "after": None,
            "refused": True,
            "requestId": "",
            "address": None,
        },
        {
            "id": str(first.pk),
            "at": first.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "actor": {"kind": "admin", "id": str(owner.pk), "name": "owner@example.org"},
            "action": "one.done",
            "target": target,
            "before": {"a": 1},
            "after": {"a": 2},
            "refused": False,
            "requestId": "",
            "address": None,
        },
    ]


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ({"action": "vpp_account."}, ["vpp_account.renewed"]),
        ({"actorKind": "system"}, ["network.added"]),
        ({"action": "vpp_account.", "actorKind": "system"}, []),
        ({"actor": "SEED"}, ["network.added"]),
        ({"q": "apple"}, ["vpp_account.renewed"]),
        ({"q": "example"}, ["network.added", "vpp_account.renewed"]),
        ({"targetKind": "organization"}, ["network.added", "vpp_account.renewed"]),
        ({"targetKind": "network"}, []),
        ({"targetKind": "organization", "targetId": "1234567"}, []),
        ({"refused": "true"}, []),
        ({"refused": "false"}, ["network.added", "vpp_account.renewed"]),
        ({"t0": "2020-01-01T00:00:00Z"}, ["network.added", "vpp_account.renewed"]),
        ({"t0": "2099-01-01T00:00:00Z"}, []),
        ({"t1": "2020-01-01T00:00:00Z"}, []),
        (
            {"t0": "0001-01-01T00:00:00+14:00", "t1": "9999-12-31T23:59:59-12:00"},
            ["network.added", "vpp_account.renewed"],
        ),
        (
            {"t0": "0001-01-01T00:00:00Z", "t1": "9999-12-31T23:59:59Z"},
            ["network.added", "vpp_account.renewed"],
        ),
    ],
)
def test_events_are_filtered(
    owner_api: ApiClient,
    organization: Organization,
    path: str,
    query: dict[str, str],
    actions: list[str],
) -> None:
    facts = {"organization": organization, "target": organization}
    audit.record("vpp_account.renewed", by=APPLE, **facts)
    audit.record("network.added", by=Actor.system("seed"), **facts)

    answer = owner_api.get(path, query)

    assert [row["action"] for row in answer.json()] == actions


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (
            {"actorKind": "robot"},
            "“actorKind” must be one of admin, api_key, apple, rule, system.",
        ),
        ({"targetId": "7"}, "“targetId” is asked for together with “targetKind”."),
        ({"t0": "yesterday"}, "“t0” must be a moment, for example 2026-11-22T08:00:00Z."),
        (
            {"t1": "2026-02-30T08:00:00Z"},
            "“t1” must be a moment, for example 2026-11-22T08:00:00Z.",
        ),
        ({"refused": "maybe"}, "“refused” must be one of true, false."),
    ],
)
def test_what_makes_no_sense_is_refused(
    owner_api: ApiClient, path: str, query: dict[str, str], sentence: str
) -> None:
    answer = owner_api.get(path, query)

    assert (answer.status_code, answer.json()["errors"]) == (400, [sentence])


def test_pages_and_days_go_together(
    owner_api: ApiClient, organization: Organization, path: str
) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    for day in range(12):
        with time_machine.travel(start + timedelta(days=day), tick=False):
            audit.record("network.added", by=APPLE, organization=organization, target=organization)
    query = {"t0": "2026-11-04T00:00:00Z", "t1": "2026-11-09T00:00:00Z", "perPage": 4}

    first = owner_api.get(path, query)
    second = owner_api.get(path, query | {"startingAfter": first.json()[-1]["id"]})

    days = [[event["at"][8:10] for event in answer.json()] for answer in (first, second)]
    assert days == [["09", "08", "07", "06"], ["05", "04"]]


# --- One of them ----------------------------------------------------------------------------------


def test_one_event_is_shown_as_the_list_shows_it(
    owner_api: ApiClient, organization: Organization, path: str
) -> None:
    event = audit.record("one.done", by=APPLE, organization=organization, target=organization)

    answer = owner_api.get(f"{path}/{event.pk}")

    assert (answer.status_code, [answer.json()]) == (200, owner_api.get(path).json())


def test_one_event_is_not_found_from_elsewhere(
    owner_api: ApiClient,
    outsider: Admin,
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    organization: Organization,
    path: str,
) -> None:
    elsewhere = outsider.memberships.get().organization
    theirs = audit.record("one.done", by=APPLE, organization=elsewhere, target=elsewhere)
    ours = audit.record("one.done", by=APPLE, organization=organization, target=organization)

    statuses = [
        owner_api.get(f"{path}/{theirs.pk}").status_code,
        *(
            api.get(f"{path}/{ours.pk}").status_code
            for api in (reader_api, network_admin_api, outsider_api)
        ),
    ]

    assert statuses == [404, 200, 403, 404]
