"""Who would lose what, were an app saved like this: the other half of a preview."""

from __future__ import annotations

from typing import NamedTuple

from apps_catalog.models import Installation
from licensing.automation.drafts import Draft
from licensing.automation.guard import too_many
from licensing.automation.sources import Titles
from licensing.automation.surveying import INSTALLATIONS, PEOPLE, asked_about
from licensing.automation.wanting import IS_KNOWN, WANTED
from licensing.models import Assignment, LicensedApp
from licensing.reclaim.protection import IS_PROTECTED

HELD, TITLES = Assignment._meta.db_table, LicensedApp._meta.db_table


class Losses(NamedTuple):
    """`leaving`: devices; `kept_by_hand`: of these, those with a license that no rule takes back."""

    leaving: int
    will_revoke: int
    kept_by_hand: int
    needs_decision: bool


_STAYING = f"""
    staying AS MATERIALIZED (
        SELECT serial_number AS holder FROM scope
        WHERE %(kind)s = 'device' AND serial_number IS NOT NULL
        UNION ALL
        SELECT client_user_id FROM {PEOPLE}
        WHERE %(kind)s = 'user' AND organization_id = %(organization)s
          AND owner_id IN (SELECT owner_id FROM scope))
"""  # noqa: S608  table names are the models'

# Of the rule's own licenses; those that another app wants become that app's.
_REVOKED = f"""
    WITH scope AS MATERIALIZED (__SCOPE__), {_STAYING},
    other AS MATERIALIZED (
        SELECT holder_kind, holder FROM ({WANTED}) AS wanted WHERE app_id <> %(app)s)
    SELECT held.licensed_app_id, count(*)
    FROM {HELD} AS held JOIN {TITLES} AS title ON title.id = held.licensed_app_id
    WHERE held.account_id = ANY(%(accounts)s) AND held.licensed_app_id = ANY(%(titles)s)
      AND held.origin = '{Assignment.Origin.RULE}' AND held.rule_id = %(app)s AND title.revocable
      AND NOT (held.holder_kind = %(kind)s
               AND EXISTS (SELECT 1 FROM staying WHERE staying.holder = held.holder))
      AND NOT EXISTS (SELECT 1 FROM other WHERE other.holder_kind = held.holder_kind
                      AND other.holder = held.holder)
      AND {IS_KNOWN} AND NOT {IS_PROTECTED}
    GROUP BY held.licensed_app_id
"""  # noqa: S608

_LEAVING = f"""
    WITH scope AS MATERIALIZED (__SCOPE__), leaving AS MATERIALIZED (
        SELECT device.id, device.serial_number, device.owner_id
        FROM {INSTALLATIONS} AS wish
        JOIN organizations_device AS device ON device.id = wish.device_id
        WHERE wish.managed_app_id = %(app)s AND wish.is_wanted
          AND NOT EXISTS (SELECT 1 FROM scope WHERE scope.id = wish.device_id)),
    kept AS MATERIALIZED (
        SELECT holder_kind, holder FROM {HELD}
        WHERE account_id = ANY(%(accounts)s) AND licensed_app_id = ANY(%(titles)s)
          AND NOT (origin = '{Assignment.Origin.RULE}' AND rule_id = %(app)s))
    SELECT count(*), count(*) FILTER (WHERE
        EXISTS (SELECT 1 FROM kept WHERE kept.holder_kind = 'device'
                AND kept.holder = leaving.serial_number)
        OR %(kind)s = 'user' AND EXISTS (
            SELECT 1 FROM {PEOPLE} AS person JOIN kept ON kept.holder = person.client_user_id
            WHERE person.owner_id = leaving.owner_id AND kept.holder_kind = 'user'))
    FROM leaving
"""  # noqa: S608


def losing(draft: Draft, titles: Titles) -> Losses:
    leaving = kept = 0
    # Each of the two looks at every device, which a new app need not.
    if Installation.objects.filter(managed_app=draft.managed_app_id, is_wanted=True).exists():
        [(leaving, kept)] = asked_about(_LEAVING, draft, titles, draft.devices)
    revoked: dict[int, int] = {}
    if draft.revokes and titles.rows:
        rows = asked_about(_REVOKED, draft, titles, draft.devices, adam_id=draft.adam_id)
        revoked = dict(rows)
    many = too_many(revoked)
    return Losses(leaving, sum(revoked.values()), kept, bool(many))
