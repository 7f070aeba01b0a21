"""The plan of a grant or a revoke in words: who gets a license, who waits, who loses one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from licensing import titles
from licensing.batches import planning
from licensing.batches.plans import TitlePlan
from licensing.models import BatchKind, BatchPlan, LicensedApp
from licensing.tables.holders import selection_key
from licensing.tables.plans import (
    CHUNK,
    TITLES_SHOWN,
    Change,
    Figure,
    PlanWords,
    Rows,
    counted,
    names_of,
    told,
)
from organizations.models import Membership


class LicenseWords(PlanWords):
    export = ("Title", "Adam ID", "Serial number or client user ID", "Name", "Outcome", "Reason")

    def __init__(self, plan: BatchPlan, membership: Membership) -> None:
        super().__init__(plan, membership)
        self.is_grant = plan.kind == BatchKind.GRANT
        self.is_destructive = not self.is_grant
        self.moved = "Granted" if self.is_grant else "Revoked"
        self.consequences = "" if self.is_grant else "licensing/_plan_revoke.html"
        self.nothing = (
            "Everybody chosen holds a license already."
            if self.is_grant
            else "Nobody chosen holds a license."
        )

    @property
    def changes(self) -> int:
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
        parts = (counted(devices, "device", "devices"), counted(people, "person", "people"))
        return " and ".join(filter(None, parts))

    @cached_property
    def titles(self) -> dict[int, LicensedApp]:
        """Also those of which nothing is known to happen."""
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
        n = self.numbers
        sentences = (
            told(n["wait"] if self.is_grant else 0, WAITING),
            told(n["unaccepted"], UNACCEPTED),
            told(n["unregistered"], UNREGISTERED),
            told(n["unknown_devices"], UNKNOWN_DEVICES),
        )
        return [sentence for sentence in sentences if sentence]

    @property
    def pledge(self) -> str:
        number = self.numbers["irrevocable"]
        is_one = number == 1
        return (
            f"I understand that {number:,} of these licenses {'is' if is_one else 'are'} given for"
            f" good: nobody can ever take {'it' if is_one else 'them'} back."
            if number
            else ""
        )

    @property
    def confirm_label(self) -> str:
        n = self.numbers
        if n["go"]:
            licenses = counted(n["go"], "license", "licenses")
            return f"{'Grant' if self.is_grant else 'Revoke'} {licenses}"
        if self.is_grant:
            return f"Put {n['wait']:,} on the waiting list"
        return f"Take {n['unwait']:,} off the waiting list"

    @property
    def selection_keys(self) -> list[str]:
        kinds = {each["kind"] for each in self.numbers["titles"]}
        return [selection_key(id_, kind) for id_ in self.titles for kind in sorted(kinds)]

    def changed_since(self, before: BatchPlan) -> list[Change]:
        return self._changes(before, GRANTED if self.is_grant else REVOKED)

    def outcomes(self) -> Rows:
        wish = planning.Wish(**self.plan.request)
        # Whoever may write nowhere only looks on: the plan is somebody else's.
        starter = self.membership if self.membership.can_write_somewhere else None
        known = planning.gather(self.plan.account, wish, starter)
        ids = [title.id for title in known.titles]
        found = LicensedApp.objects.select_related("app").in_bulk(ids)
        for kind, of_title in planning.decide(known):
            title = found[of_title.title.id]
            rows = _outcomes_of(of_title, is_grant=wish.is_grant)
            while chunk := list(islice(rows, CHUNK)):
                pairs = [(kind, holder) for holder, _, _ in chunk]
                names = names_of(pairs, self.plan, self.membership)
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


GRANTED = {
    "go": "get a license",
    "wait": "wait",
    "skipped": "left out",
    "irrevocable": "for good",
}
REVOKED = {"go": "lose their license", "skipped": "left out"}
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


def _outcomes_of(plan: TitlePlan, *, is_grant: bool) -> Iterator[tuple[str, str, str]]:
    done = "Gets a license" if is_grant else "Loses the license"
    for words, holders in (
        (done, plan.go),
        ("Waits for a license", plan.wait),
        ("Leaves the waiting list", plan.unwait),
    ):
        yield from ((holder, words, "") for holder in holders)
    yield from ((holder, "Left out", reason.sentence) for holder, reason in plan.skipped)
