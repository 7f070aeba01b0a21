"""What a line of the table means: who is let in, and what everybody else is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.sweep import knocking
from tests.sweep.addresses import Address
from tests.sweep.knocking import FORBIDDEN, IN, NO_SUCH_METHOD, NOT_FOUND, SIGN_IN, Knocker

# Who may look, or change something. The account of the rows is open to the first four alone, and
# its network is none of the last one's.
MEMBERS = frozenset(
    {knocking.FULL, knocking.READER, knocking.NAMED, knocking.ALLOWED, knocking.APART}
)
THEIRS = MEMBERS - {knocking.APART}
MANAGERS = THEIRS - {knocking.READER}
WRITERS = MEMBERS - {knocking.READER}  # in a network at least
ORGANIZATION = frozenset({knocking.FULL, knocking.READER})
FULL = frozenset({knocking.FULL})
NOBODY: frozenset[str] = frozenset()
EITHER = f"{FORBIDDEN} or {NOT_FOUND}"  # by what they lack: rights, or the row

# Nothing of the organization is theirs, however they came.
STRANGERS = frozenset(
    {knocking.INVITED, knocking.OUTSIDER, knocking.KEY_ELSEWHERE, knocking.LIMITED_ELSEWHERE}
)
LIMITED = frozenset({knocking.LIMITED, knocking.LIMITED_ELSEWHERE})
AS_FULL = frozenset({knocking.BORROWER, knocking.READ_ONLY_KEY, knocking.LIMITED})


@dataclass(frozen=True)
class Line:
    """`sees` may look and `writes` may change; nobody: there is no such method."""

    sees: frozenset[str] = MEMBERS
    writes: frozenset[str] = NOBODY
    answers: int = 200  # to looking
    passes: str = IN  # what becomes of those who are let in
    acts: str = ""  # what becomes of those who may change something, where it is not the same
    hides: str = NOT_FOUND  # what members are told who may not look
    # For arguments that mean something else here: another row's name, or the value itself.
    rows: Mapping[str, Any] = field(default_factory=dict)
    at: str = ""  # where the pattern cannot be filled
    notes: bool = False  # looking leaves a trace, as it should
    tells: tuple[str, ...] = ()  # what is told to everybody who has the link
    is_lax: bool = (
        False  # a class of Django's or allauth's: any other method is like one of its own
    )
    is_shut_to_limited: bool = False  # to sessions of an organization's single sign-on

    @property
    def acted(self) -> str:
        return self.acts or self.passes

    def url(self, address: Address, rows: Mapping[str, Any]) -> str:
        named = {name: rows.get(value, value) for name, value in self.rows.items()}
        return self.at or address.url({**rows, **named})

    def is_for(self, knocker: Knocker) -> bool:
        """Whether asking them says more than asking others has said."""
        return knocker.who != knocking.LIMITED  # the full admin once more

    def knows(self, address: Address, method: str) -> bool:
        if address.is_rest:
            return method.replace("HEAD", "GET") in address.methods
        return bool({"GET": self.sees, "HEAD": self.sees, "POST": self.writes}.get(method))

    def expected(self, address: Address, knocker: Knocker, method: str) -> set[str]:
        if self.is_shut_to_limited and knocker.who in LIMITED:
            return {FORBIDDEN}
        known = self.knows(address, method)
        if knocker.who == knocking.NOBODY:
            told = {SIGN_IN} if known else {SIGN_IN, NO_SUCH_METHOD}
        elif self.is_lost(address, knocker):
            # A method that nobody thought of may be refused before any row is looked at.
            told = {NOT_FOUND} if known else {NOT_FOUND, NO_SUCH_METHOD}
        else:
            told = self.of_member(knocker, method) if known else self.of_no_method(knocker)
        return (
            told if known or not self.is_lax else told | {IN, SIGN_IN, NO_SUCH_METHOD, self.passes}
        )

    def is_lost(self, address: Address, knocker: Knocker) -> bool:
        """Whether this is nothing of theirs: strangers, or a row of somebody else's."""
        if knocker.who == knocking.BORROWER:
            return address.names_a_row
        return knocker.who in STRANGERS

    def of_member(self, knocker: Knocker, method: str) -> set[str]:
        who = knocking.FULL if knocker.who in AS_FULL else knocker.who
        if method in knocking.READING:
            return {self.passes} if who in self.sees else set(self.hides.split(" or "))
        if who in self.writes:
            return {FORBIDDEN} if knocker.who == knocking.READ_ONLY_KEY else {self.acted}
        return {FORBIDDEN} if who in self.sees else {FORBIDDEN, NOT_FOUND}

    def of_no_method(self, knocker: Knocker) -> set[str]:
        """Whoever may do anything at all here is told so."""
        may_all = knocker.who == knocking.FULL or knocker.who in AS_FULL
        return {NO_SUCH_METHOD} if may_all else {FORBIDDEN, NOT_FOUND, NO_SUCH_METHOD}


@dataclass(frozen=True)
class Personal(Line):
    """One's own, whatever organizations one has. A row in the address is the `owner`'s."""

    owner: str = knocking.FULL
    needs_row: bool = False  # though the address does not name it

    def is_for(self, knocker: Knocker) -> bool:
        return knocker.who not in MEMBERS - ORGANIZATION

    def is_lost(self, address: Address, knocker: Knocker) -> bool:
        mine = {self.owner} | (AS_FULL - {knocking.BORROWER} if self.owner in FULL else NOBODY)
        return (self.needs_row or bool(address.arguments)) and knocker.who not in mine

    def of_member(self, knocker: Knocker, method: str) -> set[str]:
        if method in knocking.READING:
            return {self.passes}
        if knocker.who == knocking.READ_ONLY_KEY:
            return {FORBIDDEN}
        return {self.acted}

    def of_no_method(self, knocker: Knocker) -> set[str]:
        return {NO_SUCH_METHOD}


@dataclass(frozen=True)
class Public(Line):
    """Everybody is told the same."""

    def is_for(self, knocker: Knocker) -> bool:
        return knocker.who in LIMITED | {knocking.FULL, knocking.OUTSIDER, knocking.NOBODY}

    def expected(self, address: Address, knocker: Knocker, method: str) -> set[str]:
        if self.is_shut_to_limited and knocker.who in LIMITED:
            return {FORBIDDEN}
        if self.knows(address, method):
            return {self.passes if method in knocking.READING else self.acted}
        return {NO_SUCH_METHOD} | ({IN, SIGN_IN, self.passes} if self.is_lax else set())


# --- Short words for the table --------------------------------------------------------------------

page = Line


def form(who: frozenset[str] = FULL, **more: Any) -> Line:
    """Whoever may not write may not look either, and is told so: nothing is hidden from them."""
    return Line(who, who, hides=FORBIDDEN, **more)


def button(writes: frozenset[str] = FULL, **more: Any) -> Line:
    """Nothing to look at."""
    return Line(NOBODY, writes, **more)
