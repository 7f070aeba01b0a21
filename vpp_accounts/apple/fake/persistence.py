"""The state as a JSON file, so that the fake goes on after a restart where it ended.

What a version touched is not kept: after a restart only the newest `sinceVersionId` is known and older
ones get 9721, as they do after a while anyway. Nor are notifications that wait to be sent: they are
best effort. Each return to a saved state begins an era, in which no id of an earlier one comes again.
"""

import logging
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from vpp_accounts.apple.fake import ids
from vpp_accounts.apple.fake.faults import Fault
from vpp_accounts.apple.fake.guesses import Guesses
from vpp_accounts.apple.fake.locations import first_manager
from vpp_accounts.apple.fake.plans import Plan, Seat
from vpp_accounts.apple.fake.settings import Settings
from vpp_accounts.apple.fake.state import Asset, ClientUser, Location, Manager, Subscription, Token
from vpp_accounts.apple.fake.tasks import Event, Pair
from vpp_accounts.apple.fake.titles import Title
from vpp_accounts.apple.fake.versions import Versions
from vpp_accounts.apple.fake.wire import Json

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple

logger = logging.getLogger(__name__)

_HOLDERS = ("devices", "users", "retired")
_PLAIN = ("uid", "name", "org_name", "country", "platform", "mdm_info")
# Younger than the first state files.
_LATER = ("managed_by_apple", "unlimited_free", "subscriptions_enabled", "client_context")
_VERSIONS = ("assets", "assignments", "users", "subscriptions")


def snapshot(apple: "FakeApple") -> Json:
    with apple.lock:
        return {
            "format": 1,
            "seed": apple.ids.seed,
            "era": apple.ids.era,
            "counts": dict(apple.ids.counts),
            "clock": apple.clock.offset,
            "settings": asdict(apple.settings),
            "titles": [asdict(title) for title in apple.titles.values()],
            "locations": [_location(location) for location in apple.locations.values()],
            "events": [_saved_event(event) for event in apple.events.values()],
            "faults": [_fault(fault) for fault in apple.faults.active],
        }


def restore(apple: "FakeApple", saved: Json) -> None:
    """Put a snapshot in the place of everything that this Apple knows."""
    with apple.lock:
        journal, era = apple.journal, apple.ids.era
        apple.reset()
        apple.journal = journal
        apple.ids.seed = saved["seed"]
        apple.ids.counts.update(saved["counts"])
        apple.ids.era = max(era, saved.get("era", 0)) + 1
        apple.clock.offset = saved["clock"]
        apple.settings = _settings(saved["settings"])
        apple.titles = {each["adam_id"]: _title(each) for each in saved["titles"]}
        for each in saved["locations"]:
            _bring_back(apple, each)
        for each in saved.get("events", ()):
            _resume(apple, _event(each))
        for each in saved["faults"]:
            _bring_back_fault(apple, each)


class StateFile:
    """Follows an Apple's changes into a file, at most once in every few seconds."""

    def __init__(self, apple: "FakeApple", path: Path, every_seconds: float = 3.0) -> None:
        self._apple = apple
        self._path = path
        self._every = every_seconds
        self._saved_revision = apple.revision
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def load(self) -> None:
        if self._path.exists():
            restore(self._apple, orjson.loads(self._path.read_bytes()))
            # The new era has to be on file before anything is issued in it.
            self.save()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Save what is left to save."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.save()

    def save(self) -> None:
        if self._apple.revision == self._saved_revision:
            return
        with self._apple.lock:
            revision, state = self._apple.revision, snapshot(self._apple)
        beside = self._path.with_name(self._path.name + ".new")
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.touch(mode=0o600)
        beside.write_bytes(orjson.dumps(state))
        beside.replace(self._path)
        self._saved_revision = revision

    def _follow(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.save()
            except OSError:
                logger.exception("The state could not be saved to %s", self._path)


def _location(location: Location) -> Json:
    return {name: getattr(location, name) for name in (*_PLAIN, *_LATER)} | {
        "managers": [asdict(manager) for manager in location.managers],
        "plans": [asdict(plan) for plan in location.plans.values()],
        "tokens": [asdict(token) for token in location.tokens],
        "subscription": asdict(location.subscription),
        "overrides": {name: _plain(value) for name, value in location.overrides.items()},
        "assets": [_asset(asset) for asset in location.assets.values()],
        "users": [asdict(user) for user in location.users],
        "versions": [[each.number, each.id] for each in _versions_of(location)],
    }


def _saved_event(event: Event) -> Json:
    saved = {item.name: getattr(event, item.name) for item in fields(event)}
    failed = {str(number): _lists(tasks) for number, tasks in event.failed.items()}
    return saved | {"tasks": _lists(event.tasks), "failed": failed}


def _lists(tasks: list[Any]) -> list[Any]:
    return [list(each) if isinstance(each, Pair) else each for each in tasks]


def _event(saved: Json) -> Event:
    """JSON made lists of pairs and texts of numbers."""
    failed = {int(number): _tasks(tasks) for number, tasks in saved["failed"].items()}
    return Event(**{**saved, "tasks": _tasks(saved["tasks"]), "failed": failed})


def _tasks(saved: list[Any]) -> list[Any]:
    return [Pair(*each) if isinstance(each, list) else each for each in saved]


def _resume(apple: "FakeApple", event: Event) -> None:
    apple.events[event.id] = event
    apple.start(event)


def _plain(value: Any) -> Any:
    return asdict(value) if isinstance(value, Guesses) else value


def _asset(asset: Asset) -> Json:
    saved = {item.name: getattr(asset, item.name) for item in fields(asset)}
    saved["retired"] = Counter(asset.retired).elements()
    return saved | {name: list(saved[name]) for name in _HOLDERS}


def _fault(fault: Fault) -> Json:
    left = None if fault.times is None else fault.times - fault.met
    saved: Json = {"name": fault.kind.name, "uid": fault.uid, "path": fault.path, "times": left}
    saved |= {"until": fault.until, "after": fault.after, "probability": fault.probability}
    return saved | {"args": fault.args}


def _bring_back_fault(apple: "FakeApple", saved: Json) -> None:
    until = saved.pop("until", None)
    left = None if until is None else until - apple.clock.now()
    if saved["times"] != 0 and (left is None or left > 0):
        apple.set_fault(saved.pop("name"), duration_seconds=left, **saved)


def _settings(saved: Json) -> Settings:
    return Settings(**{**saved, "guesses": Guesses(**saved["guesses"])})


def _title(saved: Json) -> Title:
    lists = {name: tuple(saved[name]) for name in ("platforms", "editions", "countries")}
    return Title(**{**saved, **lists})


def _bring_back(apple: "FakeApple", saved: Json) -> None:
    location = apple.adopt(Location(**{name: saved[name] for name in _PLAIN}))
    for name in _LATER:
        setattr(location, name, saved.get(name, getattr(location, name)))
    location.managers = _managers(saved)
    location.subscription = Subscription(**saved["subscription"])
    location.overrides = dict(saved["overrides"])
    if "guesses" in location.overrides:
        location.overrides["guesses"] = Guesses(**location.overrides["guesses"])
    for each in saved["tokens"]:
        apple.keep_token(location, Token(**each))
    for each in saved["users"]:
        location.add_user(ClientUser(**each))
    _bring_back_assets(location, saved["assets"])
    _bring_back_plans(apple, location, saved.get("plans", ()))
    _bring_back_versions(location, saved["versions"], apple.ids.era)


def _managers(saved: Json) -> list[Manager]:
    known = saved.get("managers") or [{"account": first_manager(saved["org_name"])}]
    return [Manager(**each) for each in known]


def _bring_back_plans(apple: "FakeApple", location: Location, plans: Iterable[Json]) -> None:
    for each in plans:
        seats = {name: Seat(**seat) for name, seat in each["seats"].items()}
        plan = Plan(**{**each, "seats": seats})
        location.plans[plan.adam_id] = plan
        apple.await_period(location, plan)


def _bring_back_versions(location: Location, saved: list[Any], era: int) -> None:
    """The present version keeps its id; the next ones differ from any that were there before."""
    for name, known in zip(_VERSIONS, saved, strict=False):
        number, version_id = known if isinstance(known, list) else (known, "")
        present = version_id or ids.version_id(f"{location.uid}/{name}", number)
        versions: Versions[Any] = Versions(f"{location.uid}/{name}/{era}", number, present)
        setattr(location, f"{name.removesuffix('s')}_versions", versions)


def _versions_of(location: Location) -> list[Versions[Any]]:
    return [getattr(location, f"{name.removesuffix('s')}_versions") for name in _VERSIONS]


def _bring_back_assets(location: Location, assets: list[Json]) -> None:
    # One text per holder and not one per assignment: a million of them are sixty megabytes.
    shared: dict[str, str] = {}
    for saved in assets:
        kept: Counter[str] = Counter(saved["retired"])
        for name in _HOLDERS:
            saved[name] = {shared.setdefault(each, each): None for each in saved[name]}
        saved["retired"] = dict(kept)
        saved["supported_platforms"] = tuple(saved["supported_platforms"])
        asset = Asset(**saved)
        location.assets[asset.key] = asset
