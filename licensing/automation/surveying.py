"""Those in an app's scope, in groups of whom the same is known: a few statements for any number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from apps_catalog.models import Installation
from apps_catalog.requirements import DeviceFacts
from licensing.automation.choosing import Person
from licensing.automation.drafts import Draft
from licensing.automation.sources import Titles
from licensing.models import OPEN_ITEMS, Assignment, BatchItem, BatchKind, ItemState
from organizations.bulk import returned
from organizations.models.inventory import DeviceQuerySet
from users.models import VppUser
from users.states import RETIRED as RETIRED_STATES


class Group(NamedTuple):
    """Devices, or owners of devices, that differ in nothing that matters here.

    `people`: an owner's state by account; None where devices hold the license. `waits` None: nothing
    is under way for them, else whether they only wait.
    """

    network_id: int
    devices: tuple[DeviceFacts, ...]
    people: Mapping[int, str] | None
    is_held: bool
    waits: bool | None
    is_asked: bool
    number: int
    lacks_owner: bool = False


INSTALLATIONS = Installation._meta.db_table
PEOPLE = VppUser._meta.db_table
OPEN = tuple(str(state) for state in OPEN_ITEMS)
RETIRED = tuple(str(state) for state in RETIRED_STATES)

# What each holder has of these titles, and what is under way for them.
_HELD = f"""
    held AS MATERIALIZED (
        SELECT DISTINCT holder FROM {Assignment._meta.db_table}
        WHERE account_id = ANY(%(accounts)s) AND licensed_app_id = ANY(%(titles)s)
          AND holder_kind = %(kind)s
    ), open AS MATERIALIZED (
        SELECT holder, bool_and(state = '{ItemState.WAITING}') AS waits
        FROM {BatchItem._meta.db_table}
        WHERE licensed_app_id = ANY(%(titles)s) AND holder_kind = %(kind)s
          AND kind = '{BatchKind.GRANT}' AND state IN {OPEN} GROUP BY holder
    ), asked AS MATERIALIZED (
        SELECT device_id FROM {INSTALLATIONS}
        WHERE managed_app_id = %(app)s AND asked_at IS NOT NULL)
"""  # noqa: S608  table names are the models'

_OF_DEVICES = f"""
    WITH scope AS MATERIALIZED (__SCOPE__), {_HELD}
    SELECT network_id, platform, os_version, serial_number IS NOT NULL, supervised,
           held.holder IS NOT NULL, open.waits, asked.device_id IS NOT NULL, count(*)
    FROM scope
    LEFT JOIN held ON held.holder = serial_number
    LEFT JOIN open ON open.holder = serial_number
    LEFT JOIN asked ON asked.device_id = scope.id
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
"""  # noqa: S608

# `person`: an account and the state in it; of two records of one owner the one that is not retired.
_PERSON = f"""
    person AS MATERIALIZED (
        SELECT owner_id,
               array_agg(account_id || ' ' || CASE
                   WHEN apple_status IN {RETIRED} THEN '{Person.RETIRED}'
                   WHEN apple_status = '{VppUser.AppleStatus.ASSOCIATED}' THEN '{Person.READY}'
                   WHEN apple_status = '' AND failure <> '' THEN '{Person.FAILED}'
                   ELSE '{Person.UNACCEPTED}' END ORDER BY account_id, apple_status IN {RETIRED} DESC
               ) FILTER (WHERE account_id = ANY(%(drawn)s)) AS states,
               bool_or(held.holder IS NOT NULL) AS is_held, bool_and(open.waits) AS waits
        FROM {PEOPLE} AS person
        LEFT JOIN held ON held.holder = client_user_id
        LEFT JOIN open ON open.holder = client_user_id
        WHERE person.organization_id = %(organization)s AND owner_id IS NOT NULL
        GROUP BY owner_id)
"""  # noqa: S608

_OF_OWNERS = f"""
    WITH scope AS MATERIALIZED (__SCOPE__), {_HELD}, {_PERSON}, owner AS MATERIALIZED (
        SELECT owner_id, min(network_id) AS network_id,
               array_agg(DISTINCT platform || E'\\t' || os_version || E'\\t' ||
                   (serial_number IS NOT NULL)::int || E'\\t' || supervised::int) AS devices,
               bool_or(asked.device_id IS NOT NULL) AS is_asked,
               CASE WHEN owner_id IS NULL THEN count(*) ELSE 1 END AS number
        FROM scope LEFT JOIN asked ON asked.device_id = scope.id GROUP BY owner_id)
    SELECT network_id, devices, CASE WHEN owner.owner_id IS NULL THEN NULL
               ELSE coalesce(person.states, '{{}}') END,
           coalesce(is_held, false), waits, is_asked, sum(number)::bigint
    FROM owner LEFT JOIN person USING (owner_id)
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608


# A row for each device, also of one owner.
_EACH_DEVICE = f"""
    WITH scope AS MATERIALIZED (__SCOPE__), {_HELD}
    SELECT scope.id, network_id, platform, os_version, serial_number IS NOT NULL, supervised,
           NULL, held.holder IS NOT NULL, open.waits, asked.device_id IS NOT NULL, false
    FROM scope
    LEFT JOIN held ON held.holder = serial_number
    LEFT JOIN open ON open.holder = serial_number
    LEFT JOIN asked ON asked.device_id = scope.id
"""  # noqa: S608

_EACH_OWNER = f"""
    WITH scope AS MATERIALIZED (__SCOPE__), {_HELD}, {_PERSON}
    SELECT scope.id, network_id, platform, os_version, serial_number IS NOT NULL, supervised,
           coalesce(person.states, '{{}}'), coalesce(is_held, false), waits,
           asked.device_id IS NOT NULL, owner_id IS NULL
    FROM scope
    LEFT JOIN person USING (owner_id)
    LEFT JOIN asked ON asked.device_id = scope.id
"""  # noqa: S608


def groups_of(draft: Draft, titles: Titles) -> Iterable[Group]:
    """Of everybody in scope."""
    statement = _OF_OWNERS if draft.is_for_people else _OF_DEVICES
    read = _owner_group if draft.is_for_people else _device_group
    return map(read, asked_about(statement, draft, titles, draft.devices))


def each_of(draft: Draft, titles: Titles, devices: DeviceQuerySet) -> dict[int, Group]:
    """Each of a few devices for itself, as a group of one."""
    statement = _EACH_OWNER if draft.is_for_people else _EACH_DEVICE
    rows = asked_about(statement, draft, titles, devices)
    return {device_id: _single(row) for device_id, *row in rows}


def _single(row: Sequence[Any]) -> Group:
    network_id, platform, version, has_serial, supervised, states, *rest = row
    held, waits, asked, lacks_owner = rest
    people = None if states is None else dict(_person(text) for text in states)
    device = DeviceFacts(platform, version, has_serial, supervised)
    return Group(network_id, (device,), people, held, waits, asked, 1, lacks_owner)


def asked_about(
    statement: str, draft: Draft, titles: Titles, devices: DeviceQuerySet, **more: Any
) -> list[tuple[Any, ...]]:
    """The rows of a statement about a draft; `__SCOPE__` in it stands for the devices."""
    parameters = {
        "organization": draft.organization_id,
        "accounts": titles.account_ids,
        "titles": titles.ids,
        "drawn": list(draft.account_ids),
        "kind": draft.holder_kind,
        "app": draft.managed_app_id,
        **more,
    }
    scope, values = _named(devices)
    return returned(statement.replace("__SCOPE__", scope), parameters | values)


COLUMNS = (
    "id",
    "network_id",
    "platform",
    "os_version",
    "serial_number",
    "supervised",
    "owner_id",
)


def _named(devices: DeviceQuerySet) -> tuple[str, dict[str, Any]]:
    """The query with its parameters by name, so that it can be a part of another one."""
    # A scope that names nobody is a query, too.
    found = devices.order_by().values(*COLUMNS).query
    query, values = found.get_compiler(devices.db, elide_empty=False).as_sql()
    names = [f"scope_{number}" for number in range(len(values))]
    pieces = query.split("%s")
    text = pieces[0] + "".join(
        f"%({name})s{piece}" for name, piece in zip(names, pieces[1:], strict=True)
    )
    return text, dict(zip(names, values, strict=True))


def _device_group(row: tuple[Any, ...]) -> Group:
    network_id, platform, version, has_serial, supervised, held, waits, asked, number = row
    device = DeviceFacts(platform, version, has_serial, supervised)
    return Group(network_id, (device,), None, held, waits, asked, number)


def _owner_group(row: tuple[Any, ...]) -> Group:
    network_id, devices, states, held, waits, asked, number = row
    facts = tuple(_device(text) for text in devices)
    people = dict(_person(text) for text in states or ())
    return Group(network_id, facts, people, held, waits, asked, number, states is None)


def _device(text: str) -> DeviceFacts:
    platform, version, has_serial, supervised = text.split("\t")
    return DeviceFacts(platform, version, has_serial == "1", supervised == "1")


def _person(text: str) -> tuple[int, str]:
    account, state = text.split(" ")
    return int(account), state
