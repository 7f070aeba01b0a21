"""Without the first wall: every filter by membership or organization is taken away, and the database
still shows each organization its own rows and nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import MultipleObjectsReturned
from django.db import ProgrammingError, connection, transaction
from django.db.models import QuerySet

from organizations import tenancy
from organizations.models import Organization
from tests import database
from tests.database import serving
from tests.sweep import knocking
from tests.sweep.addresses import Address, addresses
from tests.sweep.conftest import World
from tests.sweep.knocking import Knocker, seen_in
from tests.sweep.rules import Public
from tests.sweep.table import line_of
from tests.sweep.tables import fingerprint, tables_between, tables_of_tenants
from tests.sweep.test_sweep import changes, undone

pytestmark = pytest.mark.django_db
OURS = {"organizations", "vpp_accounts", "apps_catalog", "users", "licensing"}
OF_ORGANIZATION = ("organization", "organization_id", "organization__in")
# `Membership.objects.of` stays: it is the door, which decides in whose organization the request works.
NARROWING = {
    "accepted_in",
    "managed_only_by",
    "manageable_by",
    "open_to",
    "visible_to",
    "writable_by",
}
ADDING = {"with_rights"}  # columns about the membership's rights, to the same rows
WRITING = ("POST", "PUT", "DELETE")
EVERY = [address for address in addresses() if not isinstance(line_of(address), Public)]


@pytest.fixture
def _no_first_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    for queryset, name in narrowing():
        monkeypatch.setattr(queryset, name, lambda self, *args, **kwargs: self.all())
    narrow = QuerySet._filter_or_exclude

    def forget(self: Any, negate: bool, args: Any, kwargs: dict[str, Any]) -> Any:
        kept = {name: value for name, value in kwargs.items() if name not in OF_ORGANIZATION}
        return narrow(self, negate, args, kwargs if negate else kept)

    monkeypatch.setattr(QuerySet, "_filter_or_exclude", forget)


def narrowing() -> set[tuple[type, str]]:
    """Every method of ours that narrows rows to what somebody may see or change."""
    return {(queryset, name) for queryset in querysets() for name in NARROWING & {*dir(queryset)}}


def querysets() -> set[type]:
    models = [model for model in apps.get_models() if model._meta.app_label in OURS]
    return {type(model._default_manager.all()) for model in models}


def test_the_first_wall_is_taken_away_where_it_stands() -> None:
    """A new method that narrows by membership belongs into `NARROWING`, any other one here."""
    by_membership = {
        name
        for queryset in querysets()
        for name, method in inspect.getmembers(queryset, inspect.isfunction)
        if "membership" in inspect.signature(method).parameters
    }

    assert by_membership - NARROWING == ADDING
    assert {name for _, name in narrowing()} == NARROWING


@pytest.mark.parametrize("address", EVERY, ids=str)
@pytest.mark.usefixtures("_no_first_wall")
def test_the_second_one_holds(address: Address, world: World) -> None:
    told = [
        leak
        for knocker, hidden, other in walkers(address, world)
        for leak in walk(address, knocker, hidden, other)
    ]

    assert told == []


def test_without_both_everything_is_seen(world: World, request: pytest.FixtureRequest) -> None:
    """Else nothing above would prove anything."""
    request.getfixturevalue("_no_first_wall")
    told = []
    with serving(database._sweeping):
        for address in EVERY:
            for knocker, hidden, other in walkers(address, world):
                told += list(walk(address, knocker, hidden, other))

    leaking = {leak.split()[0] for leak in told}
    assert len(leaking) > len(EVERY) // 2, sorted(leaking)
    assert any("changed" in leak for leak in told)


def walkers(address: Address, world: World) -> list[tuple[Knocker, tuple[str, ...], int]]:
    """In their own organization with their own rows, and with those of the other one."""
    who = world.program if address.is_rest else world.browser
    ours, theirs = world.ours, world.elsewhere
    return [
        (who(knocking.FULL), theirs.marks, theirs.organization.pk),
        (who(knocking.BORROWER), ours.marks, ours.organization.pk),
    ]


def walk(address: Address, knocker: Knocker, hidden: tuple[str, ...], other: int) -> Iterator[str]:
    """What is seen of the other organization, or changed in it."""
    line = line_of(address)
    url, before = line.url(address, knocker.rows), fingerprint(other)
    for method in ("GET", *WRITING):
        if line.knows(address, method):
            with undone(method in WRITING):
                try:
                    with transaction.atomic():
                        answer = knocker.ask(method, url)
                except ProgrammingError as error:
                    if not is_the_wall(error):
                        raise
                    continue
                except MultipleObjectsReturned as error:
                    yield f"{address.name} {method} by {knocker}: {error}"
                    continue
                seen = seen_in(answer, [word for word in hidden if word.lower() not in url.lower()])
                changed = changes(before, fingerprint(other)) if method in WRITING else []
            if seen or changed:
                yield f"{address.name} {method} by {knocker}: {seen} seen, {changed} changed"


def is_the_wall(error: Exception) -> bool:
    return "row-level security" in str(error)


# --- Underneath -----------------------------------------------------------------------------------


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


@pytest.fixture
def filled(world: World) -> list[str]:
    """The tables with policies, all of which have rows."""
    tables = [*tables_of_tenants(), *tables_between()]
    assert [table for table in tables if not count(table)] == [], "Fill them in world.py."
    return tables


def test_nowhere_no_row_is_seen_whatever_is_asked(filled: list[str]) -> None:
    with serving():
        seen = {table: count(table) for table in filled}

    assert seen == dict.fromkeys(filled, 0)


def test_inside_one_organization_only_its_rows_are_there(filled: list[str]) -> None:
    """And all of them: together they are what there is."""
    every = {table: count(table) for table in filled}
    seen, strangers = dict.fromkeys(filled, 0), []
    for organization in Organization.objects.values_list("pk", flat=True):
        with tenancy.inside(organization):
            seen = {table: number + count(table) for table, number in seen.items()}
            strangers += [
                table
                for table, column in tables_of_tenants().items()
                if columns_other_than(table, column, organization)
            ]

    assert (seen, strangers) == (every, [])


def columns_other_than(table: str, column: str, organization: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {column} <> %s", [organization])
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("where", ["nowhere", "elsewhere"])
def test_no_row_can_be_changed_removed_or_copied_there(
    world: World, filled: list[str], where: str
) -> None:
    """As the application's role, with statements that name no organization."""
    ours = world.ours.organization.pk
    before = fingerprint(ours)
    inside = (
        tenancy.inside(world.elsewhere.organization.pk) if where == "elsewhere" else nullcontext()
    )

    with serving(), inside:
        for table, column in tables_of_tenants().items():
            for statement in (
                f"UPDATE {table} SET {column} = {column} WHERE {column} = {ours}",
                f"DELETE FROM {table} WHERE {column} = {ours}",
            ):
                with suppress(ProgrammingError), transaction.atomic():  # the audit log: not at all
                    run(statement)

    assert changes(before, fingerprint(ours)) == []


def test_no_row_can_be_put_there(world: World, filled: list[str]) -> None:
    """Each organization's own rows, put in again as the other one's."""
    ours, theirs = world.ours.organization.pk, world.elsewhere.organization.pk
    let_in = []
    for table, column in tables_of_tenants().items():
        with serving(), tenancy.inside(theirs):
            try:
                with transaction.atomic():
                    run(
                        f"INSERT INTO {table} SELECT (jsonb_populate_record(t, "
                        f"jsonb_build_object('{column}', {ours}))).* FROM {table} t LIMIT 1"
                    )
            except ProgrammingError as error:
                if not is_the_wall(error):
                    raise
            else:
                let_in.append(table)

    assert let_in == []


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
