"""Access by network tag follows the networks' tags and what admins were given, in both directions."""

from __future__ import annotations

import pytest

from organizations import network_tags, services
from organizations.admins import changing
from organizations.admins.rights import AdminRights
from organizations.audit import Actor
from organizations.models import (
    Device,
    Membership,
    Network,
    NetworkAccess,
    NetworkTagAccess,
    Organization,
)
from organizations.services import NetworkDetails
from tests.factories import (
    DeviceFactory,
    MembershipFactory,
    NetworkAccessFactory,
    NetworkFactory,
    VppAccountFactory,
)
from vpp_accounts.models import VppAccount


@pytest.fixture
def sam(organization: Organization) -> Membership:
    return MembershipFactory(
        organization=organization, access="none", admin__email="sam@example.org"
    )


def give(membership: Membership, tag: str, *, can_write: bool = True) -> None:
    NetworkTagAccess.objects.create(
        organization=membership.organization, membership=membership, tag=tag, can_write=can_write
    )
    network_tags.renew(membership.organization)


def accesses(membership: Membership) -> list[tuple[str, bool, str]]:
    found = membership.network_accesses.order_by("network__name", "tag")
    return list(found.values_list("network__name", "can_write", "tag"))


def test_a_network_is_theirs_while_it_carries_the_tag(
    organization: Organization, sam: Membership, by: Actor
) -> None:
    give(sam, "west")
    seen = []

    details = NetworkDetails("North", tags=("WEST", "primary"))
    north = services.add_network(by=by, organization=organization, details=details)
    seen.append(accesses(sam))
    services.edit_network(by=by, network=north, details=NetworkDetails("North", tags=("primary",)))
    seen.append(accesses(sam))

    assert seen == [[("North", True, "west")], []]


def test_what_is_given_by_tag_counts_for_every_network_that_has_it(
    organization: Organization, sam: Membership, by: Actor
) -> None:
    for name, tags in (("North", ["west"]), ("South", ["West", "old"]), ("East", ["western"])):
        NetworkFactory(organization=organization, name=name, tags=tags)
    seen = []

    for rights in ({"west": True}, {"west": False}, {"old": True}):
        changing.change(by=by, membership=sam, rights=AdminRights(tags=rights))
        seen.append(accesses(sam))

    assert seen == [
        [("North", True, "west"), ("South", True, "west")],
        [("North", False, "west"), ("South", False, "west")],
        [("South", True, "old")],
    ]


def test_renewing_again_changes_nothing(organization: Organization, sam: Membership) -> None:
    NetworkFactory(organization=organization, tags=["west"])
    give(sam, "west")
    before = list(NetworkAccess.objects.values())

    network_tags.renew(organization)

    assert list(NetworkAccess.objects.values()) == before


def test_other_organizations_are_left_alone(organization: Organization, sam: Membership) -> None:
    other = MembershipFactory(access="none")
    network = NetworkFactory(organization=other.organization, tags=["west"])
    give(other, "west")
    stale = NetworkAccessFactory(membership=other, network=network, tag="gone")

    give(sam, "west")

    assert accesses(sam) == []
    assert NetworkAccess.objects.filter(pk=stale.pk).exists()
    assert NetworkAccess.objects.filter(membership=other).count() == 2


def test_what_was_given_by_itself_stays_beside_the_tag(
    organization: Organization, sam: Membership
) -> None:
    north = NetworkFactory(organization=organization, name="North", tags=["west"])
    NetworkAccessFactory(membership=sam, network=north, can_write=False)

    give(sam, "west")

    assert accesses(sam) == [("North", False, ""), ("North", True, "west")]


def test_several_ways_to_one_network_count_once_and_the_strongest(
    organization: Organization, sam: Membership
) -> None:
    """Through every set of rows that asks for an admin's networks."""
    north = NetworkFactory(organization=organization, name="North", tags=["west", "old"])
    device = DeviceFactory(organization=organization, network=north)
    account = VppAccountFactory(organization=organization, allowed_admins="networks")
    account.allowed_networks.add(north)
    NetworkAccessFactory(membership=sam, network=north, can_write=False)
    give(sam, "west")
    give(sam, "old", can_write=False)

    found = {
        "visible networks": list(Network.objects.visible_to(sam)),
        "writable networks": list(Network.objects.writable_by(sam)),
        "devices": list(Device.objects.visible_to(sam)),
        "open accounts": list(VppAccount.objects.open_to(sam)),
        "managed accounts": list(VppAccount.objects.manageable_by(sam)),
    }

    assert found == {
        "visible networks": [north],
        "writable networks": [north],
        "devices": [device],
        "open accounts": [account],
        "managed accounts": [account],
    }
    assert services.deletion_consequences(north)[0] == "1 network admin loses the access to it."
