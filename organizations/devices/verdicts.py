"""What each record would do, decided for all of them at once against what is known now.

Everything happens in temporary tables of one transaction:

    device_record   the records, in the form that we keep
    device_match    with the device, the owner, the network and the tags that they mean
    device_verdict  new, update, unchanged or error, with the reason or with what changes

A record is about the device with its serial number; where it has none, with its UDID.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from organizations import bulk
from organizations.automatic_tags import AUTOMATIC
from organizations.devices import records
from organizations.devices.fields import FIELDS, in_state
from organizations.devices.records import MODELS
from organizations.models import Device, DeviceSource, Network, Organization, Owner, Tag

DEVICES, OWNERS = Device._meta.db_table, Owner._meta.db_table
NETWORKS, TAGS = Network._meta.db_table, Tag._meta.db_table

MANY_ROWS = 1000
LONGEST_MESSAGE = 300
NULL = r"\N"


@dataclass(frozen=True, slots=True)
class Context:
    """Who says it, and what they may do."""

    organization: Organization
    source: str
    network_id: int | None = None  # of new devices that name none
    networks_writable: Sequence[int] | None = None  # None: all
    knows_owners: bool = True  # who has networks only does not: people are the organization's
    nth: str = "Record"  # what the records are counted as
    tells_network: bool = False  # where a device stays that is not in `network_id`

    @property
    def known(self) -> dict[str, Any]:
        return {
            "organization": self.organization.pk,
            "source": self.source,
            "better": records.better_than(self.source),
            "worse": records.worse_than(self.source),
            "network": self.network_id,
            "all_networks": self.networks_writable is None,
            "writable": list(self.networks_writable or ()),
            "knows_owners": self.knows_owners,
            "automatic": sorted(AUTOMATIC),
            "speaks": self.source == DeviceSource.CHANNEL,
            "nth": self.nth,
            "tells_network": self.tells_network,
        }


def stage(lines: Iterable[Sequence[str | None]]) -> None:
    """A line for each record, in the order of the table's columns; None says nothing."""
    bulk.stage("device_record", _DEVICE_RECORD, map(_copied, lines))


def lock(context: Context) -> None:
    """What is judged now is what is written. In one order, so that two cannot deadlock."""
    bulk.execute(_LOCK_TAGS, context.known)
    bulk.execute(_LOCK, context.known)


def judge(context: Context) -> None:
    """From `device_record` to `device_verdict`."""
    bulk.execute(_EXPECT_MANY, [MANY_ROWS])
    for table, statement in (("device_match", _MATCH), ("device_verdict", _VERDICT)):
        bulk.execute(f"DROP TABLE IF EXISTS pg_temp.{table}", [])
        bulk.execute(f"CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS {statement}", context.known)
        bulk.execute(f"ANALYZE {table}", [])


def _copied(line: Sequence[str | None]) -> str:
    if None not in line:
        return "\t".join(bulk.escaped([text or "" for text in line]))
    return "\t".join(NULL if text is None else next(iter(bulk.escaped([text]))) for text in line)


_DEVICE_RECORD = (
    'number int, serial_number text COLLATE "C", name text, model text, platform text,'
    " os_version text, supervised text, enrollment text, udid text, owner_email text, tags text,"
    " network_id bigint, network text, problem text"
)

# As with people: a large file makes thousands of devices of which the planner learns later.
_EXPECT_MANY = """
    SELECT set_config('enable_nestloop', CASE WHEN count(*) > %s THEN 'off' ELSE 'on' END, true)
    FROM device_record
"""

_ABOUT = f"""
    coalesce(device.id, CASE WHEN record.serial_number IS NULL THEN (
        SELECT min(id) FROM {DEVICES} WHERE organization_id = %(organization)s
            AND udid = record.udid AND udid <> '') END)
"""  # noqa: S608  table names are the models'

_LOCK = f"""
    SELECT FROM {DEVICES} WHERE id IN (
        SELECT device.id FROM device_record AS record JOIN {DEVICES} AS device
            ON device.organization_id = %(organization)s
            AND device.serial_number = record.serial_number
        UNION ALL
        SELECT device.id FROM device_record AS record JOIN {DEVICES} AS device
            ON device.organization_id = %(organization)s AND record.serial_number IS NULL
            AND device.udid <> '' AND device.udid = record.udid)
    ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608

# Until the end, nobody deletes a tag that is about to be given (organizations/tags.py).
_LOCK_TAGS = f"""
    SELECT FROM {TAGS} WHERE organization_id = %(organization)s AND lower(name) IN (
        SELECT lower(word) FROM device_record
        CROSS JOIN unnest(string_to_array(tags, ' ')) AS word)
    ORDER BY id FOR KEY SHARE
"""  # noqa: S608

_LIKELY = " ".join(
    f"WHEN record.model ~* '{word}' THEN '{platform}'" for word, platform in MODELS.items()
)

_MATCH = f"""
    WITH words AS (
        SELECT number, array_agg(tag.id ORDER BY place) FILTER (WHERE tag.id IS NOT NULL) AS ids,
               bool_or(tag.id IS NULL) AS has_new,
               min(word) FILTER (WHERE tag.kind = '{Tag.Kind.AUTOMATIC}'
                   OR (tag.id IS NULL AND lower(word) = ANY(%(automatic)s))) AS automatic
        FROM device_record
        CROSS JOIN unnest(string_to_array(tags, ' ')) WITH ORDINALITY AS each (word, place)
        LEFT JOIN {TAGS} AS tag ON tag.organization_id = %(organization)s
            AND lower(tag.name) = lower(word)
        WHERE tags <> '' GROUP BY number
    ), named AS (
        SELECT DISTINCT lower(owner_email) AS key FROM device_record WHERE owner_email <> ''
    ), owner AS (
        SELECT named.key, owner.id FROM named JOIN {OWNERS} AS owner
            ON owner.organization_id = %(organization)s AND owner.email <> ''
            AND lower(owner.email) = named.key
    )
    SELECT record.number, record.serial_number, record.name, record.model, record.platform,
           record.os_version, record.supervised, record.enrollment, record.udid,
           record.owner_email, record.tags, record.problem,
           record.network AS network_named, record.network_id AS network_given,
           coalesce(by_id.id, by_name.id) AS network_id, owner.id AS owner_id,
           coalesce(words.ids, '{{}}') AS tag_ids, coalesce(words.has_new, false) AS has_new_tag, words.automatic,
           CASE {_LIKELY} END AS likely, {_ABOUT} AS device_id,
           min(record.number) OVER (
               PARTITION BY coalesce(record.serial_number, record.udid)) AS first_number
    FROM device_record AS record
    LEFT JOIN {DEVICES} AS device ON device.organization_id = %(organization)s
        AND device.serial_number = record.serial_number
    LEFT JOIN owner ON owner.key = lower(record.owner_email)
    LEFT JOIN {NETWORKS} AS by_id ON by_id.organization_id = %(organization)s
        AND by_id.id = record.network_id
    LEFT JOIN (
        SELECT lower(name) AS key, min(id) AS id FROM {NETWORKS}
        WHERE organization_id = %(organization)s GROUP BY 1
    ) AS by_name ON by_name.key = lower(record.network)
    LEFT JOIN words ON words.number = record.number
"""  # noqa: S608

_OTHER_OWNER = next(field.differs for field in FIELDS if field.name == "owner")

# The first of these that is so. Who has some networks only does not learn the names of others, nor
# who belongs to the organization.
_PROBLEM = f"""
    CASE
    WHEN record.problem <> '' THEN record.problem
    WHEN record.first_number < record.number
        THEN %(nth)s || ' ' || record.first_number || ' is about this device already. Leave one of'
             ' them out.'
    WHEN record.network_named <> '' AND record.network_id IS NULL
        THEN 'There is no network “' || record.network_named || '” here. Give the name of one of'
             ' yours.'
    WHEN record.network_given IS NOT NULL AND record.network_id IS NULL
        THEN 'There is no network ' || record.network_given || ' here. Give the id of one of yours.'
    WHEN record.automatic IS NOT NULL
        THEN '“' || record.automatic || '” is an automatic tag, which devices get by themselves.'
             ' Choose another word.'
    WHEN device.id IS NOT NULL AND NOT %(all_networks)s AND device.network_id <> ALL(%(writable)s)
        THEN 'This device is in another network, where you may change nothing. Ask an administrator'
             ' of the organization.'
    WHEN NOT %(all_networks)s AND record.network_id <> ALL(%(writable)s)
        THEN 'You may change nothing in that network. Choose one of yours.'
    WHEN NOT %(knows_owners)s AND record.owner_email IS NOT NULL AND ({_OTHER_OWNER})
        THEN 'Owners belong to the organization; ask an admin with full access to it, or leave the'
             ' owner out.'
    WHEN NOT %(all_networks)s AND record.owner_email <> '' AND record.owner_id IS NULL
        THEN 'No owner here has the address ' || record.owner_email || '. Ask an admin with full'
             ' access to the organization to add one.'
    WHEN device.id IS NULL AND coalesce(record.platform, record.likely) IS NULL
        THEN 'A new device needs a platform: iOS, iPadOS, macOS, tvOS, watchOS or visionOS. Give'
             ' one, or its model.'
    WHEN device.id IS NULL AND coalesce(record.network_id, %(network)s) IS NULL
        THEN 'A new device needs a network. Give one, or choose one for all new devices.'
    ELSE '' END
"""

# A device that speaks for itself is here again, whatever was said of it.
_RETURNS = f"""
    (%(speaks)s AND record.enrollment <> '{Device.Enrollment.NONE}'
     AND (device.unenrolled_at IS NOT NULL OR device.wiped_at IS NOT NULL))
"""

_TOLD = f"""
    SELECT record.*, device.sources, {_PROBLEM} AS wrong,
           coalesce({_RETURNS}, false) AS returns,
           device.missing_since IS NOT NULL AS was_missing,
           CASE WHEN %(tells_network)s AND record.network_id IS NULL
                 AND device.network_id <> %(network)s THEN held.name END AS stays_in,
           {", ".join(field.state for field in FIELDS)}
    FROM device_match AS record
    LEFT JOIN {DEVICES} AS device ON device.id = record.device_id
        AND device.organization_id = %(organization)s
    LEFT JOIN {NETWORKS} AS held ON held.id = device.network_id
        AND held.organization_id = %(organization)s
"""  # noqa: S608


def _kept_for(source: str, teller: str) -> str:
    """“name, model kept as the REST API says”; NULL where nothing is."""
    fields = in_state("kept", "label", also=f"sources->>'{{name}}' = '{source}'")
    return f"nullif(concat_ws(', ', {fields}), '') || ' kept as {teller}'"


# What is believed of this source from now on: what it changed, and what it says better than others.
_SAYS = ", ".join(
    f"""'{field.name}', CASE WHEN {field.name}_is = 'changed' OR ({field.name}_is = 'same'
        AND coalesce(sources->>'{field.name}', '') = ANY(%(worse)s)) THEN %(source)s::text END"""
    for field in FIELDS
)
_OF_SCOPES = " OR ".join(f"{field.name}_is = 'changed'" for field in FIELDS if field.of_scopes)

_VERDICT = f"""
    WITH told AS ({_TOLD}), worded AS (
        SELECT *, wrong = '' AND device_id IS NULL AS is_new,
               owner_email <> '' AND owner_id IS NULL AND owner_is = 'changed' AS adds_owner,
               concat_ws(', ', {in_state("changed", "label")},
                   CASE WHEN returns THEN 'enrolled again' END,
                   CASE WHEN was_missing THEN 'no longer missing' END) AS changes,
               jsonb_strip_nulls(jsonb_build_object({_SAYS})) AS says
        FROM told
    )
    SELECT *,
           wrong = '' AND (device_id IS NULL OR returns OR coalesce({_OF_SCOPES}, false))
               AS of_scopes,
           CASE WHEN wrong <> '' THEN 'error' WHEN device_id IS NULL THEN 'new'
                WHEN changes <> '' THEN 'update' ELSE 'unchanged' END AS verdict,
           left(CASE WHEN wrong <> '' THEN wrong ELSE concat_ws('; ',
               CASE WHEN device_id IS NOT NULL THEN nullif(changes, '') END,
               CASE WHEN adds_owner THEN 'new owner ' || owner_email END,
               {_kept_for("channel", "the device itself says")},
               {_kept_for("api", "the REST API says")},
               'stays in “' || stays_in || '”') END, {LONGEST_MESSAGE}) AS message
    FROM worded
"""  # noqa: S608
