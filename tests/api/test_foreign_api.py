"""What somebody else changed at Apple, over REST."""

from __future__ import annotations

import pytest

from licensing.models import LicensedApp
from organizations import audit
from organizations.audit import Actor
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.api.conftest import ApiClient
from vpp_accounts.models import VppAccount

APPLE = Actor(kind=AuditEvent.ActorKind.APPLE, name="Apple")


@pytest.fixture
def title(account: VppAccount) -> LicensedApp:
    return factories.LicensedAppFactory(account=account)


def path(organization: Organization, action: str = "") -> str:
    return f"/organizations/{organization.pk}/sm/foreignChanges{action}"


def found(title: LicensedApp, action: str = "assignment.found") -> None:
    audit.record(action, by=APPLE, organization=title.organization, target=title)


def test_foreign_changes_are_counted_with_their_accounts(
    reader_api: ApiClient, organization: Organization, account: VppAccount, title: LicensedApp
) -> None:
    none = reader_api.get(path(organization)).json()
    found(title)
    found(title, "assignment.gone")
    found(title, "assignment.granted")

    some = reader_api.get(path(organization)).json()

    assert (none["count"], none["vppAccounts"]) == (0, [])
    assert some.pop("since") >= none["since"]
    assert some == {
        "count": 2,
        "isCapped": False,
        "vppAccounts": [{"id": str(account.pk), "name": "Example Schools North"}],
    }


def test_foreign_changes_that_an_admin_has_seen_are_counted_for_others_only(
    owner_api: ApiClient, reader_api: ApiClient, organization: Organization, title: LicensedApp
) -> None:
    found(title)

    seen = reader_api.send("POST", path(organization, "/seen"))
    theirs, others = reader_api.get(path(organization)), owner_api.get(path(organization))

    assert (seen.status_code, seen.json()["count"]) == (200, 0)
    assert (theirs.json()["count"], others.json()["count"]) == (0, 1)


def test_foreign_changes_of_accounts_that_are_not_open_are_not_told(
    owner_api: ApiClient,
    outsider_api: ApiClient,
    organization: Organization,
    account: VppAccount,
    title: LicensedApp,
) -> None:
    found(title)
    account.allowed_admins = "named"
    account.save()

    answer = owner_api.get(path(organization))
    strangers = (
        outsider_api.get(path(organization)),
        outsider_api.send("POST", path(organization, "/seen")),
    )

    assert (answer.json()["count"], answer.json()["vppAccounts"]) == (0, [])
    assert [each.status_code for each in strangers] == [404, 404]
