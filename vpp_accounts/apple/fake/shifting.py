"""Lists that move under a client which is walking through their pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar

from vpp_accounts.apple.fake.faults import Situation
from vpp_accounts.apple.fake.state import Asset, ClientUser, Location

K = TypeVar("K")


class Moving(Protocol):
    """One of the three lists of a location."""

    def touch(self) -> None: ...
    def add(self, count: int, *, first: bool = False) -> None: ...
    def drop(self, count: int, *, first: bool = False) -> None: ...


def new_version(situation: Situation) -> None:
    _list_of(situation).touch()


def grow(situation: Situation) -> None:
    _list_of(situation).add(_rows(situation))


def shrink(situation: Situation) -> None:
    _list_of(situation).drop(_rows(situation))


def slip(situation: Situation) -> None:
    if situation.args["how"] == "twice":
        _list_of(situation).add(1, first=True)
    else:
        _list_of(situation).drop(1, first=True)


def _rows(situation: Situation) -> int:
    assert situation.location  # noqa: S101 - lists are only read with a token
    page_size = situation.location.settings(situation.apple.settings).page_size
    return int(situation.args["rows"]) or page_size


def _list_of(situation: Situation) -> Moving:
    assert situation.location  # noqa: S101
    lists: dict[str, Callable[[Situation, Location], Moving]]
    lists = {"assets": _Assets, "assignments": _Assignments, "users": _Users}
    name = situation.request.path.rpartition("/")[2]
    return lists[name](situation, situation.location)


@dataclass(frozen=True, slots=True)
class _Assets:
    situation: Situation
    location: Location

    def touch(self) -> None:
        self.location.asset_versions.bump()

    def add(self, count: int, *, first: bool = False) -> None:
        numbers = (9_900_000_000 + len(self.location.assets) + each for each in range(count))
        new = {asset.key: asset for asset in (Asset(str(number), total=1) for number in numbers)}
        owned = self.location.assets
        self.location.assets = new | owned if first else owned | new
        self.location.asset_versions.bump(new)

    def drop(self, count: int, *, first: bool = False) -> None:
        for key in _end_of(self.location.assets, count, first):
            del self.location.assets[key]
        self.location.asset_versions.bump()
        self.location.assignment_versions.bump()


@dataclass(frozen=True, slots=True)
class _Assignments:
    situation: Situation
    location: Location

    def touch(self) -> None:
        self.location.assignment_versions.bump()

    def add(self, count: int, *, first: bool = False) -> None:
        assets = self._assets()
        asset = next(iter(assets if first else reversed(assets)))
        before = dict(asset.devices)
        # Users stand behind devices, so the last row is one of theirs where there are any.
        holder = "user" if asset.users and not first else "serial"
        self.situation.apple.fill(
            self.location.uid, asset.adam_id, count, holder, pricing_param=asset.pricing_param
        )
        if first:
            new = [name for name in asset.devices if name not in before]
            asset.devices = dict.fromkeys([*new, *before])

    def drop(self, count: int, *, first: bool = False) -> None:
        for asset in self._assets() if first else reversed(self._assets()):
            for holder in ("serial", "user") if first else ("user", "serial"):
                names = _end_of(asset.holders(holder), count, first)
                self.location.take(asset, holder, names)
                count -= len(names)

    def _assets(self) -> list[Asset]:
        wanted = self.situation.request.query.get("adamId")
        owned = self.location.assets.values()
        return [asset for asset in owned if wanted in (None, asset.adam_id)]


@dataclass(frozen=True, slots=True)
class _Users:
    """Apple forgets no user: those who go are retired, and leave the list of active ones only."""

    situation: Situation
    location: Location

    def touch(self) -> None:
        self.location.user_versions.bump()

    def add(self, count: int, *, first: bool = False) -> None:
        apple = self.situation.apple
        new = [apple.register(self.location, apple.ids.uuid("user"), "") for _ in range(count)]
        if first:
            self.location.users[:] = [*new, *self.location.users[:-count]]
        self.location.user_versions.bump(new)

    def drop(self, count: int, *, first: bool = False) -> None:
        active = {id(user): user for user in self.location.users if user.is_active}
        leaving: list[ClientUser] = [active[key] for key in _end_of(active, count, first)]
        self.situation.apple.retire(self.location, leaving)


def _end_of(held: Mapping[K, object], count: int, first: bool) -> list[K]:
    return list(islice(held if first else reversed(list(held)), count))
