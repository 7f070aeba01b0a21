"""Writing what was judged: a few statements for all records, over the table of `verdicts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from organizations import bulk, hooks
from organizations.audit import Actor
from organizations.devices.fields import FIELDS
from organizations.devices.verdicts import DEVICES, OWNERS, TAGS, Context
from organizations.models import Device, DeviceSource, Organization, Owner, Tag
from organizations.tags import add_tags

# So many ids are more than whoever hears of them would look at one by one.
NAMED_CHANGES = 10_000
OWNER_SOURCES = {
    DeviceSource.PAGE: Owner.Source.PAGE,
    DeviceSource.CSV: Owner.Source.CSV,
}


@dataclass(frozen=True, slots=True)
class Written:
    created: int
    updated: int
    owners: list[Owner]  # who were added


def write(context: Context, *, by: Actor, cause: str) -> Written:
    """Everything that is no error, and whatever it names that is not there yet."""
    known = context.known
    _add_tags(context, known, by=by)
    owners = _add_owners(context, known)
    moved = _ids("SELECT device_id FROM device_verdict WHERE network_is = 'changed' AND NOT is_new")
    bulk.execute(_GIVE_IDS, known)
    created = bulk.execute(_INSERT, known)
    bulk.execute(_UPDATE, known)
    _announce(context.organization, moved, by=by, cause=cause)
    [(updated,)] = bulk.returned("SELECT count(*) FROM device_verdict WHERE verdict = 'update'", [])
    return Written(created, updated, owners)


def _add_tags(context: Context, known: dict[str, Any], *, by: Actor) -> None:
    new = [name for (name,) in bulk.returned(_NEW_TAGS, known)]
    if new:
        add_tags(by=by, organization=context.organization, names=new, kind=Tag.Kind.DEVICE)
        bulk.execute(_NAME_TAGS, known)


def _add_owners(context: Context, known: dict[str, Any]) -> list[Owner]:
    source = OWNER_SOURCES.get(DeviceSource(context.source), Owner.Source.API)
    rows = bulk.returned(_NEW_OWNERS, known | {"owner_source": source})
    if rows:
        bulk.execute(_NAME_OWNERS, known)
    return [Owner(pk=pk, organization=context.organization, name=name) for pk, name in rows]


def _announce(organization: Organization, moved: list[int], *, by: Actor, cause: str) -> None:
    if moved:
        hooks.devices_departing.send(
            sender=Device,
            organization=organization,
            devices=Device.objects.filter(pk__in=moved),
            cause="moved",
            choice="",
            days=None,
            by=by,
        )
    changed = _ids("SELECT device_id FROM device_verdict WHERE of_scopes")
    if changed:
        hooks.devices_changed.send(
            sender=Device,
            organization=organization,
            device_ids=changed if len(changed) <= NAMED_CHANGES else None,
            cause=cause,
        )


def _ids(statement: str) -> list[int]:
    return sorted(pk for (pk,) in bulk.returned(statement, []))


_NEW_TAGS = f"""
    SELECT DISTINCT ON (lower(word)) word
    FROM device_verdict CROSS JOIN unnest(string_to_array(tags, ' ')) AS word
    WHERE tags_is = 'changed' AND wrong = '' AND NOT EXISTS (
        SELECT FROM {TAGS} AS tag
        WHERE tag.organization_id = %(organization)s AND lower(tag.name) = lower(word))
    ORDER BY lower(word), number
"""  # noqa: S608  table names are the models'

_NAME_TAGS = f"""
    UPDATE device_verdict AS verdict SET tag_ids = named.ids
    FROM (
        SELECT number, array_agg(tag.id ORDER BY place) AS ids
        FROM device_verdict
        CROSS JOIN unnest(string_to_array(tags, ' ')) WITH ORDINALITY AS each (word, place)
        JOIN {TAGS} AS tag ON tag.organization_id = %(organization)s
            AND lower(tag.name) = lower(word)
        WHERE has_new_tag GROUP BY number
    ) AS named
    WHERE named.number = verdict.number
"""  # noqa: S608

# In one order, so that two who add the same cannot deadlock.
_NEW_OWNERS = f"""
    INSERT INTO {OWNERS} (organization_id, name, email, username, managed_apple_account, tag_ids,
                          language, source, created_at)
    SELECT DISTINCT ON (lower(owner_email)) %(organization)s, left(owner_email, 200), owner_email, '',
           '', '{{}}'::bigint[], '', %(owner_source)s, now()
    FROM device_verdict WHERE adds_owner AND wrong = ''
    ORDER BY lower(owner_email), number
    ON CONFLICT (organization_id, lower(email)) WHERE NOT email = '' DO NOTHING
    RETURNING id, name
"""  # noqa: S608

_NAME_OWNERS = f"""
    UPDATE device_verdict SET owner_id = owner.id
    FROM {OWNERS} AS owner
    WHERE adds_owner AND owner.organization_id = %(organization)s AND owner.email <> ''
      AND lower(owner.email) = lower(owner_email)
"""  # noqa: S608

_GIVE_IDS = f"""
    UPDATE device_verdict SET device_id = nextval(pg_get_serial_sequence('{DEVICES}', 'id'))
    WHERE is_new
"""  # noqa: S608

_INSERT = f"""
    INSERT INTO {DEVICES} (id, organization_id, network_id, owner_id, serial_number, name, model,
                           platform, os_version, supervised, enrollment, tag_ids, udid, notes,
                           sources, missing_from, created_at)
    SELECT device_id, %(organization)s, coalesce(network_id, %(network)s), owner_id, serial_number,
           coalesce(name, ''), coalesce(model, ''), coalesce(platform, likely),
           coalesce(os_version, ''), coalesce(supervised::boolean, false),
           coalesce(enrollment, '{Device.Enrollment.DEVICE}'), tag_ids, coalesce(udid, ''), '',
           jsonb_build_object('serial_number', %(source)s::text, 'platform', %(source)s::text) || says,
           '', now()
    FROM device_verdict WHERE is_new ORDER BY number
"""  # noqa: S608

# Where nothing changes, a better source may have said the same.
_UPDATE = f"""
    UPDATE {DEVICES} AS device
    SET {
    ", ".join(
        f"{field.column} = CASE WHEN {field.name}_is = 'changed' THEN {field.value.replace('record.', 'verdict.')}"
        f" ELSE device.{field.column} END"
        for field in FIELDS
    )
},
        sources = device.sources || says, missing_since = NULL, missing_from = '',
        unenrolled_at = CASE WHEN returns THEN NULL ELSE device.unenrolled_at END,
        wiped_at = CASE WHEN returns THEN NULL ELSE device.wiped_at END
    FROM device_verdict AS verdict
    WHERE device.id = verdict.device_id AND device.organization_id = %(organization)s
      AND NOT is_new AND (verdict.verdict = 'update'
                          OR (verdict.verdict = 'unchanged' AND says <> '{{}}'))
"""  # noqa: S608
