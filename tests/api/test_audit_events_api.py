"""The audit log over REST."""

import pytest

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
        },
    ]


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ({"action": "vpp_account."}, ["vpp_account.renewed"]),
        ({"actorKind": "system"}, ["network.added"]),
        ({"action": "vpp_account.", "actorKind": "system"}, []),
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


def test_an_unknown_kind_of_actor_is_refused(owner_api: ApiClient, path: str) -> None:
    answer = owner_api.get(path, {"actorKind": "robot"})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
