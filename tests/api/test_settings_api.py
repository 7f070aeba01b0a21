"""An organization's settings, one's own alarms, and how long the audit log is kept, over REST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from organizations.models import Admin, AuditEvent, Organization
from tests.api.conftest import ApiClient, client_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def base(organization: Organization) -> str:
    return f"/organizations/{organization.pk}"


def changes() -> list[tuple[Any, ...]]:
    told = AuditEvent.objects.filter(refused=False).order_by("pk")
    return list(told.values_list("action", "before", "after"))


# --- Settings -------------------------------------------------------------------------------------


def test_settings_are_shown_and_changed(owner_api: ApiClient, base: str) -> None:
    shown = owner_api.get(f"{base}/settings")
    changed = owner_api.send(
        "put", f"{base}/settings", {"name": " Lakeside  Schools ", "timeZone": "Europe/Vienna"}
    )
    again = owner_api.get(f"{base}/settings")

    told = {"name": "Lakeside Schools", "timeZone": "Europe/Vienna"}
    assert shown.json() == {"name": "Example Schools", "timeZone": "UTC"}
    assert (changed.status_code, changed.json(), again.json()) == (200, told, told)
    assert changes() == [
        (
            "organization.edited",
            {"organizationName": "Example Schools", "timeZone": "UTC"},
            {"organizationName": "Lakeside Schools", "timeZone": "Europe/Vienna"},
        )
    ]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"timeZone": "Asia/Tokyo"}, {"name": "Example Schools", "timeZone": "Asia/Tokyo"}),
        ({"name": "Lakeside"}, {"name": "Lakeside", "timeZone": "UTC"}),
        ({}, {"name": "Example Schools", "timeZone": "UTC"}),
    ],
)
def test_settings_that_are_not_sent_stay(
    owner_api: ApiClient, base: str, sent: dict[str, str], told: dict[str, str]
) -> None:
    answer = owner_api.send("put", f"{base}/settings", sent)

    assert (answer.status_code, answer.json()) == (200, told)


@pytest.mark.parametrize(
    ("sent", "code", "sentence"),
    [
        (
            {"name": ""},
            "organization_name_wrong",
            "An organization needs a name of 1 to 200 characters.",
        ),
        (
            {"name": "x" * 201},
            "organization_name_wrong",
            "An organization needs a name of 1 to 200 characters.",
        ),
        ({"timeZone": "Mars/Olympus"}, "time_zone_unknown", "“Mars/Olympus” is no time zone."),
    ],
)
def test_wrong_settings_change_nothing(
    owner_api: ApiClient, base: str, sent: dict[str, str], code: str, sentence: str
) -> None:
    answer = owner_api.send("put", f"{base}/settings", sent)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["errors"][0].startswith(sentence)
    assert changes() == []


def test_settings_are_read_in_the_organization_and_written_by_full_admins(
    base: str,
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    organization: Organization,
) -> None:
    knockers = (reader_api, network_admin_api, outsider_api)

    statuses = [
        (
            api.get(f"{base}/settings").status_code,
            api.send("put", f"{base}/settings", {"name": "Ours now"}).status_code,
        )
        for api in knockers
    ]

    organization.refresh_from_db()
    assert statuses == [(200, 403), (403, 403), (404, 404)]
    assert organization.name == "Example Schools"


# --- Alarms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["owner_api", "reader_api", "network_admin_api"])
def test_everybody_says_for_themselves_whether_alarms_are_mailed(
    request: pytest.FixtureRequest, who: str, outsider: Admin, base: str
) -> None:
    api = request.getfixturevalue(who)
    before = api.get(f"{base}/alarms").json()

    answer = api.send("put", f"{base}/alarms", {"wantsAlarms": False})
    same = api.send("put", f"{base}/alarms", {})

    assert before == {"wantsAlarms": True}
    assert [(each.status_code, each.json()) for each in (answer, same)] == [
        (200, {"wantsAlarms": False})
    ] * 2
    assert api.get(f"{base}/alarms").json() == {"wantsAlarms": False}
    assert changes() == [("admin.alarms_switched", {"wantsAlarms": True}, {"wantsAlarms": False})]
    assert outsider.memberships.get().wants_alarms


def test_alarms_are_shut_to_outsiders_and_read_only_keys(
    base: str, outsider_api: ApiClient, owner: Admin
) -> None:
    key = client_of(owner, read_only=True)

    statuses = [
        api.send("put", f"{base}/alarms", {"wantsAlarms": False}).status_code
        for api in (outsider_api, key)
    ]

    assert statuses == [404, 403]
    assert owner.memberships.get().wants_alarms


# --- Retention of the audit log -------------------------------------------------------------------


@pytest.fixture
def retention(base: str) -> str:
    return f"{base}/auditEvents/retention"


@pytest.fixture
def old(organization: Organization) -> AuditEvent:
    """Of half a year ago."""
    with time_machine.travel(NOON - timedelta(days=184), tick=False):
        return AuditEvent.objects.create(
            organization=organization, action="network.added", actor_kind="system"
        )


def test_retention_is_for_good_until_it_is_changed(
    owner_api: ApiClient, organization: Organization, retention: str
) -> None:
    with time_machine.travel(NOON, tick=False):
        before = owner_api.get(retention).json()
        answer = owner_api.send("put", retention, {"keptMonths": 12})
        again = owner_api.get(retention).json()
        back = owner_api.send("put", retention, {"keptMonths": None}).json()

    year = {"keptMonths": 12, "keptSince": "2025-11-23T00:00:00Z", "removes": 0}
    for_good = {"keptMonths": None, "keptSince": None, "removes": 0}
    assert (before, answer.status_code, answer.json(), again, back) == (
        for_good,
        200,
        year,
        year,
        for_good,
    )
    assert changes() == [
        ("organization.audit_retention_set", {"keptMonths": None}, {"keptMonths": 12}),
        ("organization.audit_retention_set", {"keptMonths": 12}, {"keptMonths": None}),
    ]


def test_what_takes_events_away_is_confirmed_by_the_name(
    owner_api: ApiClient, organization: Organization, old: AuditEvent, retention: str
) -> None:
    with time_machine.travel(NOON, tick=False):
        foreseen = owner_api.send("put", f"{retention}?dryRun=true", {"keptMonths": 3})
        bare = owner_api.send("put", retention, {"keptMonths": 3})
        wrong = owner_api.send("put", retention, {"keptMonths": 3, "confirm": "Example"})
        untouched = owner_api.get(retention).json()
        done = owner_api.send("put", retention, {"keptMonths": 3, "confirm": " Example  Schools"})

    told = {"keptMonths": 3, "keptSince": "2026-08-23T00:00:00Z", "removes": 1}
    assert (foreseen.status_code, foreseen.json()) == (200, told)
    assert [(each.status_code, each.json()) for each in (bare, wrong)] == [
        (
            409,
            {
                "errors": ["1 event is older than that and would be removed. Confirm it."],
                "code": "audit_retention_removes_events",
            },
        )
    ] * 2
    assert untouched["keptMonths"] is None
    assert (done.status_code, done.json()) == (200, told)
    assert changes()[1:] == [
        ("organization.audit_retention_set", {"keptMonths": None}, {"keptMonths": 3, "goes": 1})
    ]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "“keptMonths” is missing."),
        (
            {"keptMonths": 1},
            "Events can be kept for 3, 6, 12, 24, 36, 60, 84 or 120 months, or for good.",
        ),
        ({"keptMonths": "soon"}, "“keptMonths”: A valid integer is required."),
    ],
)
def test_other_periods_are_refused(
    owner_api: ApiClient, retention: str, sent: dict[str, Any], sentence: str
) -> None:
    answers = [owner_api.send("put", retention + tail, sent) for tail in ("", "?dryRun=true")]

    assert [(each.status_code, each.json()["errors"]) for each in answers] == [
        (400, [sentence])
    ] * 2


def test_retention_is_changed_by_full_admins_alone(
    retention: str,
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    organization: Organization,
) -> None:
    knockers = (reader_api, network_admin_api, outsider_api)

    statuses = [
        (api.get(retention).status_code, api.send("put", retention, {"keptMonths": 3}).status_code)
        for api in knockers
    ]

    organization.refresh_from_db()
    assert statuses == [(200, 403), (403, 403), (404, 404)]
    assert organization.audit_kept_months is None
