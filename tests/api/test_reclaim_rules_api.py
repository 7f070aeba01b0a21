"""The rules of Reclaim over REST, what they would find, and whom nothing is taken from."""

from __future__ import annotations

from typing import Any

import pytest
from celery.app.task import Task
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from licensing.models import ProtectedHolder, ReclaimCause, ReclaimRule
from licensing.reclaim.rules import MOST_DAYS
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.api.conftest import ApiClient, client_of
from tests.reclaiming import DAY, bought, rule, unenrolled
from tests.test_sync import KEYNOTE, PAGES
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rung: list[str] = []
    monkeypatch.setattr(Task, "apply_async", lambda task, *args, **options: rung.append(task.name))
    return rung


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/sm/reclaim"


def rule_json(cause: str, **fields: Any) -> dict[str, Any]:
    waits = cause in ("missing", "never_installed")
    days = 30 if waits else None
    return {"cause": cause, "takesBack": False, "days": days, "graceDays": 7} | fields


def of(answer: Any, cause: str) -> dict[str, Any]:
    (found,) = [each for each in answer.json()["rules"] if each["cause"] == cause]
    return found


# --- Rules ----------------------------------------------------------------------------------------


def test_the_rules_are_all_off_at_first(reader_api: ApiClient, path: str) -> None:
    told = reader_api.get(f"{path}/rules").json()

    by_cause = {each["cause"]: each for each in told["rules"]}
    assert by_cause == {cause: rule_json(cause) for cause in ReclaimCause.values}
    assert told["departure"] == {"choice": "now", "days": 7}


def test_the_rules_are_changed_one_by_one_and_looked_for_at_once(
    owner_api: ApiClient, organization: Organization, path: str, bells: list[str]
) -> None:
    rule(organization, "wiped", grace_days=3)
    body = {
        "rules": [{"cause": "missing", "takesBack": True, "days": 60}],
        "departure": {"choice": "later"},
    }

    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = owner_api.send("PUT", f"{path}/rules", body)
    again = owner_api.send("PUT", f"{path}/rules", owner_api.get(f"{path}/rules").json())

    assert answer.status_code == 200
    assert of(answer, "missing") == rule_json("missing", takesBack=True, days=60)
    assert of(answer, "wiped") == rule_json("wiped", takesBack=True, graceDays=3)
    assert answer.json()["departure"] == {"choice": "later", "days": 7}
    assert again.json() == answer.json()
    assert bells == ["licensing.tasks.find_reclaims"]
    events = AuditEvent.objects.filter(action__startswith="reclaim.").order_by("action")
    assert list(events.values_list("action", flat=True)) == [
        "reclaim.departure_set",
        "reclaim.rule_set",
    ]


DAYS = {
    "errors": [f"Choose a number of days from 0 to {MOST_DAYS}."],
    "code": "days_out_of_range",
}


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"rules": [{"cause": "missing", "days": MOST_DAYS + 1}]}, DAYS),
        ({"rules": [{"cause": "missing", "graceDays": -1}]}, DAYS),
        ({"departure": {"days": 0}}, DAYS),
        (
            {"rules": [{"cause": "wiped", "days": 5}]},
            {
                "errors": ["“rules” has days for “wiped”, which needs no time."],
                "code": "request_wrong",
            },
        ),
        (
            {"rules": [{"cause": "wiped"}, {"cause": "wiped"}]},
            {"errors": ["“rules” names “wiped” twice."], "code": "request_wrong"},
        ),
    ],
)
def test_rules_that_make_no_sense_are_refused(
    owner_api: ApiClient, path: str, body: dict[str, Any], refused: dict[str, Any]
) -> None:
    answer = owner_api.send("PUT", f"{path}/rules", body)

    assert (answer.status_code, answer.json()) == (400, refused)
    assert not ReclaimRule.objects.exists()


# --- What they would find -------------------------------------------------------------------------


def test_what_rules_would_find_is_counted_and_listed(
    owner_api: ApiClient,
    fake: FakeApple,
    organization: Organization,
    account: VppAccount,
    path: str,
) -> None:
    bought(fake, account, keynote=["S1", "S2", "S3"], pages=["S1"])
    device = unenrolled(organization, "S1", name="Cart 1")
    factories.DeviceFactory(organization=organization, serial_number="S2")
    factories.DeviceFactory(
        organization=organization,
        serial_number="S3",
        missing_since=device.unenrolled_at - 39 * DAY,
    )
    missing = [{"cause": "missing", "days": days} for days in (30, 50)]

    every = owner_api.send("POST", f"{path}/preview").json()
    some = [owner_api.send("POST", f"{path}/preview", {"rules": [each]}) for each in missing]
    listed = owner_api.get(f"{path}/preview", {"cause": "unenrolled"})

    counted = {each["cause"]: (each["licenses"], each["devices"]) for each in every}
    assert counted.keys() == set(ReclaimCause.values)
    assert counted["unenrolled"] == (2, 1)
    assert [answer.json() for answer in some] == [
        [{"cause": "missing", "licenses": 1, "devices": 1}],
        [{"cause": "missing", "licenses": 0, "devices": 0}],
    ]
    one = {
        "vppAccountId": str(account.pk),
        "pricingParam": "STDQ",
        "serialNumber": "S1",
        "deviceName": "Cart 1",
        "since": f"{device.unenrolled_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert sorted(listed.json(), key=lambda each: each["adamId"]) == [
        one | {"adamId": adam_id} for adam_id in sorted((KEYNOTE, PAGES))
    ]
    assert not ReclaimRule.objects.exists()


@pytest.mark.parametrize("query", [{"cause": "boredom"}, {"days": "-1"}, {"days": MOST_DAYS + 1}])
def test_only_real_rules_are_previewed(
    owner_api: ApiClient, path: str, query: dict[str, Any]
) -> None:
    listed = owner_api.get(f"{path}/preview", query)
    counted = owner_api.send(
        "POST", f"{path}/preview", {"rules": [{"cause": "missing", "days": MOST_DAYS + 1}]}
    )

    assert (listed.status_code, listed.json()["code"]) == (400, "bad_parameter")
    assert (counted.status_code, counted.json()) == (400, DAYS)


# --- Who is protected -----------------------------------------------------------------------------


def test_a_device_is_protected_listed_and_no_longer(
    owner_api: ApiClient, reader_api: ApiClient, organization: Organization, path: str
) -> None:
    factories.DeviceFactory(organization=organization, serial_number="S1", name="Cart 1")

    made = owner_api.send("POST", f"{path}/protected", {"holder": "s1", "reason": "Exams"})
    again = owner_api.send("POST", f"{path}/protected", {"holder": "S1"})
    seen = reader_api.get(f"{path}/protected")
    row = ProtectedHolder.objects.get()
    ended = owner_api.send("DELETE", f"{path}/protected/{row.pk}")

    assert (made.status_code, made.json()) == (
        201,
        [
            {
                "id": str(row.pk),
                "serialNumber": "S1",
                "clientUserId": None,
                "name": "Cart 1",
                "adamId": None,
                "reason": "Exams",
                "createdBy": row.by_name,
                "createdAt": f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}",
            }
        ],
    )
    assert (again.status_code, again.json()) == (201, made.json())
    assert seen.json() == made.json()
    assert (ended.status_code, ProtectedHolder.objects.count()) == (204, 0)
    actions = AuditEvent.objects.filter(action__startswith="reclaim.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "reclaim.protected",
        "reclaim.unprotected",
    ]


def test_a_person_is_protected_in_every_account_for_one_title(
    owner_api: ApiClient, organization: Organization, account: VppAccount, path: str
) -> None:
    south = factories.VppAccountFactory(organization=organization)
    title = factories.LicensedAppFactory(account=account)
    for number, each in enumerate((account, south)):
        factories.VppUserFactory(
            account=each, client_user_id=f"ada{number}", name="Ada", email="ada@example.org"
        )

    made = owner_api.send(
        "POST", f"{path}/protected", {"holder": "ADA@example.org", "adamId": title.adam_id}
    )

    assert made.status_code == 201
    assert [(each["clientUserId"], each["name"], each["adamId"]) for each in made.json()] == [
        ("ada0", "Ada", title.adam_id),
        ("ada1", "Ada", title.adam_id),
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"holder": "nobody"}, "no_such_holder"),
        ({"holder": "S1", "adamId": "4711"}, "no_such_title"),
    ],
)
def test_nobody_unknown_is_protected(
    owner_api: ApiClient, organization: Organization, path: str, body: dict[str, str], code: str
) -> None:
    factories.DeviceFactory(organization=organization, serial_number="S1")
    # Of an account that is closed to them it is no title that they know.
    closed = factories.VppAccountFactory(organization=organization, allowed_admins="named")
    factories.LicensedAppFactory(account=closed, app__adam_id="4711")

    answer = owner_api.send("POST", f"{path}/protected", body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not ProtectedHolder.objects.exists()


def protect(organization: Organization, holder: str, **fields: Any) -> ProtectedHolder:
    return ProtectedHolder.objects.create(
        organization=organization, holder_kind="device", holder=holder, **fields
    )


def test_the_protected_are_searched(
    reader_api: ApiClient, organization: Organization, path: str
) -> None:
    protect(organization, "S1", name="Cart 1")
    protect(organization, "S2", reason="Exams")

    found = [
        reader_api.get(f"{path}/protected", {"search": each}) for each in ("cart", "exam", "s")
    ]

    assert [[each["serialNumber"] for each in answer.json()] for answer in found] == [
        ["S1"],
        ["S2"],
        ["S1", "S2"],
    ]


def test_the_protected_cost_the_same_for_one_and_for_three(
    reader_api: ApiClient, organization: Organization, account: VppAccount, path: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            reader_api.get(f"{path}/protected")
        return len(captured)

    title = factories.LicensedAppFactory(account=account)
    protect(organization, "S1", adam_id=title.adam_id)
    queries()
    one = queries()
    protect(organization, "S2")
    protect(organization, "S3")

    assert queries() == one


# --- Who ------------------------------------------------------------------------------------------


def test_who_may_see_and_change_the_rules(
    reader_api: ApiClient, outsider_api: ApiClient, organization: Organization, path: str
) -> None:
    row = protect(organization, "S1")
    network = factories.NetworkFactory(organization=organization)
    access = factories.NetworkAccessFactory(membership__organization=organization, network=network)
    apis = {
        "reader": reader_api,
        "outsider": outsider_api,
        "network admin": client_of(access.membership.admin),
    }

    told = {
        name: [
            api.get(f"{path}/rules").status_code,
            api.send("PUT", f"{path}/rules", {}).status_code,
            api.get(f"{path}/preview").status_code,
            api.send("POST", f"{path}/preview").status_code,
            api.get(f"{path}/protected").status_code,
            api.send("POST", f"{path}/protected", {"holder": "S1"}).status_code,
            api.send("DELETE", f"{path}/protected/{row.pk}").status_code,
        ]
        for name, api in apis.items()
    }

    assert told == {
        "reader": [200, 403, 200, 403, 200, 403, 403],
        "outsider": [404] * 7,
        "network admin": [200, 403, 200, 403, 403, 403, 403],
    }
    assert ProtectedHolder.objects.get() == row
