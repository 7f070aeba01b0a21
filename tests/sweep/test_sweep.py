"""Every address, with every method, by everybody: the door, what is told, and what changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction

from tests.sweep import knocking
from tests.sweep.addresses import Address, addresses
from tests.sweep.conftest import World
from tests.sweep.knocking import Answer, Knocker, seen_in
from tests.sweep.rules import IN, Line
from tests.sweep.table import TABLE, line_of
from tests.sweep.tables import fingerprint, strangers_in

pytestmark = pytest.mark.django_db
EVERY = addresses()
# By whom it is asked what happens to a method that is not there, beside the full admin.
FEW = {knocking.READER, knocking.OUTSIDER, knocking.BORROWER, knocking.NOBODY}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.mark.parametrize("address", EVERY, ids=str)
def test_everybody_is_told_what_the_table_says(address: Address, world: World) -> None:
    line, before = line_of(address), fingerprint()

    wrong = [
        told
        for knocker in knockers_of(address, world)
        for method in METHODS
        if is_worth_asking(address, line, knocker, method)
        for told in knock(world, address, line, knocker, method)
    ]

    if not line.notes and (changed := changes(before, fingerprint())):
        wrong.append(f"What was refused, or only looked at, changed {', '.join(changed)}.")
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_the_table_has_no_line_for_nothing() -> None:
    assert sorted(TABLE) == sorted({address.name for address in EVERY})


def is_worth_asking(address: Address, line: Line, knocker: Knocker, method: str) -> bool:
    """Not what says nothing new: a whole page drawn for HEAD, or another method that is not there."""
    if method == "HEAD":
        return knocker.who in (knocking.OUTSIDER, knocking.NOBODY)
    if line.knows(address, method) or knocker.who == knocking.FULL:
        return line.is_for(knocker)
    return method == "DELETE" and knocker.who in FEW and line.is_for(knocker)


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [table for table in before if before[table] != after[table]]


def knockers_of(address: Address, world: World) -> list[Knocker]:
    """A session is nothing to an endpoint, and a key nothing to a page."""
    others = world.browsers if address.is_rest else world.programs
    stranger = next(each for each in others if each.who == knocking.FULL)
    as_nobody = Knocker(knocking.NOBODY, stranger.rows, (), stranger.cookies, stranger.key)
    return [*(world.programs if address.is_rest else world.browsers), as_nobody]


def knock(
    world: World, address: Address, line: Line, knocker: Knocker, method: str
) -> Iterator[str]:
    """What is wrong with the answer, in words."""
    url, expected = line.url(address, knocker.rows), line.expected(address, knocker, method)
    with undone(IN in expected and method not in knocking.READING):
        answer = knocker.ask(method, url)
        wrong = list(faults(world, line, knocker, method, url, answer))
        if answer.verdict not in expected:
            wrong.append(f"told {answer.verdict!r} ({answer.status}), not {sorted(expected)}")
        if answer.verdict == IN and method not in knocking.READING:
            wrong += mixed_rows(world)
    return (f"{knocker}: {method} {url}: {each}" for each in wrong)


def faults(
    world: World, line: Line, knocker: Knocker, method: str, url: str, answer: Answer
) -> Iterator[str]:
    asked = url.lower()
    told = {*line.tells, *world.ours.marks} if line.tells else set()
    hidden = {*knocker.hidden, *world.ours.secrets, *world.elsewhere.secrets} - told
    yield from seen_in(answer, [word for word in hidden if word.lower() not in asked])
    is_shown = knocker.who == knocking.FULL and method == "GET" and answer.verdict == IN
    if is_shown and answer.status != (line.answers or answer.status):
        yield f"answers {answer.status}, not {line.answers}"


def mixed_rows(world: World) -> list[str]:
    """Rows of one organization that tell of the other."""
    ours, theirs = world.ours, world.elsewhere
    return [
        *strangers_in(ours.organization.pk, theirs.marks),
        *strangers_in(theirs.organization.pk, ours.marks),
    ]


@contextmanager
def undone(really: bool) -> Iterator[None]:
    """Who is let in may change something; what is refused is left, so that it would be seen."""
    with transaction.atomic():
        yield
        if really:
            transaction.set_rollback(True)
