"""A device that speaks, as a row of the inventory, and its enrollment beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from apps_catalog.channels.events import USER_ENROLLMENT, Told
from apps_catalog.models import ChannelKind, ChannelSettings, Enrollment
from organizations.audit import Actor
from organizations.devices.records import DeviceRecord, platform_of
from organizations.devices.saving import save_from_channel
from organizations.models import Device, Network, Organization

ENROLLMENT = Device.Enrollment


class NotOurs(Exception):
    """It cannot become a device of this organization; it never gets better."""


class Later(Exception):
    """It may get better; tried again at most so often."""

    most: ClassVar[int] = 12


class NoNetwork(Later):
    def __init__(self) -> None:
        super().__init__(
            "A new device enrolled, and no network for new devices is chosen. Choose it on the page"
            " of the device channel."
        )


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a device told, to whom, by which channel and when."""

    organization: Organization
    channel: str
    told: Told
    at: datetime

    @property
    def by(self) -> Actor:
        return Actor.system(str(ChannelKind(self.channel).label))

    @property
    def kind(self) -> str:
        """As Device.Enrollment has it; whether Apple's own assistant enrolled it, it tells later."""
        is_users = self.told.kind == USER_ENROLLMENT
        return (ENROLLMENT.USER if is_users else ENROLLMENT.DEVICE).value

    def text(self, key: str) -> str:
        value = self.told.plist.get(key)
        return value if isinstance(value, str) else ""


def save_device(spoken: Spoken, facts: Mapping[str, Any], *, enrollment: str | None = None) -> int:
    """The id of its row, whoever knew it before: by serial number, or by UDID where it has none."""
    network = network_for(spoken)
    record = record_of(facts, spoken.told.device_id, enrollment)
    saved = save_from_channel(
        by=spoken.by, organization=spoken.organization, record=record, network=network
    )
    if saved.device_id is not None:
        return saved.device_id
    if network is None:
        raise NoNetwork
    raise NotOurs(saved.message)


def record_of(facts: Mapping[str, Any], channel_id: str, enrollment: str | None) -> DeviceRecord:
    """Of an Authenticate, or of the answer to DeviceInformation: both use the same words."""
    product, model = _text(facts, "ProductName"), _text(facts, "ModelName")
    platform = platform_of(f"{model or ''} {product or ''}")
    supervised = facts.get("IsSupervised")
    return DeviceRecord(
        serial_number=_text(facts, "SerialNumber"),
        name=_text(facts, "DeviceName"),
        model=model or product,
        platform=platform.value if platform else None,
        os_version=_text(facts, "OSVersion"),
        supervised=supervised if isinstance(supervised, bool) else None,
        enrollment=enrollment,
        # Under User Enrollment a device hides both; the enrollment's id tells it apart.
        udid=_text(facts, "UDID") or channel_id,
    )


def network_for(spoken: Spoken) -> Network | None:
    """Of a device that is new here: what its profile claims, else the one chosen for such."""
    networks = Network.objects.filter(organization=spoken.organization)
    claim = str(spoken.told.params.get("network", ""))
    if claim.isascii() and claim.isdigit() and len(claim) < 19:
        claimed = networks.filter(pk=int(claim)).first()
        if claimed:
            return claimed
    chosen = ChannelSettings.objects.filter(organization=spoken.organization)
    default = networks.filter(pk__in=chosen.values("network")).first()
    if default:
        return default
    only = list(networks[:2])
    return only[0] if len(only) == 1 else None


def bind(spoken: Spoken, device_id: int, known: Enrollment | None) -> Enrollment:
    """The enrollment of this device on this channel; not saved yet."""
    of_device = Enrollment.objects.filter(device=device_id).first()
    if known and known.device_id != device_id:
        known.delete()  # under that id another machine speaks now
    enrollment = of_device or Enrollment(organization=spoken.organization, device_id=device_id)
    enrollment.channel, enrollment.channel_id = spoken.channel, spoken.told.device_id
    return enrollment


def _text(facts: Mapping[str, Any], key: str) -> str | None:
    """None says nothing, and what is empty says nothing either."""
    value = facts.get(key)
    return value.strip() or None if isinstance(value, str) else None
