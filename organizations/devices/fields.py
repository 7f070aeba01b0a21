"""The fields of a device that sources speak of, as the statements of `verdicts` see them.

`record` is what is said, with the rows that its words mean; `device` is what we hold.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    name: str  # in Device.sources
    label: str
    column: str
    said: str  # whether the record says something
    value: str
    is_empty: str  # whether anybody may fill it
    of_scopes: bool = False  # who is in a scope, or what may be installed, hangs on it

    @property
    def state(self) -> str:
        """NULL, same, changed, or kept because a better source says otherwise."""
        return f"""
            CASE WHEN NOT ({self.said}) THEN NULL
                 WHEN NOT ({self.differs}) THEN 'same'
                 WHEN {self.is_empty}
                      OR coalesce(device.sources->>'{self.name}', '') <> ALL(%(better)s) THEN 'changed'
                 ELSE 'kept' END AS {self.name}_is"""

    @property
    def differs(self) -> str:
        return f"{self.value} IS DISTINCT FROM device.{self.column}"


@dataclass(frozen=True, slots=True)
class Owned(Field):
    """An owner who is about to be added has no id yet."""

    @property
    def differs(self) -> str:
        unknown = "record.owner_email <> '' AND record.owner_id IS NULL"
        return f"({unknown}) OR record.owner_id IS DISTINCT FROM device.owner_id"


@dataclass(frozen=True, slots=True)
class Tagged(Field):
    """The order says nothing."""

    @property
    def differs(self) -> str:
        return (
            "record.has_new_tag OR NOT (record.tag_ids <@ device.tag_ids"
            " AND device.tag_ids <@ record.tag_ids)"
        )


def _plain(name: str, label: str, *, empty: str = "", scopes: bool = False) -> Field:
    said = f"record.{name} IS NOT NULL"
    is_empty = empty or f"device.{name} = ''"
    return Field(name, label, name, said, f"record.{name}", is_empty, scopes)


NEVER = "false"
FIELDS: tuple[Field, ...] = (
    _plain("name", "name"),
    _plain("model", "model"),
    _plain("platform", "platform", empty=NEVER, scopes=True),
    _plain("os_version", "OS version", scopes=True),
    Field(
        "supervised",
        "supervised",
        "supervised",
        "record.supervised IS NOT NULL",
        "(record.supervised = 'true')",  # in an error there may be anything
        NEVER,
        of_scopes=True,
    ),
    _plain("enrollment", "enrollment", empty=NEVER, scopes=True),
    _plain("udid", "UDID"),
    Owned(
        "owner",
        "owner",
        "owner_id",
        "record.owner_email IS NOT NULL",
        "record.owner_id",
        "device.owner_id IS NULL",
        of_scopes=True,
    ),
    Tagged(
        "tags",
        "tags",
        "tag_ids",
        "record.tags IS NOT NULL",
        "record.tag_ids",
        "device.tag_ids = '{}'",
        of_scopes=True,
    ),
    Field(
        "network",
        "network",
        "network_id",
        "record.network_id IS NOT NULL",
        "record.network_id",
        NEVER,
        of_scopes=True,
    ),
)


def in_state(state: str, value: str, *, also: str = "true") -> str:
    """A list, for ARRAY[…] or concat_ws, of `value` for each field that is in the state."""
    return ", ".join(
        f"CASE WHEN {field.name}_is = '{state}' AND {also.format(name=field.name)}"
        f" THEN '{getattr(field, value)}' END"
        for field in FIELDS
    )
