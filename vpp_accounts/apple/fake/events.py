"""Asynchronous work: a write is accepted as an event, done in batches, and told about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vpp_accounts.apple.fake.errors import error_body
from vpp_accounts.apple.fake.outbox import Outbox
from vpp_accounts.apple.fake.people import People
from vpp_accounts.apple.fake.state import Asset, AssetKey, ClientUser, Location
from vpp_accounts.apple.fake.wire import Json

BATCH = 100
KEPT_EVENTS = 10_000

_FIELDS = {"serial": "serialNumber", "user": "clientUserId"}


class Pair(NamedTuple):
    """One task of the asset endpoints: this asset for that holder."""

    adam_id: str
    pricing_param: str
    holder: str
    name: str

    @property
    def key(self) -> AssetKey:
        return AssetKey(self.adam_id, self.pricing_param)

    def wire(self) -> Json:
        title = {"adamId": self.adam_id, "pricingParam": self.pricing_param}
        return title | {_FIELDS[self.holder]: self.name}


@dataclass(slots=True)
class Event:
    id: str
    uid: str
    type: str
    # Pairs for assets, bodies of users for users.
    tasks: list[Any]
    position: int = 0
    completed: int = 0
    # Error number -> the tasks that it met.
    failed: dict[int, list[Any]] = field(default_factory=dict)
    started: bool = False
    # What faults make of it.
    extra_seconds: float = 0.0
    is_stuck: bool = False
    says_complete: bool = False
    fails_with: int | None = None
    rivals: int = 0

    @property
    def is_done(self) -> bool:
        return self.started and self.position >= len(self.tasks)

    def status(self) -> str:
        if self.says_complete:
            return "COMPLETE"
        if not self.is_done:
            return "PENDING"
        return "FAILED" if self.failed else "COMPLETE"

    def wire(self) -> Json:
        done = len(self.tasks) if self.says_complete else self.completed
        shown: Json = {
            "eventStatus": self.status(),
            "eventType": self.type,
            "numRequested": len(self.tasks),
            "numCompleted": done,
        }
        if self.failed:
            told = self.failed.items()
            shown["failures"] = [error_body(number, _info(tasks)) for number, tasks in told]
        return shown


class Outcome(NamedTuple):
    done: list[Any]
    failed: dict[int, list[Any]]


class Events(Outbox, People):
    events: dict[str, Event]

    def begin_event(self, location: Location, kind: str, tasks: list[Any]) -> Event:
        event = Event(self.ids.uuid("event"), location.uid, kind, tasks)
        if len(self.events) >= KEPT_EVENTS:
            del self.events[next(iter(self.events))]
        self.events[event.id] = event
        self.revision += 1
        return event

    def start(self, event: Event) -> None:
        """Called when the answer is ready, so that faults have had their say about the event."""
        if event.is_stuck or event.is_done:
            return
        settings = self.location(event.uid).settings(self.settings)
        self.later(settings.event_delay_seconds + event.extra_seconds, lambda: self.step(event))

    def finish(self, event: Event) -> None:
        """Do all of it at once, and let everybody know before going on."""
        while not event.is_done:
            self._batch(event)
        self.run_due()

    def step(self, event: Event) -> None:
        self._batch(event)
        if not event.is_done:
            pause = self.location(event.uid).settings(self.settings).event_batch_seconds
            self.later(pause, lambda: self.step(event))

    def _batch(self, event: Event) -> None:
        with self.lock:
            location = self.locations.get(event.uid)
            event.started = True
            if location is None:
                event.position = len(event.tasks)
                return
            tasks = event.tasks[event.position : event.position + BATCH]
            event.position += len(tasks)
            outcome = self._done(location, event, tasks)
            event.completed += len(outcome.done)
            for number, failed in outcome.failed.items():
                event.failed.setdefault(number, []).extend(failed)
            self.revision += 1
            self._tell_outcome(location, event, outcome)

    def _done(self, location: Location, event: Event, tasks: list[Any]) -> Outcome:
        if event.fails_with:
            return Outcome([], {event.fails_with: tasks} if tasks else {})
        if event.type in ("CREATE", "UPDATE", "RETIRE"):
            return self._users_done(location, event.type, tasks)
        return self._pairs_done(location, event, tasks)

    # Assets

    def _pairs_done(self, location: Location, event: Event, tasks: list[Pair]) -> Outcome:
        outcome = Outcome([], {})
        groups: dict[tuple[AssetKey, str], list[Pair]] = {}
        for pair in tasks:
            groups.setdefault((pair.key, pair.holder), []).append(pair)
        for (key, holder), pairs in groups.items():
            asset = location.assets.get(key)
            if asset is None:
                outcome.failed.setdefault(9709, []).extend(pairs)
            elif event.type == "ASSOCIATE":
                self._associate(location, event, asset, holder, pairs, outcome)
            else:
                location.take(asset, holder, [pair.name for pair in pairs])
                outcome.done.extend(pairs)
        return outcome

    def _associate(
        self,
        location: Location,
        event: Event,
        asset: Asset,
        holder: str,
        pairs: list[Pair],
        outcome: Outcome,
    ) -> None:
        """Who has it already counts as done; the licenses go to the first who ask."""
        self._let_rivals_in(location, event, asset)
        known = [pair for pair in pairs if holder == "serial" or location.active_user(pair.name)]
        unknown = [pair for pair in pairs if pair not in known] if len(known) < len(pairs) else []
        held = asset.holders(holder)
        wanting = [pair for pair in known if pair.name not in held]
        partial = location.settings(self.settings).guesses.shortage_is_partial
        enough = partial or asset.available >= len(wanting)
        served = wanting[: max(0, asset.available)] if enough else []
        location.give(asset, holder, [pair.name for pair in served])
        outcome.done.extend(pair for pair in known if pair.name in held)
        for number, failed in ((9609, unknown), (9709, wanting[len(served) :])):
            if failed:
                outcome.failed.setdefault(number, []).extend(failed)

    def _let_rivals_in(self, location: Location, event: Event, asset: Asset) -> None:
        """Somebody else takes licenses between the check and this event."""
        count = min(event.rivals, max(0, asset.available))
        if count and asset.device_assignable:
            start = asset.generated["serial"]
            asset.generated["serial"] += count
            location.give(asset, "serial", location.generated_names("serial", start, count))
        event.rivals = 0

    # Users

    def _users_done(self, location: Location, kind: str, tasks: list[Json]) -> Outcome:
        outcome = Outcome([], {})
        touched: list[ClientUser] = []
        for wanted in tasks:
            number = self._user_done(location, kind, wanted, touched)
            if number:
                outcome.failed.setdefault(number, []).append(wanted)
        outcome.done.extend(touched)
        if kind == "RETIRE":
            self._retire_told(location, touched)
        elif touched:
            location.user_versions.bump(touched)
        return outcome

    def _user_done(
        self, location: Location, kind: str, wanted: Json, touched: list[ClientUser]
    ) -> int | None:
        """Do one user and add it to the touched; or the number that says why not."""
        user = location.active_user(wanted["clientUserId"])
        if (user is None) != (kind == "CREATE"):
            return 9716 if user else 9609
        account = wanted.get("managedAppleId", "")
        if account and not self._is_ours(location, account):
            return 9635
        if account and self._is_taken(location, account, besides=user):
            return 9641
        user = user or self.register(location, wanted["clientUserId"], "")
        user.email = wanted.get("email", user.email)
        if account:
            self.associate(location, user, account)
        touched.append(user)
        return None

    def _is_ours(self, location: Location, account: str) -> bool:
        domains = location.settings(self.settings).managed_domains
        return not domains or account.rpartition("@")[2].lower() in domains

    def _is_taken(self, location: Location, account: str, besides: ClientUser | None) -> bool:
        others = (user for user in location.users if user.is_active and user is not besides)
        shared = location.settings(self.settings).guesses.same_apple_account_twice
        return not shared and any(u.apple_account.lower() == account.lower() for u in others)

    def _retire_told(self, location: Location, users: Sequence[ClientUser]) -> None:
        held = _held_by(location, [user.client_user_id for user in users])
        if users:
            self.retire(location, users)
        if held and location.settings(self.settings).guesses.retire_tells_freed_licenses:
            told = {"type": "DISASSOCIATE", "result": "SUCCESS"}
            rows = [pair.wire() for pair in held][:BATCH]
            event_id = self.ids.uuid("event")
            self.tell(
                location, "ASSET_MANAGEMENT", told | {"eventId": event_id, "assignments": rows}
            )

    # Telling

    def _tell_outcome(self, location: Location, event: Event, outcome: Outcome) -> None:
        """One notification for what went well and one for each number that did not."""
        is_about_users = event.type in ("CREATE", "UPDATE", "RETIRE")
        kind = "USER_MANAGEMENT" if is_about_users else "ASSET_MANAGEMENT"
        name = "users" if is_about_users else "assignments"
        told = {"eventId": event.id, "type": event.type}
        if outcome.done:
            rows = [each.wire() for each in outcome.done]
            self.tell(location, kind, told | {"result": "SUCCESS", name: rows})
        for number, failed in outcome.failed.items():
            rows = [each.wire() if isinstance(each, Pair) else each for each in failed]
            error = {"result": "FAILURE", "error": error_body(number)}
            self.tell(location, kind, told | error | {name: rows})


def held_and_revocable(location: Location, serials: list[str], users: list[str]) -> list[Pair]:
    """The tasks of a revocation: what these holders have of everything that can be taken back."""
    wanted = (("serial", serials), ("user", users))
    return [
        Pair(asset.adam_id, asset.pricing_param, holder, name)
        for asset in location.assets.values()
        if asset.revocable
        for holder, names in wanted
        for name in names
        if name in asset.holders(holder)
    ]


def _held_by(location: Location, users: list[str]) -> list[Pair]:
    return held_and_revocable(location, [], users)


def _info(tasks: Iterable[Any]) -> Json:
    """The targets of failed tasks, as lists that do not say which goes with which."""
    info: dict[str, dict[str, Any]] = {"assets": {}, "clientUserIds": {}, "serialNumbers": {}}
    for task in tasks:
        if isinstance(task, Pair):
            title = {"adamId": task.adam_id, "pricingParam": task.pricing_param}
            info["assets"][f"{task.key}"] = title
            info[_FIELDS[task.holder] + "s"][task.name] = task.name
        else:
            info["clientUserIds"][task["clientUserId"]] = task["clientUserId"]
    return {name: list(found.values()) for name, found in info.items() if found}
