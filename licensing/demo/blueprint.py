"""The words in which the demo's organizations are described."""

from __future__ import annotations

import random
import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from organizations.models import Device, OrganizationAccess

SERIAL_LETTERS = "0123456789CDFGHJKLMNPQRTVWXY"  # no vowels and nothing that looks like a digit
SERIAL_LENGTH = 10


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    name: str
    tags: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class AdminPlan:
    email: str
    name: str
    access: OrganizationAccess
    networks: tuple[str, ...] = ()  # of an admin who has networks only
    network_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """An owner; `network` is where the person works or learns."""

    name: str
    domain: str
    network: str
    tags: tuple[str, ...]

    @property
    def username(self) -> str:
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        return ".".join("".join(filter(str.isalnum, word)) for word in plain.lower().split())

    @property
    def email(self) -> str:
        return f"{self.username}@{self.domain}"

    @property
    def client_user_id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{self.email}"))


@dataclass(frozen=True, slots=True)
class DeviceGroup:
    """Devices of one kind: `count` of them, or one for each owner. `name` may hold {n}, {owner}."""

    network: str
    name: str
    model: str
    platform: str
    os_version: str
    count: int = 0
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    supervised: bool = True
    enrollment: Device.Enrollment = Device.Enrollment.AUTOMATED

    @property
    def has_serials(self) -> bool:
        """User Enrollment hides them."""
        return self.enrollment != Device.Enrollment.USER

    def members(self) -> Iterator[tuple[str, str | None, str | None]]:
        """Name, serial number and owner's name of each device."""
        owners: Sequence[str | None] = self.owners or [None] * self.count
        for number, owner in enumerate(owners, start=1):
            name = self.name.format(n=number, owner=owner)
            yield name, serial_number(self.network + name) if self.has_serials else None, owner


@dataclass(frozen=True, slots=True)
class Purchase:
    """Licenses of one title, and who holds them: our devices, our people, and others."""

    adam_id: str
    quantity: int
    edition: str = "STDQ"
    devices: int = 0
    people: int = 0
    unknown_devices: int = 0
    unknown_people: int = 0


@dataclass(frozen=True, slots=True)
class LocationPlan:
    """A location at Apple. Without an `email` nobody has added it as a VPP account yet."""

    name: str
    file: str
    networks: tuple[str, ...]
    purchases: tuple[Purchase, ...]
    email: str = ""
    platform: str = "volumestore"


@dataclass(frozen=True, slots=True)
class OrganizationPlan:
    name: str
    time_zone: str
    networks: tuple[NetworkPlan, ...]
    admins: tuple[AdminPlan, ...]
    invited: tuple[AdminPlan, ...]  # the first lately, the others too long ago
    people: tuple[Person, ...]
    device_groups: tuple[DeviceGroup, ...]
    locations: tuple[LocationPlan, ...]

    def serials_in(self, networks: Sequence[str], platforms: Sequence[str]) -> list[str]:
        """Serial numbers of the devices there; Apple's titles know no separate iPadOS."""
        wanted = {*platforms, *(["iPadOS"] if "iOS" in platforms else [])}
        return [
            serial
            for group in self.device_groups
            if group.network in networks and group.platform in wanted
            for _, serial, _ in group.members()
            if serial
        ]

    def people_in(self, networks: Sequence[str]) -> list[Person]:
        return [person for person in self.people if person.network in networks]


def serial_number(seed: str) -> str:
    chosen = random.Random(seed).choices(SERIAL_LETTERS, k=SERIAL_LENGTH)  # noqa: S311  no secret
    return "".join(chosen)
