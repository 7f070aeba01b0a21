"""What is done to devices that are there, however many at once: a few statements each.

Each answers the ids of those that it changed. What a person does here counts at once, whoever said
before whose a device is, which tags it has or where it lies. A source that says it anew is believed
as always (records.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from organizations import audit, bulk, hooks
from organizations.audit import Actor
from organizations.devices import statements
from organizations.devices.refusals import (
    DaysWrong,
    DepartureUnclear,
    NetworkElsewhere,
    NoDevices,
    OwnerElsewhere,
)
from organizations.models import (
    AuditEvent,
    Device,
    DeviceSource,
    Membership,
    Network,
    Organization,
    Owner,
    Tag,
)
from organizations.models.inventory import DeviceQuerySet
from organizations.services import checked_tags
from organizations.tags import TagIsAutomatic, device_tags, tags_called

NAMED = 10  # in an event about several
CHOICES = ("", "now", "later", "keep")  # what becomes of licenses; "" is the organization's own
MOST_DAYS = 365
SOURCES: Mapping[str, DeviceSource] = {
    AuditEvent.ActorKind.API_KEY: DeviceSource.API,
    AuditEvent.ActorKind.SYSTEM: DeviceSource.CHANNEL,
}


@transaction.atomic
def change_tags(
    *,
    by: Actor,
    organization: Organization,
    devices: DeviceQuerySet,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    replace: Iterable[str] | None = None,
) -> list[int]:
    """Tags by name; `replace` gives just these."""
    # Before the devices, as whoever deletes a tag does, so that the two cannot deadlock.
    given = device_tags(by=by, organization=organization, names=add if replace is None else replace)
    taken = _known_tags(organization, remove)
    ids = locked(organization, devices)
    changed = _returned(
        statements.TAGS,
        ids=ids,
        base=replace is None,
        add=[tag.pk for tag in given],
        remove=[tag.pk for tag in taken],
        source=_source(by, "tags"),
    )
    said = {"added": [tag.name for tag in given], "removed": [tag.name for tag in taken]}
    after = {"tags": said["added"]} if replace is not None else said
    _record("device.tagged", by, organization, changed, after, "tags")
    return changed


@transaction.atomic
def assign_owner(
    *, by: Actor, organization: Organization, devices: DeviceQuerySet, owner: Owner | None
) -> list[int]:
    if owner and not is_held(Owner, owner.pk, organization):
        raise OwnerElsewhere
    ids = locked(organization, devices)
    changed = _returned(
        statements.OWNER, ids=ids, owner=owner.pk if owner else None, source=_source(by, "owner")
    )
    after = {"owner": str(owner) if owner else ""}
    _record("device.owner_assigned", by, organization, changed, after, "owner")
    return changed


@transaction.atomic
def move(
    *,
    by: Actor,
    organization: Organization,
    devices: DeviceQuerySet,
    network: Network,
    choice: str = "",
    days: int | None = None,
) -> list[int]:
    """Into another network, whose apps want them from then on."""
    check_departure(choice, days)
    if not is_held(Network, network.pk, organization):
        raise NetworkElsewhere
    ids = locked(organization, devices)
    changed = _returned(statements.MOVE, ids=ids, network=network.pk, source=_source(by, "network"))
    _depart(by, organization, changed, "moved", choice, days)
    _record("device.moved", by, organization, changed, {"network": network.name}, "network")
    return changed


@transaction.atomic
def mark_unenrolled(
    *,
    by: Actor,
    organization: Organization,
    devices: DeviceQuerySet,
    choice: str = "",
    days: int | None = None,
    at: datetime | None = None,
) -> list[int]:
    check_departure(choice, days)
    ids = locked(organization, devices)
    at = at or timezone.now()
    changed = _returned(statements.UNENROLLED, ids=ids, at=at, source=_source(by, "enrollment"))
    _depart(by, organization, changed, "unenrolled", choice, days)
    _record("device.unenrolled", by, organization, changed, {}, "unenrolled")
    return changed


@transaction.atomic
def mark_wiped(
    *,
    by: Actor,
    organization: Organization,
    devices: DeviceQuerySet,
    choice: str = "",
    days: int | None = None,
    at: datetime | None = None,
) -> list[int]:
    """The same wipe may be told twice."""
    check_departure(choice, days)
    ids = locked(organization, devices)
    changed = _returned(statements.WIPED, ids=ids, at=at or timezone.now())
    _depart(by, organization, changed, "wiped", choice, days)
    _record("device.wiped", by, organization, changed, {}, "wiped")
    return changed


@transaction.atomic
def delete(
    *,
    by: Actor,
    organization: Organization,
    devices: DeviceQuerySet,
    choice: str = "",
    days: int | None = None,
) -> list[int]:
    """Licenses know them by serial number, and outlive them."""
    check_departure(choice, days)
    ids = locked(organization, devices)
    _depart(by, organization, ids, "deleted", choice, days)
    _record_deletion(by, organization, ids)
    for relation in Device._meta.related_objects:
        if relation.on_delete is models.CASCADE:
            rows = relation.related_model._base_manager
            rows.filter(**{f"{relation.field.name}__in": ids}).delete()
    # Not by Django, which reads them all and deletes a hundred at a time.
    bulk.execute(statements.DELETE, {"ids": ids})
    _announce(organization, ids, "deleted")
    return ids


def consequences(
    organization: Organization, devices: DeviceQuerySet, cause: str, membership: Membership
) -> list[str]:
    """What ends when they leave, in sentences of the apps above, for this admin."""
    answers = hooks.device_departure.send(
        sender=Device,
        organization=organization,
        devices=devices,
        cause=cause,
        membership=membership,
    )
    return [text for _, texts in answers for text in texts or ()]


def check_departure(choice: str, days: int | None) -> None:
    if choice not in CHOICES:
        raise DepartureUnclear
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise DaysWrong(MOST_DAYS)


def locked(organization: Organization, devices: DeviceQuerySet) -> list[int]:
    """Their ids, in one order, so that two who change the same devices cannot deadlock."""
    ours = devices.filter(organization=organization).order_by("pk")
    rows = ours.select_for_update(of=("self",), no_key=True)
    ids = list(rows.values_list("pk", flat=True))
    if not ids:
        raise NoDevices
    return ids


def is_held(model: type[Network] | type[Owner], pk: int, organization: Organization) -> bool:
    """Whether it is there; then nobody deletes it before this transaction ends."""
    rows = model._default_manager.filter(pk=pk, organization=organization)
    return rows.select_for_update(of=("self",), no_key=True).values_list("pk").first() is not None


# --- What follows -----------------------------------------------------------------------------------


def _depart(
    by: Actor,
    organization: Organization,
    ids: Sequence[int],
    cause: str,
    choice: str,
    days: int | None,
) -> None:
    if ids:
        hooks.devices_departing.send(
            sender=Device,
            organization=organization,
            devices=Device.objects.filter(pk__in=ids),
            cause=cause,
            choice=choice,
            days=days,
            by=by,
        )


def _record(
    action: str,
    by: Actor,
    organization: Organization,
    ids: Sequence[int],
    after: dict[str, Any],
    cause: str,
) -> None:
    """One event, on the device where it is one; several are named as far as they are few."""
    if not ids:
        return
    devices = list(Device.objects.filter(pk__in=ids[:NAMED]).order_by("name", "pk"))
    is_one = len(ids) == 1
    named = [str(device) for device in devices] if len(ids) <= NAMED else []
    many = {"devices": len(ids)} | ({"names": named} if named else {})
    event = audit.event_of(action, by, organization, devices[0] if is_one else organization)
    event.after = after if is_one else after | many
    event.save(force_insert=True)
    _announce(organization, ids, cause)


def _record_deletion(by: Actor, organization: Organization, ids: list[int]) -> None:
    """An event of each, in one statement."""
    event = audit.event_of("device.deleted", by, organization, Device())
    names = ("action", "actor_kind", "actor_id", "actor_name", "request_id", "address")
    told = {name: getattr(event, name) for name in names}
    bulk.execute(statements.TELL_DELETION, told | {"ids": ids, "now": timezone.now()})


def _announce(organization: Organization, ids: Sequence[int], cause: str) -> None:
    hooks.devices_changed.send(
        sender=Device, organization=organization, device_ids=list(ids), cause=cause
    )


def source_of(by: Actor) -> DeviceSource:
    return SOURCES.get(by.kind, DeviceSource.PAGE)


def _source(by: Actor, field: str) -> str:
    """The patch of `sources`, in JSON."""
    return f'{{"{field}": "{source_of(by)}"}}'


def _known_tags(organization: Organization, names: Iterable[str]) -> list[Tag]:
    """What nobody has cannot be taken off, and is not made for that."""
    known = tags_called(organization, checked_tags(names))
    for name, tag in known.items():
        if tag.kind == Tag.Kind.AUTOMATIC:
            raise TagIsAutomatic(name)
    return list(known.values())


def _returned(statement: str, **parameters: Any) -> list[int]:
    return sorted(pk for (pk,) in bulk.returned(statement, parameters))
