"""What a write carries, and cutting it to the limits of service/config.

Each request below is a cross product or a list of any size; `within(limits)` cuts it into requests
that Apple takes, users and serial numbers apart so that each result speaks of one kind of holder.
Repetitions are dropped, since Apple refuses a whole request for one (9703 to 9705, 9715). Few large
requests are what Apple asks for ("upgrading-to-the-new-management-api").
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from vpp_accounts.apple.caller import Caller
from vpp_accounts.apple.decoding import JsonObject
from vpp_accounts.apple.errors import LimitsMoved
from vpp_accounts.apple.types import Assignment, Limits

R = TypeVar("R")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Hashable)


class Work(Protocol):
    """A write of any size."""

    def within(self, limits: Limits) -> Iterator[Self]:
        """The same work as requests that keep to the limits; nothing at all when it is empty."""

    def wire(self) -> JsonObject:
        """The body of the request."""


W = TypeVar("W", bound=Work)


@dataclass(frozen=True, slots=True)
class ManageAssets:
    """Every asset (adamId as text, pricingParam) for every holder. Serial numbers in upper case.

    At most 25 assets, 1000 users and 1000 serial numbers a request ("manageassetsrequest").
    """

    assets: tuple[tuple[str, str], ...]
    client_user_ids: tuple[str, ...] = ()
    serial_numbers: tuple[str, ...] = ()

    def within(self, limits: Limits) -> Iterator["ManageAssets"]:
        for assets in _slices(self.assets, limits.max_assets):
            for users in _slices(self.client_user_ids, limits.max_client_user_ids):
                yield ManageAssets(assets, client_user_ids=users)
            for serials in _slices(self.serial_numbers, limits.max_serial_numbers):
                yield ManageAssets(assets, serial_numbers=serials)

    def wire(self) -> JsonObject:
        assets = [{"adamId": adam_id, "pricingParam": param} for adam_id, param in self.assets]
        return {"assets": assets, **_holders(self.client_user_ids, self.serial_numbers)}


@dataclass(frozen=True, slots=True)
class RevokeAssets:
    """All revocable assets of these holders. At most 100 of each a request ("revokeassetsrequest")."""

    client_user_ids: tuple[str, ...] = ()
    serial_numbers: tuple[str, ...] = ()

    def within(self, limits: Limits) -> Iterator["RevokeAssets"]:
        for users in _slices(self.client_user_ids, limits.max_revoke_client_user_ids):
            yield RevokeAssets(client_user_ids=users)
        for serials in _slices(self.serial_numbers, limits.max_revoke_serial_numbers):
            yield RevokeAssets(serial_numbers=serials)

    def wire(self) -> JsonObject:
        return _holders(self.client_user_ids, self.serial_numbers)


@dataclass(frozen=True, slots=True)
class RequestUser:
    """A client user to create or change. What is None is not sent; to retire, the id is all.

    `client_user_id` is ours to choose: at most 36 ASCII characters, nothing personal, never changed.
    """

    client_user_id: str
    email: str | None = None
    managed_apple_id: str | None = None

    def wire(self) -> JsonObject:
        sent = {
            "clientUserId": self.client_user_id,
            "email": self.email,
            "managedAppleId": self.managed_apple_id,
        }
        return {key: value for key, value in sent.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ManageUsers:
    """Client users, each once. At most 100 a request ("manageusersrequest")."""

    users: tuple[RequestUser, ...]

    def within(self, limits: Limits) -> Iterator["ManageUsers"]:
        return map(ManageUsers, _slices(self.users, limits.max_users))

    def wire(self) -> JsonObject:
        return {"users": [user.wire() for user in self.users]}


@dataclass(frozen=True, slots=True)
class ManageSubscriptions:
    """Every subscription (adamId as an integer) for every user, never for devices.

    At most 25 subscriptions and 1000 users a request ("managing-subscriptions").
    """

    adam_ids: tuple[int, ...]
    client_user_ids: tuple[str, ...]

    def within(self, limits: Limits) -> Iterator["ManageSubscriptions"]:
        for adam_ids in _slices(self.adam_ids, limits.max_subscriptions):
            for users in _slices(self.client_user_ids, limits.max_subscription_client_user_ids):
                yield ManageSubscriptions(adam_ids, users)

    def wire(self) -> JsonObject:
        return {"adamIds": list(self.adam_ids), "clientUserIds": list(self.client_user_ids)}


def chunks_of(work: Iterable[W], limits: Limits) -> Iterator[W]:
    """All of the work as requests that keep to the limits, in its order."""
    for each in work:
        yield from each.within(limits)


def cross_products(pairs: Iterable[Assignment]) -> list[ManageAssets]:
    """The pairs as few cross products that hold exactly them: what is missing, ready to be sent."""
    by_user: list[tuple[tuple[str, str], str]] = []
    by_serial: list[tuple[tuple[str, str], str]] = []
    for adam_id, pricing_param, user, serial in dict.fromkeys(pairs):
        chosen, holder = (by_serial, serial) if user is None else (by_user, user)
        chosen.append(((adam_id, pricing_param), holder or ""))
    return [
        *(ManageAssets(assets, client_user_ids=users) for assets, users in _rectangles(by_user)),
        *(ManageAssets(assets, serial_numbers=names) for assets, names in _rectangles(by_serial)),
    ]


def send_in_chunks(
    client: Caller,
    send: Callable[[W], R],
    work: Iterable[W],
    *,
    before: Callable[[W], object] = lambda chunk: None,
) -> Iterator[tuple[W, R]]:
    """Send the work in chunks, each when the one before has been dealt with: (chunk, result).

    `send` is one of the client's writes. Nothing is sent before the next result is asked for, so a caller
    that records each result knows at any time what has gone out; `before` hears of a chunk right
    before it is sent, so that a crash in between can be told from a chunk that was never sent. When the
    limits have moved they are read again, what is left is cut again, and a second refusal is raised.
    An error means that nothing came of its chunk, nor of those after it.

    Apple's results are unpredictable with two writers at one location: hold the location's lease.
    """
    left = deque(chunks_of(work, client.service_config().limits))
    cut_again = False
    while left:
        before(left[0])
        try:
            result = send(left[0])
        except LimitsMoved:
            if cut_again:
                raise
            left = deque(chunks_of(left, client.service_config(fresh=True).limits))
            cut_again = True
            continue
        cut_again = False
        yield left.popleft(), result


def _slices(items: Sequence[V], size: int) -> Iterator[tuple[V, ...]]:
    once = tuple(dict.fromkeys(items))
    return (once[start : start + size] for start in range(0, len(once), size))


def _holders(users: tuple[str, ...], serials: tuple[str, ...]) -> JsonObject:
    sent = {"clientUserIds": list(users), "serialNumbers": list(serials)}
    return {key: names for key, names in sent.items() if names}


def _rectangles(cells: list[tuple[K, V]]) -> list[tuple[tuple[K, ...], tuple[V, ...]]]:
    """Cover the cells exactly: by rows that are alike or by columns that are, whichever is fewer."""
    columns = _alike([(value, key) for key, value in cells])
    return min(_alike(cells), [(keys, values) for values, keys in columns], key=len)


def _alike(cells: list[tuple[K, V]]) -> list[tuple[tuple[K, ...], tuple[V, ...]]]:
    """Each key with its values; keys with the same values together."""
    values_of: dict[K, list[V]] = {}
    for key, value in cells:
        values_of.setdefault(key, []).append(value)
    keys_of: dict[frozenset[V], list[K]] = {}
    for key, values in values_of.items():
        keys_of.setdefault(frozenset(values), []).append(key)
    return [(tuple(keys), tuple(values_of[keys[0]])) for keys in keys_of.values()]
