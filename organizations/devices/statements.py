"""What is done to many devices at once, each in one statement. `ids`: those that are locked."""

from organizations.models import AuditEvent, Device

DEVICES, EVENTS = Device._meta.db_table, AuditEvent._meta.db_table

TAGS = f"""
    UPDATE {DEVICES} AS device
    SET tag_ids = wanted.tag_ids, sources = device.sources || %(source)s::jsonb
    FROM {DEVICES} AS had, LATERAL (SELECT ARRAY(
        SELECT tag FROM unnest(CASE WHEN %(base)s THEN had.tag_ids ELSE '{{}}' END || %(add)s::bigint[])
             WITH ORDINALITY AS given (tag, place)
        WHERE tag <> ALL(%(remove)s::bigint[]) GROUP BY tag ORDER BY min(place)) AS tag_ids) AS wanted
    WHERE had.id = ANY(%(ids)s) AND device.id = had.id AND device.tag_ids <> wanted.tag_ids
    RETURNING device.id
"""  # noqa: S608  table names are the models'
OWNER = f"""
    UPDATE {DEVICES} SET owner_id = %(owner)s, sources = sources || %(source)s::jsonb
    WHERE id = ANY(%(ids)s) AND owner_id IS DISTINCT FROM %(owner)s::bigint RETURNING id
"""  # noqa: S608
MOVE = f"""
    UPDATE {DEVICES} SET network_id = %(network)s, sources = sources || %(source)s::jsonb
    WHERE id = ANY(%(ids)s) AND network_id <> %(network)s RETURNING id
"""  # noqa: S608
TELL_DELETION = f"""
    INSERT INTO {EVENTS} (organization_id, at, actor_kind, actor_id, actor_name, action,
                          target_kind, target_id, target_name, before, refused, request_id, address)
    SELECT organization_id, %(now)s, %(actor_kind)s, %(actor_id)s, %(actor_name)s, %(action)s,
           'device', id, coalesce(nullif(name, ''), serial_number, '{Device()}'),
           jsonb_build_object('serialNumber', coalesce(serial_number, ''), 'name', name),
           false, %(request_id)s, %(address)s::inet
    FROM {DEVICES} WHERE id = ANY(%(ids)s) ORDER BY id
"""  # noqa: S608
UNENROLLED = f"""
    UPDATE {DEVICES} SET enrollment = '{Device.Enrollment.NONE}', unenrolled_at = %(at)s,
        sources = sources || %(source)s::jsonb
    WHERE id = ANY(%(ids)s) AND enrollment <> '{Device.Enrollment.NONE}' RETURNING id
"""  # noqa: S608
WIPED = f"""
    UPDATE {DEVICES} SET wiped_at = %(at)s
    WHERE id = ANY(%(ids)s) AND wiped_at IS DISTINCT FROM %(at)s RETURNING id
"""  # noqa: S608
DELETE = f"DELETE FROM {DEVICES} WHERE id = ANY(%(ids)s)"  # noqa: S608
