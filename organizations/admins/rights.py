"""What an admin may do in one organization: checked, written, and as the audit log keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from organizations import network_tags, services
from organizations.admins.refusals import NetworkUnknown, NoAccess
from organizations.models import (
    Membership,
    Network,
    NetworkAccess,
    NetworkTagAccess,
    Organization,
    OrganizationAccess,
)


@dataclass(frozen=True, slots=True)
class AdminRights:
    """`networks` (by id) and `tags` say whether the admin may write there. None: as it is now."""

    access: str | None = None
    networks: Mapping[int, bool] | None = None
    tags: Mapping[str, bool] | None = None


def rights_of(membership: Membership) -> AdminRights:
    """As they were given; what follows from tags is not among the networks."""
    networks = membership.network_accesses.filter(tag="")
    return AdminRights(
        access=membership.access,
        networks=dict(networks.values_list("network", "can_write")),
        tags=dict(membership.tag_accesses.values_list("tag", "can_write")),
    )


def checked(organization: Organization, rights: AdminRights) -> AdminRights:
    """Networks of this organization, which nobody deletes until the transaction has ended."""
    wanted = rights.networks or {}
    ours = Network.objects.filter(organization=organization, pk__in=wanted).order_by("pk")
    found = ours.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True)
    if missing := sorted(set(wanted) - set(found)):
        raise NetworkUnknown(missing[0])
    return replace(rights, tags=None if rights.tags is None else _checked_tags(rights.tags))


def _checked_tags(tags: Mapping[str, bool]) -> dict[str, bool]:
    """Each once, whatever its case; given twice, the stronger right counts."""
    return {
        name: any(writes for tag, writes in tags.items() if tag.strip().lower() == name.lower())
        for name in services.checked_tags(tags)
    }


def set_rights(membership: Membership, rights: AdminRights) -> None:
    """`rights` are checked, and the organization is locked."""
    if rights.access is not None:
        membership.access = rights.access
        membership.save(update_fields=["access"])
    if rights.networks is not None:
        _write_networks(membership, rights.networks)
    if rights.tags is not None:
        _write_tags(membership, rights.tags)
    network_tags.renew(membership.organization)
    _refuse_nothing(membership)


def _refuse_nothing(membership: Membership) -> None:
    given = (membership.network_accesses, membership.tag_accesses)
    if membership.access == OrganizationAccess.NONE and not any(each.exists() for each in given):
        raise NoAccess


def _write_networks(membership: Membership, networks: Mapping[int, bool]) -> None:
    membership.network_accesses.filter(tag="").exclude(network__in=networks).delete()
    NetworkAccess.objects.bulk_create(
        (
            NetworkAccess(
                organization_id=membership.organization_id,
                membership=membership,
                network_id=network,
                can_write=can_write,
            )
            for network, can_write in networks.items()
        ),
        update_conflicts=True,
        unique_fields=["membership", "network", "tag"],
        update_fields=["can_write"],
    )


def _write_tags(membership: Membership, tags: Mapping[str, bool]) -> None:
    membership.tag_accesses.all().delete()
    NetworkTagAccess.objects.bulk_create(
        NetworkTagAccess(
            organization_id=membership.organization_id,
            membership=membership,
            tag=tag,
            can_write=can_write,
        )
        for tag, can_write in tags.items()
    )


def facts(membership: Membership) -> dict[str, Any]:
    """For people to read: names, and after each whether it is for reading only."""
    networks = membership.network_accesses.filter(tag="").order_by("network__name")
    tags = membership.tag_accesses.order_by("tag")
    return {
        "access": membership.access,
        "networks": _words(networks.values_list("network__name", "can_write")),
        "networkTags": _words(tags.values_list("tag", "can_write")),
    }


def _words(given: Iterable[tuple[str, bool]]) -> list[str]:
    return [name if can_write else f"{name} (read-only)" for name, can_write in given]
