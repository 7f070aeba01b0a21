"""An event and its tasks: what was asked for, how far it is, what it met."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vpp_accounts.apple.fake.errors import error_body
from vpp_accounts.apple.fake.state import AssetKey
from vpp_accounts.apple.fake.wire import Json

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
    # Pairs for assets, bodies of users for users, seats as they are told.
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
    is_about_seats: bool = False

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


def _info(tasks: Iterable[Any]) -> Json:
    """The targets of failed tasks, as lists that do not say which goes with which."""
    info: dict[str, dict[str, Any]] = {"assets": {}, "clientUserIds": {}, "serialNumbers": {}}
    for task in tasks:
        if isinstance(task, Pair):
            title = {"adamId": task.adam_id, "pricingParam": task.pricing_param}
            info["assets"][f"{task.key}"] = title
            info[_FIELDS[task.holder] + "s"][task.name] = task.name
        else:
            if "adamId" in task:
                info["assets"][str(task["adamId"])] = {"adamId": task["adamId"]}
            info["clientUserIds"][task["clientUserId"]] = task["clientUserId"]
    return {name: list(found.values()) for name, found in info.items() if found}
