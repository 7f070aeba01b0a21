"""The list of devices, and what its rows say of each: tags, owner, missing apps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, F, Func, Q, QuerySet, Value, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.urls import reverse

from licensing.tables.device_filters import DeviceFilter, missing_apps
from organizations.lists import Column, Listing
from organizations.models import Device, Membership, Network, Tag
from organizations.models.inventory import DeviceQuerySet

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MISSING = "Apps that are wanted on the device and not installed yet."
INHERITED = "Tags of the device, and those that come with its owner."


@dataclass(frozen=True, slots=True)
class DeviceRow:
    device: Any
    tags: Sequence[str]
    owner_tags: Sequence[str]
    missing_apps: int

    @property
    def url(self) -> str:
        return reverse(
            "licensing:device_detail", args=[self.device.organization_id, self.device.pk]
        )

    @property
    def system(self) -> str:
        """“iPadOS 17.4”."""
        return f"{self.device.get_platform_display()} {self.device.os_version}".strip()

    @property
    def owner_name(self) -> str:
        return str(self.device.owner or "")


class DeviceList(Listing[DeviceRow]):
    """The first columns of the export are those of the import: a download is a template too."""

    template = "licensing/_device_list.html"
    columns = (
        Column("name", "Name", sort=("name",)),
        Column("serial_number", "Serial number", sort=("serial",), wide_only=True),
        Column("model", "Model", wide_only=True),
        Column("system", "OS"),
        Column("network", "Network", wide_only=True),
        Column("owner", "Owner"),
        Column("tags", "Tags", hint=INHERITED),
        Column("connected", "Last connected", sort=("connected",), wide_only=True),
        Column("missing", "Missing apps", numeric=True, hint=MISSING),
    )
    export = {
        "serialNumber": lambda row: row.device.serial_number,
        "name": lambda row: row.device.name,
        "model": lambda row: row.device.model,
        "platform": lambda row: row.device.platform,
        "osVersion": lambda row: row.device.os_version,
        "supervised": lambda row: row.device.supervised,
        "ownerEmail": lambda row: row.device.owner.email if row.device.owner else "",
        "tags": lambda row: " ".join(row.tags),
        "network": lambda row: row.device.network.name,
        "owner": lambda row: row.owner_name,
        "ownerTags": lambda row: " ".join(row.owner_tags),
        "enrollment": lambda row: row.device.get_enrollment_display(),
        "lastConnected": lambda row: row.device.last_connected_at,
        "missingApps": lambda row: row.missing_apps,
        "missingFromSourceSince": lambda row: row.device.missing_since,
    }
    filterset = DeviceFilter
    default_sort = "name"
    noun = ("device", "devices")

    def __init__(
        self,
        params: QueryDict,
        devices: DeviceQuerySet,
        membership: Membership,
        network: Network | None = None,
    ) -> None:
        """`network`: only the devices in it."""
        self.network = network
        self.tags = list(tags_seen_by(membership))
        self.membership = membership
        narrowed = devices.filter(network=network) if network else devices
        super().__init__(params, with_places(narrowed))

    def filter_arguments(self) -> dict[str, Any]:
        return {"membership": self.membership, "tags": self.tags}

    def dress(self, rows: list[Device]) -> list[DeviceRow]:
        return dressed(rows, self.tags, self.membership)

    @property
    def selection_key(self) -> str:
        """What the browser remembers the choice under, from page to page."""
        return f"devices-of-{self.membership.organization_id}"

    @property
    def matching_key(self) -> str:
        """The same on all pages of the same rows, whatever their order."""
        return self.address(sort="", size="")


def tags_seen_by(membership: Membership) -> QuerySet[Tag]:
    """Admins of networks see those that devices of theirs have."""
    tags = Tag.objects.filter(organization=membership.organization_id)
    if membership.sees_organization:
        return tags
    devices = Device.objects.visible_to(membership).order_by()
    own, inherited = (
        devices.annotate(tag=Func(F(ids), function="unnest")).values("tag").distinct()
        for ids in ("tag_ids", "owner__tag_ids")
    )
    given = Q(pk__in=own) | Q(pk__in=inherited)
    return tags.filter(given | Q(kind=Tag.Kind.AUTOMATIC))


def with_places(devices: DeviceQuerySet) -> DeviceQuerySet:
    """With what lists sort by, which is never null. Owners and networks come with the rows shown:
    joined, the database would fetch those of every device before it sorts.
    """
    return devices.annotate(
        serial=Coalesce("serial_number", Value("")),
        connected=Coalesce("last_connected_at", Value(LONG_AGO)),
    )


def dressed(devices: list[Device], tags: Iterable[Tag], membership: Membership) -> list[DeviceRow]:
    names = {tag.pk: tag.name for tag in tags}
    prefetch_related_objects(devices, "network", "owner")
    missing = missing_of(devices, membership)
    return [
        DeviceRow(
            device,
            _named(device.tag_ids, names),
            _named(device.owner.tag_ids, names) if device.owner else [],
            missing.get(device.pk, 0),
        )
        for device in devices
    ]


def missing_of(devices: Iterable[Device], membership: Membership) -> dict[int, int]:
    """How many apps, of those devices that lack some."""
    found = missing_apps(membership).filter(device__in=[device.pk for device in devices])
    counted = found.order_by().values("device").annotate(n=Count("*"))
    return dict(counted.values_list("device", "n"))


def _named(ids: Iterable[int], names: dict[int, str]) -> list[str]:
    return [names[pk] for pk in ids if pk in names]
