"""Asynchronous work: a write is accepted as an event, done in batches, and told about."""

from collections.abc import Sequence
from typing import Any

from vpp_accounts.apple.fake.errors import error_body
from vpp_accounts.apple.fake.outbox import BATCH
from vpp_accounts.apple.fake.seats import Seats
from vpp_accounts.apple.fake.state import Asset, AssetKey, ClientUser, Location
from vpp_accounts.apple.fake.tasks import Event, Outcome, Pair
from vpp_accounts.apple.fake.wire import Json

KEPT_EVENTS = 10_000


class Events(Seats):
    events: dict[str, Event]

    def begin_event(
        self, location: Location, kind: str, tasks: list[Any], *, is_about_seats: bool = False
    ) -> Event:
        new_id = self.ids.uuid("event")
        event = Event(new_id, location.uid, kind, tasks, is_about_seats=is_about_seats)
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
        if event.is_about_seats:
            return self.seats_done(location, event, tasks)
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
        known = [p for p in pairs if holder == "serial" or self._can_hold(location, p.name)]
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

    def _can_hold(self, location: Location, client_user_id: str) -> bool:
        user = location.active_user(client_user_id)
        registered_too = location.settings(self.settings).guesses.registered_users_can_hold
        return user is not None and (registered_too or user.status == "Associated")

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
        if kind == "RETIRE" and user is None and self._may_retire_again(location, wanted):
            touched.append(location.records(wanted["clientUserId"])[-1])
            return None
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

    def _may_retire_again(self, location: Location, wanted: Json) -> bool:
        guesses = location.settings(self.settings).guesses
        known = bool(location.records(wanted["clientUserId"]))
        return known and guesses.retiring_the_retired == "complete"

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
            told = {"eventId": self.ids.uuid("event"), "type": "DISASSOCIATE", "result": "SUCCESS"}
            rows = [pair.wire() for pair in held]
            self.tell_in_parts(location, "ASSET_MANAGEMENT", told, "assignments", rows)

    # Telling

    def _tell_outcome(self, location: Location, event: Event, outcome: Outcome) -> None:
        """One notification for what went well and one for each number that did not."""
        is_about_users = event.type in ("CREATE", "UPDATE", "RETIRE")
        kind = "USER_MANAGEMENT" if is_about_users else "ASSET_MANAGEMENT"
        kind = "SUBSCRIPTION_MANAGEMENT" if event.is_about_seats else kind
        name = "users" if is_about_users else "assignments"
        told = {"eventId": event.id, "type": event.type}
        rows = [each if isinstance(each, dict) else each.wire() for each in outcome.done]
        # What a deferred disassociation does, it does at the end of the period, and is told then.
        rows = [row for row in rows if not row.get("deferred")]
        if rows:
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
