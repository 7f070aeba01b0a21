"""Below how many licenses somebody is told, over REST."""

from __future__ import annotations

from typing import Any

import pytest

from licensing.low.settings import MOST
from licensing.models import LicensedApp
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.api.conftest import ApiClient, client_of
from vpp_accounts.models import VppAccount

OUT_OF_RANGE = {
    "errors": ["Choose a number from 0 to 1,000,000, or leave it empty."],
    "code": "threshold_out_of_range",
}


@pytest.fixture
def title(account: VppAccount) -> LicensedApp:
    return factories.LicensedAppFactory(account=account)


def settings(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/sm/settings"


def threshold(title: LicensedApp) -> str:
    account = f"/organizations/{title.organization_id}/sm/vppAccounts/{title.account_id}"
    return f"{account}/assets/{title.adam_id}/{title.pricing_param}/threshold"


def told(answer: Any) -> tuple[int, Any]:
    return answer.status_code, answer.json()


def test_the_settings_are_changed_and_read(
    owner_api: ApiClient, reader_api: ApiClient, organization: Organization
) -> None:
    before = reader_api.get(settings(organization))
    changed = owner_api.send("PUT", settings(organization), {"lowThreshold": 20})
    untouched = owner_api.send("PUT", settings(organization), {})
    seen = reader_api.get(settings(organization))
    ended = owner_api.send("PUT", settings(organization), {"lowThreshold": None})

    assert told(before) == told(ended) == (200, {"lowThreshold": None})
    assert told(changed) == told(untouched) == told(seen) == (200, {"lowThreshold": 20})
    events = AuditEvent.objects.filter(action="vpp_settings.low_threshold_set")
    assert events.count() == 2


def test_a_titles_own_threshold_counts_before_the_organizations(
    owner_api: ApiClient, title: LicensedApp
) -> None:
    owner_api.send("PUT", settings(title.organization), {"lowThreshold": 20})

    by_default = owner_api.get(threshold(title))
    own = owner_api.send("PUT", threshold(title), {"threshold": 5})
    never = owner_api.send("PUT", threshold(title), {"threshold": 0})
    seen = owner_api.get(threshold(title))
    ended = owner_api.send("PUT", threshold(title), {"threshold": None})

    assert told(own) == (200, {"threshold": 5, "effectiveThreshold": 5})
    assert told(never) == told(seen) == (200, {"threshold": 0, "effectiveThreshold": 0})
    assert told(by_default) == told(ended) == (200, {"threshold": None, "effectiveThreshold": 20})


@pytest.mark.parametrize("number", [-1, MOST + 1, 2**62])
def test_thresholds_have_bounds(owner_api: ApiClient, title: LicensedApp, number: int) -> None:
    of_all = owner_api.send("PUT", settings(title.organization), {"lowThreshold": number})
    of_one = owner_api.send("PUT", threshold(title), {"threshold": number})

    assert told(of_all) == told(of_one) == (400, OUT_OF_RANGE)


def test_a_threshold_has_to_be_said(owner_api: ApiClient, title: LicensedApp) -> None:
    silent = owner_api.send("PUT", threshold(title), {})
    unknown = owner_api.get(threshold(title).replace(title.adam_id, "4711"))

    assert (silent.status_code, silent.json()["errors"]) == (400, ["“threshold” is missing."])
    assert unknown.status_code == 404


def test_who_sets_thresholds(
    reader_api: ApiClient, outsider_api: ApiClient, account: VppAccount, title: LicensedApp
) -> None:
    network = factories.NetworkFactory(organization=title.organization)
    access = factories.NetworkAccessFactory(
        membership__organization=title.organization, network=network
    )
    account.allowed_admins = "networks"
    account.save()
    account.allowed_networks.add(network)
    manager = client_of(access.membership.admin)
    own, default = {"threshold": 3}, {"lowThreshold": 3}

    answers = {
        name: [
            api.send("PUT", threshold(title), own).status_code,
            api.send("PUT", settings(title.organization), default).status_code,
        ]
        for name, api in {
            "reader": reader_api,
            "outsider": outsider_api,
            "manager": manager,
        }.items()
    }

    assert answers == {"reader": [403, 403], "outsider": [404, 404], "manager": [200, 403]}
