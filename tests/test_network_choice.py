"""The network in the frame: chosen, shown, and what of each page it narrows."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from organizations.models import Network, Organization
from tests.conftest import signed_in
from tests.factories import (
    BatchItemFactory,
    DeviceFactory,
    LicensedAppFactory,
    MembershipFactory,
    NetworkAccessFactory,
    NetworkFactory,
)
from tests.reading import text_of
from vpp_accounts.models import VppAccount


@pytest.fixture
def networks(organization: Organization) -> list[Network]:
    return [NetworkFactory(organization=organization, name=name) for name in ("East", "West")]


def choose(client: Client, organization: Organization, network: object = "", **told: object) -> Any:
    address = f"/organizations/{organization.pk}/networks/choose/"
    pk = network.pk if isinstance(network, Network) else network
    return client.post(address, {"network": pk, **told})


def page(client: Client, organization: Organization, below: str = "alarms/") -> str:
    return client.get(f"/organizations/{organization.pk}/{below}").content.decode()


def shown(markup: str) -> str:
    """What the switcher says."""
    if 'aria-label="Network: ' not in markup:
        return ""
    return markup.split('aria-label="Network: ')[1].split(". Switch")[0]


# --- Choosing -------------------------------------------------------------------------------------


def test_a_choice_stays_until_it_is_taken_off(
    organization: Organization, networks: list[Network], reader_client: Client
) -> None:
    before = shown(page(reader_client, organization))

    answer = choose(reader_client, organization, networks[0], next=f"{base(organization)}mdm/?q=1")
    chosen = shown(page(reader_client, organization))
    choose(reader_client, organization)
    after = shown(page(reader_client, organization))

    assert answer["Location"] == f"{base(organization)}mdm/?q=1"
    assert (before, chosen, after) == ("All networks", "East", "All networks")


def base(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/"


def test_each_organization_has_its_own(
    owner: Any, organization: Organization, networks: list[Network], owner_client: Client
) -> None:
    other = MembershipFactory(admin=owner).organization
    theirs = NetworkFactory.create_batch(2, organization=other)
    choose(owner_client, organization, networks[1])
    choose(owner_client, other, theirs[0])

    told = [shown(page(owner_client, each)) for each in (organization, other)]

    assert told == ["West", theirs[0].name]


@pytest.mark.parametrize("number", [0, 1])
def test_where_there_is_nothing_to_choose_there_is_no_switcher(
    organization: Organization, owner_client: Client, number: int
) -> None:
    NetworkFactory.create_batch(number, organization=organization)

    assert shown(page(owner_client, organization)) == ""


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example/", "/organizations/0/", "", "javascript:alert(1)"],
)
def test_it_leads_back_into_this_organization_only(
    organization: Organization, networks: list[Network], owner_client: Client, address: str
) -> None:
    answer = choose(owner_client, organization, networks[0], next=address)

    assert answer["Location"] == base(organization)


def test_a_network_that_is_gone_is_not_chosen(
    organization: Organization, networks: list[Network], owner_client: Client
) -> None:
    choose(owner_client, organization, networks[0])
    networks[0].delete()
    NetworkFactory(organization=organization)

    assert shown(page(owner_client, organization)) == "All networks"


def test_a_network_that_they_may_not_see_any_more_is_not_chosen(
    organization: Organization, networks: list[Network]
) -> None:
    membership = MembershipFactory(organization=organization, access="none")
    accesses = [
        NetworkAccessFactory(membership=membership, network=network) for network in networks
    ]
    client = signed_in(membership.admin)
    choose(client, organization, networks[0])
    before = shown(page(client, organization))
    accesses[0].delete()
    NetworkAccessFactory(
        membership=membership, network=NetworkFactory(organization=organization, name="South")
    )

    assert (before, shown(page(client, organization))) == ("East", "All networks")


def test_a_search_for_what_is_no_text_finds_all(
    organization: Organization, networks: list[Network], owner_client: Client
) -> None:
    found = owner_client.get(f"{base(organization)}networks/choose/?q=%00")

    assert all(each.name in text_of(found) for each in networks)


@pytest.mark.parametrize("wanted", ["0", "x", "9" * 30, "-1"])
def test_what_is_no_network_is_not_found(
    organization: Organization, networks: list[Network], owner_client: Client, wanted: str
) -> None:
    assert choose(owner_client, organization, wanted).status_code == 404


def test_networks_of_others_are_not_found(
    organization: Organization, outsider: Any, outsider_client: Client, owner_client: Client
) -> None:
    elsewhere = outsider.memberships.get().organization
    theirs = NetworkFactory(organization=elsewhere, name="Theirs")

    codes = [
        choose(owner_client, organization, theirs).status_code,
        choose(outsider_client, organization, theirs).status_code,
    ]

    assert codes == [404, 404]
    assert "Theirs" not in page(owner_client, organization, "networks/choose/?q=the")


# --- Very many ------------------------------------------------------------------------------------


def test_few_are_in_the_page_and_of_many_only_the_first(
    organization: Organization, owner_client: Client
) -> None:
    for number in range(60):
        NetworkFactory(organization=organization, name=f"School {number:02}")

    markup = page(owner_client, organization)
    found = owner_client.get(
        f"{base(organization)}networks/choose/?q=hool+5", headers={"HX-Request": "true"}
    )

    assert [f"School {n:02}" in markup for n in (0, 49, 50, 59)] == [True, True, False, False]
    assert "There are more: type a part of the name." in markup
    assert text_of(found) == " ".join(f"School {n}" for n in range(50, 60))
    assert "<html" not in found.content.decode()


def test_the_page_of_the_choice_works_without_script(
    organization: Organization, networks: list[Network], owner_client: Client
) -> None:
    choose(owner_client, organization, networks[1])

    answer = owner_client.get(
        f"{base(organization)}networks/choose/?q=we&next={base(organization)}mdm/"
    )
    nothing = owner_client.get(f"{base(organization)}networks/choose/?q=toy")

    markup = answer.content.decode().split("network-choices")[1]
    assert ("West" in markup, "East" in markup) == (True, False)
    assert f'name="next" value="{base(organization)}mdm/"' in answer.content.decode()
    assert "No network is called so." in text_of(nothing)


# --- What it narrows ------------------------------------------------------------------------------


@pytest.fixture
def devices(organization: Organization, networks: list[Network]) -> None:
    for network in networks:
        for number in range(2):
            DeviceFactory(
                organization=organization,
                network=network,
                serial_number=f"{network.name.upper()}{number}",
                name=f"iPad {network.name} {number}",
            )


def test_the_overview_counts_the_devices_in_it(
    organization: Organization,
    networks: list[Network],
    devices: None,
    account: VppAccount,
    owner_client: Client,
) -> None:
    before = text_of(owner_client.get(base(organization)))
    choose(owner_client, organization, networks[0])
    after = text_of(owner_client.get(base(organization)))

    assert "Networks 2 Devices 4" in before
    assert "Network: East" not in before
    assert "Inventory Network: East Networks 2 Devices 2" in after


def test_devices_of_a_title_are_those_in_it(
    organization: Organization,
    networks: list[Network],
    devices: None,
    account: VppAccount,
    owner_client: Client,
) -> None:
    title = LicensedAppFactory(account=account)
    address = f"manage/vpp/{account.pk}/apps/{title.adam_id}/{title.pricing_param}/"
    choose(owner_client, organization, networks[0])

    listed = owner_client.get(f"{base(organization)}{address}?holders=devices")
    users = owner_client.get(f"{base(organization)}{address}?holders=users")
    planned = owner_client.post(
        f"{base(organization)}{address}?holders=devices", {"kind": "grant", "all": "1"}
    )
    plan = owner_client.get(planned["Location"])

    text = text_of(listed)
    assert ("EAST0" in text, "EAST1" in text, "WEST0" in text) == (True, True, False)
    assert "chip-off" in listed.content.decode()
    assert "chip-off" not in users.content.decode()
    assert plan.context["plan"].request["serials"] == ["EAST0", "EAST1"]


def test_the_waiting_list_keeps_its_places(
    organization: Organization,
    networks: list[Network],
    devices: None,
    account: VppAccount,
    owner_client: Client,
) -> None:
    title = LicensedAppFactory(account=account)
    for kind, holder in (("device", "WEST0"), ("device", "EAST0"), ("user", "ann")):
        BatchItemFactory(
            batch__account=account,
            licensed_app=title,
            state="waiting",
            holder_kind=kind,
            holder=holder,
        )
    address = f"manage/vpp/{account.pk}/apps/{title.adam_id}/{title.pricing_param}/waiting/"
    choose(owner_client, organization, networks[0])

    answer = owner_client.get(f"{base(organization)}{address}")

    rows = [(line.place, line.row.holder) for line in answer.context["listing"].rows]
    assert rows == [(2, "EAST0"), (3, "ann")]
    assert "Network: East" in text_of(answer)
