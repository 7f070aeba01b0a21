"""The titles of an account over REST."""

import pytest

from licensing.models import LicensedApp
from licensing.models.apps import UNLIMITED
from organizations.models import Organization
from tests import factories
from tests.api.conftest import ApiClient
from vpp_accounts.models import VppAccount


@pytest.fixture
def account(organization: Organization) -> VppAccount:
    return factories.VppAccountFactory(organization=organization)


@pytest.fixture
def path(account: VppAccount) -> str:
    return f"/organizations/{account.organization_id}/sm/vppAccounts/{account.pk}/assets"


def test_a_title_has_its_counts_and_what_the_store_says(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    asset = factories.LicensedAppFactory(
        account=account,
        app__name="Example Keyboard",
        app__bundle_id="org.example.keyboard",
        app__icon_url="https://is1-ssl.mzstatic.com/icon.png",
        platforms=["iOS", "macOS"],
        retired_count=2,
    )

    listed = owner_api.get(path)
    shown = owner_api.get(f"{path}/{asset.adam_id}/STDQ")

    assert shown.json() == {
        "adamId": asset.adam_id,
        "pricingParam": "STDQ",
        "productType": "App",
        "name": "Example Keyboard",
        "bundleId": "org.example.keyboard",
        "iconUrl": "https://is1-ssl.mzstatic.com/icon.png",
        "platforms": ["iOS", "macOS"],
        "deviceAssignable": True,
        "revocable": True,
        "unlimited": False,
        "counts": {"total": 10, "assigned": 4, "available": 6, "retired": 2},
        "countsAsOf": f"{asset.counts_as_of:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert listed.json() == [shown.json()]


def test_unlimited_and_unknown_to_the_store_are_null(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    factories.LicensedAppFactory(
        account=account,
        app__name="",
        total_count=UNLIMITED,
        assigned_count=7,
        available_count=UNLIMITED - 7,
    )

    [answer] = owner_api.get(path).json()

    assert (answer["name"], answer["bundleId"], answer["iconUrl"]) == (None, None, None)
    assert answer["unlimited"]
    assert answer["counts"] == {"total": None, "assigned": 7, "available": None, "retired": 0}


def test_titles_that_apple_lists_no_more_are_gone(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    asset = factories.LicensedAppFactory(account=account)
    LicensedApp.objects.update(gone_at=asset.counts_as_of)

    listed = owner_api.get(path)
    shown = owner_api.get(f"{path}/{asset.adam_id}/STDQ")

    assert (listed.json(), shown.status_code) == ([], 404)


def test_the_price_class_tells_titles_apart(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    standard = factories.LicensedAppFactory(account=account, product_type="Book")
    factories.LicensedAppFactory(
        account=account, app=standard.app, pricing_param="PLUS", total_count=3
    )

    plus = owner_api.get(f"{path}/{standard.adam_id}/PLUS")
    none = owner_api.get(f"{path}/{standard.adam_id}/GRIP")

    assert (plus.json()["counts"]["total"], none.status_code) == (3, 404)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Reader", "Maps", "Atlas"]),
        ({"productType": "Book"}, ["Atlas"]),
        ({"platform": "macOS"}, ["Maps"]),
        ({"deviceAssignable": "true"}, ["Reader", "Maps"]),
        ({"deviceAssignable": "false"}, ["Atlas"]),
        ({"search": "READ"}, ["Reader"]),
        ({"search": "org.example.m"}, ["Maps"]),
        ({"search": "1000003"}, ["Atlas"]),
        ({"search": "100000"}, []),
        ({"search": "%"}, []),
        ({"search": "a", "productType": "App"}, ["Reader", "Maps"]),
    ],
)
def test_titles_are_filtered(
    owner_api: ApiClient,
    account: VppAccount,
    path: str,
    query: dict[str, str],
    names: list[str],
) -> None:
    app = {"account": account}
    factories.LicensedAppFactory(app__name="Reader", app__adam_id="1000001", **app)
    factories.LicensedAppFactory(
        app__name="Maps",
        app__adam_id="1000002",
        app__bundle_id="org.example.maps",
        platforms=["iOS", "macOS"],
        **app,
    )
    factories.LicensedAppFactory(
        app__name="Atlas",
        app__adam_id="1000003",
        product_type="Book",
        device_assignable=False,
        **app,
    )

    answer = owner_api.get(path, query)

    assert [row["name"] for row in answer.json()] == names


@pytest.mark.parametrize("name", ["productType", "deviceAssignable"])
def test_a_filter_that_makes_no_sense_is_refused(
    owner_api: ApiClient, path: str, name: str
) -> None:
    answer = owner_api.get(path, {name: "Song"})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")


@pytest.mark.parametrize("count", [1, 3])
def test_listing_costs_the_same_for_one_and_three(
    owner_api: ApiClient,
    account: VppAccount,
    path: str,
    django_assert_num_queries: object,
    count: int,
) -> None:
    factories.LicensedAppFactory.create_batch(count, account=account)
    owner_api.get("/organizations")

    with django_assert_num_queries(5):
        answer = owner_api.get(path)

    assert len(answer.json()) == count
