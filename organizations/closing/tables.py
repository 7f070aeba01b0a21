"""Every table that holds rows of an organization, in an order in which they can be emptied.

Read from the models, so that a table of a later release cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.db import models

from organizations.models import AuditEvent, Organization

Model = type[models.Model]


@dataclass(frozen=True, slots=True)
class Table:
    """`where`: which rows are an organization's, with a place for its id."""

    model: Model
    where: str
    kept: str = ""  # the column that is emptied where the rows themselves outlive the organization
    to_itself: tuple[str, ...] = ()  # columns by which its rows point at each other

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def count(self) -> str:
        return f"SELECT count(*) FROM {self.name} WHERE {self.where}"  # noqa: S608  names are the models'

    @property
    def statements(self) -> Iterator[str]:
        """Each takes the organization's id, an action, and a number of rows; repeated until they end."""
        for column in self.to_itself:
            yield self._unlink(column)
        yield self._unlink(self.kept) if self.kept else self._some("DELETE FROM", "")

    def _unlink(self, column: str) -> str:
        change = f"SET {column} = NULL"
        return self._some("UPDATE", change, f"{column} IS NOT NULL")

    def _some(self, verb: str, change: str, condition: str = "true") -> str:
        # All of the audit log but the event of this action.
        spared = "action <> %s" if self.model is AuditEvent else "%s <> ''"
        chosen = f"SELECT ctid FROM {self.name} WHERE {self.where} AND {spared} AND {condition}"  # noqa: S608
        return f"{verb} {self.name} {change} WHERE ctid = ANY (ARRAY({chosen} LIMIT %s))"


@cache
def tables() -> tuple[Table, ...]:
    """Without the organization's own; those that others point at come after them."""
    every = apps.get_models(include_auto_created=True)
    found = {table.model: table for table in filter(None, map(table_of, every))}
    order = TopologicalSorter(dict.fromkeys(found, ()))
    for model in found:
        for target in _targets(model):
            if target in found and target is not model:
                order.add(target, model)
    return tuple(found[model] for model in order.static_order())


def table_of(model: Model) -> Table | None:
    """None for a table that holds nothing of any organization."""
    to_itself = tuple(key.column for key in _keys(model) if key.remote_field.model is model)
    key = next((key for key in _keys(model, all_of_them=True) if _is_of_organization(key)), None)
    if key is not None:
        outlives = key.remote_field.on_delete is models.SET_NULL
        return Table(model, f"{key.column} = %s", key.column if outlives else "", to_itself)
    return _between_two(model)


def _between_two(model: Model) -> Table | None:
    """A many-to-many table names no organization: its rows are those of the first of the two."""
    if not model._meta.auto_created:
        return None
    parent = next(iter(_keys(model)))
    theirs = table_of(parent.remote_field.model)
    if theirs is None:
        return None
    return Table(model, f"{parent.column} IN (SELECT id FROM {theirs.name} WHERE {theirs.where})")  # noqa: S608


def _is_of_organization(key: Any) -> bool:
    return key.name == "organization" and key.remote_field.model is Organization


def _targets(model: Model) -> Iterable[Model]:
    return (key.remote_field.model for key in _keys(model))


def _keys(model: Model, *, all_of_them: bool = False) -> Iterator[Any]:
    """Its foreign keys that the database itself holds."""
    for field in model._meta.local_concrete_fields:
        is_key = isinstance(field, models.ForeignKey)
        if is_key and (all_of_them or getattr(field, "db_constraint", False)):
            yield field
