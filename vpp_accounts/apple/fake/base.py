"""What every part of the fake shares: the state, its lock, and the note that it changed."""

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar

from vpp_accounts.apple.fake.clock import Clock
from vpp_accounts.apple.fake.ids import Ids
from vpp_accounts.apple.fake.settings import Settings
from vpp_accounts.apple.fake.state import Location, Token
from vpp_accounts.apple.fake.titles import Title
from vpp_accounts.apple.fake.wire import Json, NotHere

P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B", bound="Base")


class Base:
    lock: RLock
    clock: Clock
    settings: Settings
    ids: Ids
    locations: dict[str, Location]
    # By the secret inside: what Apple knows a token by.
    tokens: dict[str, tuple[Location, Token]]
    titles: dict[str, Title]
    # Grows with every change, so that a saved state can follow.
    revision: int

    def tell(self, location: Location, kind: str, notification: Json) -> None:
        """Notify the location's subscriber."""
        raise NotImplementedError

    def tell_in_parts(
        self, location: Location, kind: str, told: Json, name: str, rows: list[Json]
    ) -> None:
        """Notify in as many notifications as it takes, a hundred rows each."""
        raise NotImplementedError

    def location(self, uid: str) -> Location:
        try:
            return self.locations[uid]
        except KeyError:
            raise NotHere(f"There is no location {uid}.") from None


def change(method: Callable[Concatenate[B, P], T]) -> Callable[Concatenate[B, P], T]:
    """The method changes state: one at a time, and noted."""

    @wraps(method)
    def wrapper(self: B, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self.lock:
            self.revision += 1
            return method(self, *args, **kwargs)

    return wrapper
