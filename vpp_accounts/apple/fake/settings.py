"""How this fake behaves: for all locations, or differently for one."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from vpp_accounts.apple.fake.guesses import Guesses
from vpp_accounts.apple.fake.wire import Json, Rejected


def apples_limits() -> dict[str, int]:
    """The limits that service/config documents."""
    return {
        "maxAssets": 25,
        "maxClientUserIds": 1000,
        "maxSerialNumbers": 1000,
        "maxRevokeClientUserIds": 100,
        "maxRevokeSerialNumbers": 100,
        "maxUsers": 100,
        "maxNotificationLength": 512,
        "maxMdmIdLength": 100,
        "maxMdmNameLength": 100,
        "maxMdmMetadataLength": 255,
        "maxRequestPerSecond": 15,
        "maxSubscriptions": 25,
        "maxSubscriptionClientUserIds": 1000,
    }


@dataclass
class Settings:
    page_size: int = 500
    latency_ms: float = 0.0
    event_delay_seconds: float = 0.5
    # Between two batches of one event.
    event_batch_seconds: float = 0.0
    notification_retry_seconds: float = 60.0
    # Whose Managed Apple Accounts are the organization's own; empty is every domain.
    managed_domains: tuple[str, ...] = ()
    # "template" or "array": Apple's metadata shows both.
    artwork_shape: str = "template"
    allow_http_notification_urls: bool = False
    # Are the endpoints below /subscriptions there at all?
    subscriptions: bool = False
    # How browsers reach the pictures and the invitation page, where that is not how the caller does.
    public_url: str = ""
    limits: dict[str, int] = field(default_factory=apples_limits)
    guesses: Guesses = field(default_factory=Guesses)

    @property
    def max_request_per_second(self) -> int:
        return self.limits["maxRequestPerSecond"]

    def overlaid(self, overrides: Json) -> Self:
        """These settings with one location's own on top."""
        if not overrides:
            return self
        limits = self.limits | overrides.get("limits", {})
        return replace(self, **{**overrides, "limits": limits})

    def change(self, wire: Json) -> None:
        for name, value in self.read(wire).items():
            merged = self.limits | value if name == "limits" else value
            setattr(self, name, merged)

    def read(self, wire: Json) -> Json:
        """Turn `{"pageSize": 3}` into `{"page_size": 3}`; raises Rejected and then changes nothing."""
        wire = dict(wire)
        limits = dict(_object(wire.pop("limits", {}), "limits"))
        if "maxRequestPerSecond" in wire:
            limits["maxRequestPerSecond"] = wire.pop("maxRequestPerSecond")
        guesses = _object(wire.pop("guesses", {}), "guesses")
        read = {snake(name): self._checked(snake(name), value) for name, value in wire.items()}
        if limits:
            read["limits"] = _checked_limits(limits)
        if guesses:
            read["guesses"] = self._changed_guesses(guesses)
        return read

    def wire(self) -> Json:
        shown = {camel(item.name): getattr(self, item.name) for item in fields(self)}
        guesses = {camel(item.name): getattr(self.guesses, item.name) for item in fields(Guesses)}
        return shown | {"maxRequestPerSecond": self.max_request_per_second, "guesses": guesses}

    def _checked(self, name: str, value: Any) -> Any:
        if name not in _PLAIN:
            known = ", ".join(sorted([*map(camel, _PLAIN), "limits", "guesses"]))
            raise Rejected(f"There is no setting {camel(name)}. There are: {known}.")
        if not _PLAIN[name](value):
            raise Rejected(f"{value!r} is not a value for {camel(name)}.")
        return value

    def _changed_guesses(self, wire: Json) -> Guesses:
        guesses = replace(self.guesses)
        for name, value in wire.items():
            guesses.change(snake(name), value)
        return guesses


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda match: "_" + match[0], name).lower()


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


_PLAIN: dict[str, Callable[[object], bool]] = {
    "page_size": _whole,
    "latency_ms": _number,
    "event_delay_seconds": _number,
    "event_batch_seconds": _number,
    "notification_retry_seconds": _number,
    "managed_domains": lambda value: (
        isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    ),
    "artwork_shape": lambda value: value in ("template", "array"),
    "public_url": lambda value: isinstance(value, str),
    "allow_http_notification_urls": lambda value: isinstance(value, bool),
    "subscriptions": lambda value: isinstance(value, bool),
}


def _object(value: Any, name: str) -> Json:
    if not isinstance(value, dict):
        raise Rejected(f"{name} is an object.")
    return value


def _checked_limits(limits: Json) -> dict[str, int]:
    for name, value in limits.items():
        if not _whole(value):
            raise Rejected(f"The limit {name} is a whole number above zero.")
    return limits
