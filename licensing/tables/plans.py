"""A plan in words: who gets a license, who waits, who cannot have one and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any

from licensing import titles
from licensing.batches import planning
from licensing.batches.plans import TitlePlan
from licensing.batches.reasons import Reason
from licensing.holders import DEVICE, USER
from licensing.models import BatchKind, BatchPlan, LicensedApp
from licensing.tables.holders import selection_key
from organizations.models import Device, Membership
from users.models import VppUser

NAMED = 10  # of those with the same reason
TITLES_SHOWN = 20
CHUNK = 2000
Pair = tuple[str, str]  # kind of holder, holder


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the numbers at the top."""

    label: str
    number: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Those who cannot be served for the same reason."""

    sentence: str
    count: int
    names: list[str]

    @property
    def more(self) -> int:
        return self.count - len(self.names)


@dataclass(frozen=True, slots=True)
class TitleLine:
    """What becomes of one title's licenses; None is without end."""

    title: LicensedApp
    go: int
    wait: int
    before: int | None
    after: int | None

    @property
    def name(self) -> str:
        return titles.name_of(self.title)

    @property
    def url(self) -> str:
        return titles.url_of(self.title)

    @property
    def as_of(self) -> datetime:
        return self.title.counts_as_of


class PlanWords:
    """What the page of a plan says, out of what was stored with it."""

    def __init__(self, plan: BatchPlan, membership: Membership) -> None:
        self.plan, self.membership = plan, membership
        self.numbers: dict[str, Any] = plan.summary
        self.is_grant = plan.kind == BatchKind.GRANT

    @property
    def changes(self) -> int:
        """How many holders something happens to; 0: there is nothing to confirm."""
        return sum(self.numbers[name] for name in ("go", "wait", "unwait"))

    @cached_property
    def heading(self) -> str:
        verb, preposition = ("Grant", "to") if self.is_grant else ("Revoke", "from")
        return f"{verb} {self._what} {preposition} {self._whom}"

    @property
    def _what(self) -> str:
        if self.plan.request["everything"]:
            return "all licenses"
        first, *others = self.plan.request["titles"]
        name = titles.name_of(self.titles[first]) if first in self.titles else "a title"
        return f"{len(others) + 1:,} titles" if others else f"“{name}”"

    @property
    def _whom(self) -> str:
        wish = self.plan.request
        devices, people = len(wish["serials"]) + len(wish["unserialed"]), len(wish["users"])
        parts = (_counted(devices, "device", "devices"), _counted(people, "person", "people"))
        return " and ".join(filter(None, parts))

    @cached_property
    def titles(self) -> dict[int, LicensedApp]:
        shown = self.plan.request["titles"][:TITLES_SHOWN]
        return LicensedApp.objects.select_related("app").in_bulk(shown)

    @cached_property
    def figures(self) -> list[Figure]:
        n = self.numbers
        if self.is_grant:
            found = [
                Figure("Get a license", n["go"]),
                Figure("Wait for one", n["wait"], "until licenses arrive"),
                Figure("Hold one already", n["already"], "nothing changes"),
            ]
        else:
            found = [
                Figure("Lose their license", n["go"]),
                Figure("Leave the waiting list", n["unwait"]),
                Figure("Hold none", n["already"], "nothing changes"),
            ]
        found.append(Figure("Left out", n["skipped"], "the reasons are below"))
        return [found[0], *(figure for figure in found[1:] if figure.number)]

    @cached_property
    def notes(self) -> list[str]:
        """What else there is to know, a sentence each."""
        n = self.numbers
        sentences = (
            (n["wait"] if self.is_grant else 0, WAITING),
            (n["unaccepted"], UNACCEPTED),
            (n["unregistered"], UNREGISTERED),
            (n["unknown_devices"], UNKNOWN_DEVICES),
        )
        return [words[count > 1].format(f"{count:,}") for count, words in sentences if count]

    @cached_property
    def lines(self) -> list[TitleLine]:
        """One for each of the first titles, devices and people together."""
        by_title: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for each in self.numbers["titles"]:
            by_title[each["id"]].append(each)
        return [
            _line(self.titles[id_], parts) for id_, parts in by_title.items() if id_ in self.titles
        ]

    @property
    def more_titles(self) -> int:
        return len({each["id"] for each in self.numbers["titles"]}) - len(self.lines)

    @cached_property
    def groups(self) -> list[Group]:
        named: dict[str, list[Pair]] = defaultdict(list)
        for each in self.numbers["named"]:
            pair = (each["kind"], each["holder"])
            if len(named[each["reason"]]) < NAMED and pair not in named[each["reason"]]:
                named[each["reason"]].append(pair)
        names = names_of([p for pairs in named.values() for p in pairs], self.plan, self.membership)
        counts = sorted(self.numbers["reasons"].items(), key=lambda pair: -pair[1])
        return [
            Group(
                Reason(reason).sentence,
                count,
                [names.get(pair) or pair[1] for pair in named[reason]],
            )
            for reason, count in counts
        ]

    @property
    def selection_keys(self) -> list[str]:
        """What the browser remembers the choice under that this plan is made of."""
        kinds = {each["kind"] for each in self.numbers["titles"]}
        return [selection_key(id_, kind) for id_ in self.titles for kind in sorted(kinds)]

    @property
    def is_irrevocable(self) -> bool:
        return bool(self.numbers["irrevocable"])

    @property
    def confirm_label(self) -> str:
        n = self.numbers
        if n["go"]:
            licenses = _counted(n["go"], "license", "licenses")
            return f"{'Grant' if self.is_grant else 'Revoke'} {licenses}"
        if self.is_grant:
            return f"Put {n['wait']:,} on the waiting list"
        return f"Take {n['unwait']:,} off the waiting list"


WAITING = (
    "{} has to wait: as soon as a license arrives it is given by itself, the highest priority first"
    " and then whoever has waited longest.",
    "{} have to wait: as soon as licenses arrive they are given by themselves, the highest priority"
    " first and then whoever has waited longest.",
)
UNACCEPTED = (
    "{} has not accepted yet, a license is held for them.",
    "{} have not accepted yet, a license is held for them.",
)
UNREGISTERED = (
    "{} is unknown to Apple and is registered first.",
    "{} are unknown to Apple and are registered first.",
)
UNKNOWN_DEVICES = (
    "{} serial number is in no inventory here. Apple accepts it all the same.",
    "{} serial numbers are in no inventory here. Apple accepts them all the same.",
)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}" if number else ""


def _line(title: LicensedApp, parts: Sequence[dict[str, Any]]) -> TitleLine:
    go = sum(part["go"] for part in parts)
    before = parts[0]["before"]
    moved = sum((part["after"] or 0) - (part["before"] or 0) for part in parts)
    return TitleLine(
        title,
        go,
        sum(part["wait"] for part in parts),
        before,
        None if before is None else before + moved,
    )


def names_of(pairs: Iterable[Pair], plan: BatchPlan, membership: Membership) -> dict[Pair, str]:
    """What people call these holders; two statements."""
    known = list(pairs)
    serials = [holder for kind, holder in known if kind == DEVICE]
    ids = [holder for kind, holder in known if kind == USER]
    devices = Device.objects.visible_to(membership).filter(serial_number__in=serials)
    users = VppUser.objects.filter(account=plan.account_id, client_user_id__in=ids)
    names = {
        (DEVICE.value, str(serial)): f"{name} ({serial})" if name else str(serial)
        for serial, name in devices.values_list("serial_number", "name")
    }
    people = users.values_list("client_user_id", "email", "owner__name")
    return names | {(USER.value, id_): owner or email or id_ for id_, email, owner in people}


EXPORT = ("Title", "Adam ID", "Serial number or client user ID", "Name", "Outcome", "Reason")


def outcomes(plan: BatchPlan, membership: Membership) -> Iterator[list[tuple[object, ...]]]:
    """Every holder of the plan as it stands now, in chunks for a CSV."""
    wish = planning.Wish(**plan.request)
    known = planning.gather(plan.account, wish, membership)
    found = LicensedApp.objects.select_related("app").in_bulk([title.id for title in known.titles])
    for kind, of_title in planning.decide(known):
        title = found[of_title.title.id]
        rows = _outcomes_of(of_title, is_grant=wish.is_grant)
        while chunk := list(islice(rows, CHUNK)):
            names = names_of([(kind, holder) for holder, _, _ in chunk], plan, membership)
            yield [
                (
                    titles.name_of(title),
                    title.adam_id,
                    holder,
                    names.get((kind, holder), ""),
                    *words,
                )
                for holder, *words in chunk
            ]


def _outcomes_of(plan: TitlePlan, *, is_grant: bool) -> Iterator[tuple[str, str, str]]:
    done = "Gets a license" if is_grant else "Loses the license"
    for words, holders in (
        (done, plan.go),
        ("Waits for a license", plan.wait),
        ("Leaves the waiting list", plan.unwait),
    ):
        yield from ((holder, words, "") for holder in holders)
    yield from ((holder, "Left out", reason.sentence) for holder, reason in plan.skipped)
