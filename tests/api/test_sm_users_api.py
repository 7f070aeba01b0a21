"""Meraki's users of a network: who owns the devices in it, and what these devices have."""

from __future__ import annotations

from typing import Any

import pytest

from organizations.models import Network, Organization, Owner
from tests import factories
from tests.api.conftest import ApiClient, client_of


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def path(oakmont: Network) -> str:
    return f"/networks/{oakmont.pk}/sm/users"


def person(network: Network, name: str, *tags: str, device_tags: tuple[str, ...] = ()) -> Owner:
    """With a device in the network."""
    ours = {"organization": network.organization}
    made = {
        tag: factories.TagFactory(**ours, name=tag).pk for tag in dict.fromkeys(tags + device_tags)
    }
    owner = factories.OwnerFactory(
        **ours,
        name=name,
        email=f"{name}@example.org".lower(),
        username=name.lower(),
        tag_ids=[made[tag] for tag in tags],
    )
    factories.DeviceFactory(
        **ours, network=network, owner=owner, tag_ids=[made[tag] for tag in device_tags]
    )
    return owner


def names(answer: Any) -> list[str]:
    return [row["fullName"] for row in answer.json()]


def test_an_owner_is_told_in_merakis_words(
    owner_api: ApiClient, oakmont: Network, path: str
) -> None:
    owner = person(oakmont, "Miles", "teacher", "grade-3")

    answer = owner_api.get(path)

    assert answer.json() == [
        {
            "id": str(owner.pk),
            "email": "miles@example.org",
            "fullName": "Miles",
            "username": "miles",
            "hasPassword": False,
            "tags": " teacher grade-3 ",
            "adGroups": [],
            "azureAdGroups": [],
            "samlGroups": [],
            "asmGroups": [],
            "isExternal": False,
            "displayName": "Miles <miles@example.org>",
            "hasIdentityCertificate": False,
            "userThumbnail": "",
        }
    ]


def test_an_owner_without_address_and_tags_has_none(
    owner_api: ApiClient, oakmont: Network, path: str
) -> None:
    owner = person(oakmont, "Miles")
    Owner.objects.filter(pk=owner.pk).update(email="")

    (row,) = owner_api.get(path).json()

    assert (row["email"], row["displayName"], row["tags"]) == ("", "Miles", "")


def test_only_who_has_a_device_there_is_listed_and_once(
    owner_api: ApiClient, oakmont: Network, path: str
) -> None:
    miles = person(oakmont, "Miles")
    factories.DeviceFactory(organization=oakmont.organization, network=oakmont, owner=miles)
    factories.DeviceFactory(organization=oakmont.organization, network=oakmont, owner=None)
    person(factories.NetworkFactory(organization=oakmont.organization), "Nora")
    factories.OwnerFactory(organization=oakmont.organization, name="Without")

    answer = owner_api.get(path)

    assert names(answer) == ["Miles"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"usernames[]": ["MILES", "nobody"]}, ["Miles"]),
        ({"emails[]": "nora@EXAMPLE.org"}, ["Nora"]),
        ({"emails": ["nora@example.org", "miles@example.org"]}, ["Miles", "Nora"]),
        ({"usernames[]": "miles", "emails[]": "nora@example.org"}, []),
        ({"scope[]": ["withAny", "teacher"]}, ["Miles"]),
        ({"scope[]": "withAny,teacher,cart"}, ["Miles", "Nora"]),
        ({"scope[]": ["withoutAny", "teacher"]}, ["Nora"]),
        ({"scope[]": "all"}, ["Miles", "Nora"]),
        ({"scope[]": "none"}, []),
    ],
)
def test_users_are_filtered_as_meraki_does(
    owner_api: ApiClient, oakmont: Network, path: str, query: dict[str, Any], expected: list[str]
) -> None:
    person(oakmont, "Miles", "teacher")
    person(oakmont, "Nora", device_tags=("cart",))

    answer = owner_api.get(path, query)

    assert names(answer) == expected


def test_users_are_found_by_their_ids(owner_api: ApiClient, oakmont: Network, path: str) -> None:
    miles, _ = person(oakmont, "Miles"), person(oakmont, "Nora")

    answer = owner_api.get(path, {"ids[]": [miles.pk, 999]})

    assert names(answer) == ["Miles"]


@pytest.mark.parametrize(
    ("query", "code", "sentence"),
    [
        ({"ids[]": "x"}, "bad_parameter", "“ids[]” must be ids: digits only."),
        (
            {"scope[]": "some,teacher"},
            "bad_parameter",
            "“scope[]” must begin with one of all, none, withAny, withAll, withoutAny, withoutAll,"
            " followed by tags.",
        ),
        (
            {"scope[]": "withAny,teacher"},
            "tag_unknown",
            "This organization has no tag “teacher”. Choose one of Configure > Tags.",
        ),
        (
            {"scope[]": "withAny"},
            "scope_without_tags",
            "This scope names devices by their tags: choose at least one tag, or another scope.",
        ),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(
    owner_api: ApiClient, path: str, query: dict[str, str], code: str, sentence: str
) -> None:
    answer = owner_api.get(path, query)

    assert (answer.status_code, answer.json()) == (400, {"errors": [sentence], "code": code})


def test_the_admins_of_a_network_see_its_owners_alone(
    oakmont: Network, path: str, outsider_api: ApiClient, reader_api: ApiClient
) -> None:
    person(oakmont, "Miles")
    elsewhere = factories.NetworkFactory(organization=oakmont.organization)
    nora = person(elsewhere, "Nora")
    access = factories.NetworkAccessFactory(
        membership__organization=oakmont.organization, membership__access="none", network=oakmont
    )
    api = client_of(access.membership.admin)

    seen = api.get(path)
    others = api.get(f"/networks/{elsewhere.pk}/sm/users")
    one = api.get(f"{path}/{nora.pk}/softwares")

    assert (names(seen), names(reader_api.get(path))) == (["Miles"], ["Miles"])
    assert (others.status_code, one.status_code) == (404, 404)
    assert outsider_api.get(path).status_code == 404


def test_what_is_on_an_owners_devices_is_listed(
    owner_api: ApiClient, oakmont: Network, path: str
) -> None:
    miles = person(oakmont, "Miles")
    device = miles.devices.get()
    app = factories.ManagedAppFactory(
        network=oakmont,
        app__name="Keynote",
        app__bundle_id="com.apple.Keynote",
        app__seller="Apple",
    )
    installation = factories.InstallationFactory(
        managed_app=app, device=device, state="installed", is_managed=True, version="14.1"
    )
    factories.InstallationFactory(
        managed_app=app,
        device__organization=oakmont.organization,
        state="installed",
    )

    softwares = owner_api.get(f"{path}/{miles.pk}/softwares")
    profiles = owner_api.get(f"{path}/{miles.pk}/deviceProfiles")

    since = f"{installation.since:%Y-%m-%dT%H:%M:%SZ}"
    assert softwares.json() == [
        {
            "id": str(installation.pk),
            "appId": str(app.pk),
            "deviceId": str(device.pk),
            "name": "Keynote",
            "identifier": "com.apple.Keynote",
            "itunesId": app.adam_id,
            "vendor": "Apple",
            "version": "14.1",
            "shortVersion": "14.1",
            "status": "installed",
            "isManaged": True,
            "toInstall": False,
            "toUninstall": False,
            "createdAt": None,
            "updatedAt": since,
            "installedAt": since,
            "uninstalledAt": None,
            "bundleSize": None,
            "dynamicSize": None,
            "path": "",
            "licenseKey": "",
            "redemptionCode": None,
            "iosRedemptionCode": False,
        }
    ]
    assert (profiles.status_code, profiles.json()) == (200, [])


@pytest.mark.parametrize(
    ("state", "is_wanted", "told"),
    [
        ("licensed", True, (True, False, False, False)),
        ("install_queued", True, (True, False, False, False)),
        ("installed", True, (False, False, True, False)),
        ("removed_by_user", True, (True, False, False, True)),
        ("reclaimed_pending_removal", False, (False, True, False, False)),
        ("removed", False, (False, False, False, True)),
    ],
)
def test_how_far_an_app_is_stands_in_merakis_fields(
    owner_api: ApiClient,
    oakmont: Network,
    path: str,
    state: str,
    is_wanted: bool,
    told: tuple[bool, ...],
) -> None:
    miles = person(oakmont, "Miles")
    factories.InstallationFactory(
        managed_app__network=oakmont, device=miles.devices.get(), state=state, is_wanted=is_wanted
    )

    (row,) = owner_api.get(f"{path}/{miles.pk}/softwares").json()

    assert row["status"] == state
    assert (
        row["toInstall"],
        row["toUninstall"],
        row["installedAt"] is not None,
        row["uninstalledAt"] is not None,
    ) == told


@pytest.mark.parametrize("count", [1, 3])
def test_listing_costs_the_same_for_one_and_three(
    owner_api: ApiClient,
    oakmont: Network,
    path: str,
    django_assert_num_queries: Any,
    count: int,
) -> None:
    for number in range(count):
        person(oakmont, f"P{number}", f"tag-{number}")
    owner_api.get("/organizations")

    with django_assert_num_queries(5):
        answer = owner_api.get(path)

    assert len(answer.json()) == count
