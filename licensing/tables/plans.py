"""A plan in words: what is the same for all kinds, on its page and as a CSV."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from licensing import titles
from licensing.batches.reasons import Reason
from licensing.holders import DEVICE, USER
from licensing.models import BatchPlan, LicensedApp
from organizations.models import Device, Membership
from users.models import VppUser

NAMED = 10  # of those with the same reason
TITLES_SHOWN = 20
CHUNK = 2000
Pair = tuple[str, str]  # kind of holder, holder
Rows = Iterator[list[tuple[object, ...]]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the numbers at the top."""

    label: str
    number: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A number that is another one than in the plan that was shown before."""

    before: int
    now: int
    what: str


@dataclass(frozen=True, slots=True)
class Group:
    """Those who are left out for the same reason."""

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
    stay: int
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
    """What the page of a plan says, out of what was stored with it. Each kind says the rest."""

    is_destructive = False
    moved = ""  # heads the column of what happens to a title's licenses
    consequences = ""  # the template of what stops, what stays, and how to undo it
    nothing = ""  # why there is nothing to do where nobody was left out
    export: tuple[str, ...] = ()

    def __init__(self, plan: BatchPlan, membership: Membership) -> None:
        self.plan, self.membership = plan, membership
        self.numbers: dict[str, Any] = plan.summary

    @property
    def changes(self) -> int:
        """How many holders something happens to; 0: there is nothing to confirm."""
        return int(self.numbers["go"])

    @cached_property
    def heading(self) -> str:
        raise NotImplementedError

    @cached_property
    def figures(self) -> list[Figure]:
        raise NotImplementedError

    @cached_property
    def notes(self) -> list[str]:
        """What else there is to know, a sentence each."""
        raise NotImplementedError

    @property
    def pledge(self) -> str:
        """What has to be understood before this is confirmed; empty where that is not asked for."""
        raise NotImplementedError

    @property
    def confirm_label(self) -> str:
        raise NotImplementedError

    @property
    def selection_keys(self) -> list[str]:
        """What the browser remembers the choice under that this plan is made of."""
        raise NotImplementedError

    def changed_since(self, before: BatchPlan) -> list[Change]:
        raise NotImplementedError

    def outcomes(self) -> Rows:
        """Every holder of the plan as it stands now, in chunks for a CSV."""
        raise NotImplementedError

    @cached_property
    def titles(self) -> dict[int, LicensedApp]:
        shown = list(dict.fromkeys(each["id"] for each in self.numbers["titles"]))
        return LicensedApp.objects.select_related("app").in_bulk(shown[:TITLES_SHOWN])

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

    def _changes(self, before: BatchPlan, words: dict[str, str]) -> list[Change]:
        """Of these numbers those that are others now."""
        pairs = ((before.summary[name], self.numbers[name], what) for name, what in words.items())
        return [Change(was, now, what) for was, now, what in pairs if was != now]


def counted(number: int, one: str, many: str) -> str:
    """“1 device”, “40 devices”; empty for none."""
    return f"{number:,} {one if number == 1 else many}" if number else ""


def told(number: int, sentences: tuple[str, str]) -> str:
    """The sentence for one, or for more; empty for none."""
    return sentences[number > 1].format(f"{number:,}") if number else ""


def _line(title: LicensedApp, parts: list[dict[str, Any]]) -> TitleLine:
    before = parts[0]["before"]
    moved = sum((part["after"] or 0) - (part["before"] or 0) for part in parts)
    return TitleLine(
        title,
        go=sum(part["go"] for part in parts),
        wait=sum(part.get("wait", 0) for part in parts),
        stay=sum(part.get("stay", 0) for part in parts),
        before=before,
        after=None if before is None else before + moved,
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
