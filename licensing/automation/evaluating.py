"""Many scopes over many devices: each tag is a long number with a byte for each device.

So a scope is decided for all devices of a network with a few operations on such numbers
(`Scope.decide`), and its devices are picked out of the list of their ids. Reading the devices is what
takes time, and that is done once for all scopes.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import blake2b
from itertools import compress, groupby
from operator import or_

from apps_catalog.models import ManagedApp
from apps_catalog.requirements import DEVICES_OF
from organizations import automatic_tags
from organizations.automatic_tags import Traits
from organizations.bulk import copy_out
from organizations.models import Device, Owner
from organizations.scopes import Scope

SIZE = 16  # bytes of each half of a digest
ALL_PLATFORMS = tuple(str(name) for names in DEVICES_OF.values() for name in names)


@dataclass(frozen=True, slots=True)
class Members:
    """The devices of one scope, not picked out yet."""

    ids: Sequence[int]
    chosen: int
    ground: bytes  # stands for `ids`

    def __iter__(self) -> Iterator[int]:
        return compress(self.ids, self.chosen.to_bytes(len(self.ids), "little"))

    @property
    def quick_digest(self) -> bytes:
        """Also another one where devices came that are not among them."""
        value = blake2b(self.ground, digest_size=SIZE)
        value.update(self.chosen.to_bytes(len(self.ids), "little"))
        return value.digest()

    @property
    def exact_digest(self) -> bytes:
        return blake2b(array("q", self).tobytes(), digest_size=SIZE).digest()


@dataclass(frozen=True, slots=True)
class Rule:
    """A managed app as far as its scope goes, with the digest of when it was last looked at."""

    app_id: int
    network_id: int
    platform: str
    scope: Scope
    digest: bytes = b""

    @classmethod
    def of(cls, app: ManagedApp) -> Rule:
        digest = bytes(app.scope_digest)
        return cls(app.pk, app.network_id, app.platform, app.scope, digest)


class Ground:
    """The devices of one network. Masks have a byte for each device, 1 where it has the tag."""

    def __init__(self, ids: Sequence[int], masks: dict[str, bytearray]) -> None:
        self.ids = ids
        self.digest = blake2b(array("q", ids).tobytes(), digest_size=SIZE).digest()
        self._masks = {name: int.from_bytes(mask, "little") for name, mask in masks.items()}

    def members(self, rule: Rule) -> Members:
        near = reduce(or_, (self._masks.get(name, 0) for name in DEVICES_OF[rule.platform]))
        has = [self._masks.get(str(tag), 0) & near for tag in rule.scope.tag_ids]
        chosen = rule.scope.decide(has, everything=near, nothing=0)
        return Members(self.ids, chosen, self.digest)


class Grounds:
    """Everything that scopes are about, read once."""

    def __init__(
        self,
        organization_id: int,
        rules: Collection[Rule],
        *,
        device_ids: Collection[int] | None = None,
    ) -> None:
        """Of the networks of these rules, all devices or only some of them."""
        named = {tag for rule in rules for tag in rule.scope.tag_ids}
        automatic = automatic_tags.ids_of(organization_id)
        self._automatic = {str(pk): tag for pk, tag in automatic.items() if pk in named}
        self._given = {str(tag) for tag in named if tag not in automatic}
        networks = sorted({rule.network_id for rule in rules})
        lines = _devices(organization_id, networks, device_ids)
        by_network = groupby(lines, key=lambda line: line.partition("\t")[0])
        self._grounds = {int(network): self._ground(list(group)) for network, group in by_network}

    def members(self, rule: Rule) -> Members:
        ground = self._grounds.get(rule.network_id) or EMPTY
        return ground.members(rule)

    def _ground(self, lines: Sequence[str]) -> Ground:
        masks = {name: bytearray(len(lines)) for name in (*ALL_PLATFORMS, *self._automatic)}
        given = {tag: bytearray(len(lines)) for tag in self._given}
        alike: dict[Sequence[str], list[bytearray]] = {}
        ids = []
        for place, line in enumerate(lines):
            _, pk, *facts, own, owners = line.split("\t")
            ids.append(int(pk))
            key = tuple(facts)
            if key not in alike:
                alike[key] = [masks[name] for name in self._by_itself(*key) if name in masks]
            for mask in alike[key]:
                mask[place] = 1
            for tag in f"{own[1:-1]},{owners[1:-1]}".split(","):
                if tag in given:
                    given[tag][place] = 1
        return Ground(ids, masks | given)

    def _by_itself(
        self, platform: str, supervised: str, enrollment: str, has_owner: str
    ) -> list[str]:
        """Its platform, and the automatic tags."""
        traits = Traits(platform, supervised == "t", enrollment, has_owner == "t")
        return [platform, *(pk for pk, tag in self._automatic.items() if tag.fits(traits))]


EMPTY = Ground([], {})


def _devices(
    organization_id: int, networks: list[int], device_ids: Collection[int] | None
) -> list[str]:
    """As lines: network, id, platform, supervised, enrollment, has an owner, tags, the owner's tags."""
    some = "" if device_ids is None else "AND device.id = ANY(%s)"
    more = [] if device_ids is None else [list(device_ids)]
    return copy_out(
        f"""
        SELECT device.network_id, device.id, device.platform, device.supervised,
               device.enrollment, device.owner_id IS NOT NULL, device.tag_ids,
               coalesce(owner.tag_ids, '{{}}')
        FROM {Device._meta.db_table} AS device
        LEFT JOIN {Owner._meta.db_table} AS owner ON owner.id = device.owner_id
        WHERE device.organization_id = %s AND device.network_id = ANY(%s) {some}
        ORDER BY device.network_id, device.id
        """,  # noqa: S608  table names are the models'
        [organization_id, networks, *more],
    )
