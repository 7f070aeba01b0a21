"""What admins do to the networks of an organization."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from organizations import audit, hooks, network_tags
from organizations.audit import Actor
from organizations.models import Network, Organization
from organizations.refusals import Conflict, Refusal

LONGEST_NAME = 200
LONGEST_TAG = 100


class NetworkNameWrong(Refusal):
    code = "network_name_wrong"
    field = "name"


class NetworkNameTaken(Conflict):
    code = "network_name_taken"
    field = "name"

    def __init__(self, name: str) -> None:
        super().__init__(f"This organization already has a network “{name}”. Choose another name.")


class TagWrong(Refusal):
    code = "tag_wrong"
    field = "tags"


class TimeZoneUnknown(Refusal):
    code = "time_zone_unknown"
    field = "time_zone"

    def __init__(self, name: str) -> None:
        super().__init__(f"“{name}” is no time zone. Give its name, for example Europe/Vienna.")


class NetworkHasDevices(Conflict):
    code = "network_has_devices"
    field = "move_devices_to"

    def __init__(self, network: Network, devices: int) -> None:
        plural = "device is" if devices == 1 else "devices are"
        super().__init__(
            f"{devices:,} {plural} in “{network}”. Choose the network that takes them over."
        )


class NetworkNotATarget(Refusal):
    code = "network_not_a_target"
    field = "move_devices_to"


@dataclass(frozen=True, slots=True)
class NetworkDetails:
    """What an admin says about a network. `time_zone` is an IANA name; None is the organization's."""

    name: str
    time_zone: str | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""


def add_network(*, by: Actor, organization: Organization, details: NetworkDetails) -> Network:
    network = Network(organization=organization, time_zone=organization.time_zone)
    after = assign(network, details)
    with transaction.atomic():
        save(network)
        network_tags.renew(organization)
        audit.record("network.added", by=by, organization=organization, target=network, after=after)
    return network


@transaction.atomic
def edit_network(*, by: Actor, network: Network, details: NetworkDetails) -> Network:
    network = Network.objects.select_for_update(of=("self",), no_key=True).get(pk=network.pk)
    before = facts(network)
    after = assign(network, details)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        save(network)
        if "tags" in changed:
            network_tags.renew(network.organization)
        audit.record(
            "network.edited",
            by=by,
            organization=network.organization,
            target=network,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return network


@transaction.atomic
def delete_network(*, by: Actor, network: Network, move_devices_to: Network | None = None) -> None:
    """Devices move to `move_devices_to` first; without one a network that has devices stays."""
    organization, before = network.organization, facts(network)
    moved = move_devices(network, move_devices_to) if move_devices_to else 0
    audit.record(
        "network.deleted",
        by=by,
        organization=organization,
        target=network,
        before=before,
        after={"devicesMoved": moved, "movedTo": str(move_devices_to)} if moved else None,
    )
    try:
        network.delete()
    except ProtectedError as error:
        raise NetworkHasDevices(network, len(error.protected_objects)) from error


def move_devices(network: Network, target: Network) -> int:
    if target.pk == network.pk or target.organization_id != network.organization_id:
        raise NetworkNotATarget("Choose another network of this organization for the devices.")
    # Both rows, in one order: nobody deletes the target meanwhile, and two deletions cannot deadlock.
    pair = Network.objects.filter(pk__in=(network.pk, target.pk)).order_by("pk")
    list(pair.select_for_update(of=("self",)).values_list("pk"))
    return network.devices.update(network=target)


def deletion_consequences(network: Network) -> list[str]:
    """What ends with a network, in sentences, ours and those of the apps above."""
    admins = network.accesses.values("membership").distinct().count()
    ours = [
        f"{admins:,} network admin{'s lose their' if admins != 1 else ' loses the'} access to it."
    ]
    answers = hooks.network_deletion.send(sender=Network, network=network)
    return (ours if admins else []) + [text for _, texts in answers for text in texts or ()]


def assign(network: Network, details: NetworkDetails) -> dict[str, Any]:
    """Put checked details on the row; answers the facts as they are afterwards."""
    network.name = checked_name(details.name)
    network.time_zone = checked_zone(details.time_zone or network.time_zone)
    network.tags = checked_tags(details.tags)
    network.notes = details.notes.strip()
    return facts(network)


def facts(network: Network) -> dict[str, Any]:
    return {
        "name": network.name,
        "timeZone": network.time_zone,
        "tags": list(network.tags or ()),
        "notes": network.notes,
    }


def save(network: Network) -> None:
    try:
        with transaction.atomic():
            network.save()
    except IntegrityError as error:
        raise NetworkNameTaken(network.name) from error


def checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise NetworkNameWrong("A network needs a name.")
    if len(name) > LONGEST_NAME:
        raise NetworkNameWrong(
            f"The name has {len(name)} characters; at most {LONGEST_NAME} are possible. Shorten it."
        )
    return name


def checked_zone(name: str) -> str:
    if name not in time_zones():
        raise TimeZoneUnknown(name)
    return name


def checked_tags(tags: Iterable[str]) -> list[str]:
    """Each tag once, whatever its case, in the order given."""
    once: dict[str, str] = {}
    for tag in filter(None, (tag.strip() for tag in tags)):
        if len(tag.split()) > 1:
            raise TagWrong(f"“{tag}” has a space in it. A tag is one word: use - or _ instead.")
        if len(tag) > LONGEST_TAG:
            raise TagWrong(f"“{tag[:20]}…” is longer than {LONGEST_TAG} characters. Shorten it.")
        once.setdefault(tag.lower(), tag)
    return list(once.values())


@cache
def time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})
