"""Licenses that a rule gave and that nobody wants any more: noticed, adopted by another app, or due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from apps_catalog.models import ManagedApp
from licensing.automation.known import LONGEST_PAUSE
from licensing.automation.sources import Titles
from licensing.automation.wanting import APPS, IS_KNOWN, WANTED
from licensing.models import (
    OPEN_ITEMS,
    Assignment,
    BatchItem,
    BatchKind,
    ItemState,
    LicensedApp,
)
from licensing.reclaim.protection import IS_PROTECTED
from organizations.bulk import execute, returned

HELD, TITLES = Assignment._meta.db_table, LicensedApp._meta.db_table
ITEMS = BatchItem._meta.db_table
TRY_AGAIN = timedelta(hours=6)  # after Apple has refused; ever later where it keeps refusing


class Due(NamedTuple):
    title_id: int
    account_id: int
    holder_kind: str
    holder: str


_ITS_OWN = f"""
    held.account_id = ANY(%(accounts)s) AND held.licensed_app_id = ANY(%(titles)s)
    AND held.origin = '{Assignment.Origin.RULE}' AND held.rule_id = %(app)s
"""

# Whom the app itself wants stays with it; whom only another one wants goes over to that.
_NOTE = f"""
    WITH wanted AS MATERIALIZED (
        SELECT DISTINCT ON (holder_kind, holder) holder_kind, holder, app_id
        FROM ({WANTED}) AS every ORDER BY holder_kind, holder, app_id <> %(app)s, app_id
    ), adopted AS (
        UPDATE {HELD} AS held SET rule_id = wanted.app_id, unwanted_at = NULL
        FROM wanted
        WHERE {_ITS_OWN} AND wanted.holder_kind = held.holder_kind AND wanted.holder = held.holder
          AND (wanted.app_id <> %(app)s OR held.unwanted_at IS NOT NULL)
    )
    UPDATE {HELD} AS held SET unwanted_at = %(now)s
    WHERE {_ITS_OWN} AND held.unwanted_at IS NULL AND {IS_KNOWN}
      AND NOT EXISTS (SELECT 1 FROM wanted WHERE wanted.holder_kind = held.holder_kind
                      AND wanted.holder = held.holder)
"""  # noqa: S608  table names are the models'

# Of rules that were deleted: what this app wants is its own from now on.
_INHERIT = f"""
    UPDATE {HELD} AS held SET rule_id = %(app)s, unwanted_at = NULL
    FROM ({WANTED}) AS wanted
    WHERE wanted.app_id = %(app)s AND wanted.holder_kind = held.holder_kind
      AND wanted.holder = held.holder AND held.account_id = ANY(%(accounts)s)
      AND held.licensed_app_id = ANY(%(titles)s) AND held.origin = '{Assignment.Origin.RULE}'
      AND NOT EXISTS (SELECT 1 FROM {APPS} AS rule WHERE rule.id = held.rule_id)
"""  # noqa: S608

_DUE = f"""
    SELECT held.licensed_app_id, held.account_id, held.holder_kind, held.holder
    FROM {HELD} AS held JOIN {TITLES} AS title ON title.id = held.licensed_app_id
    WHERE {_ITS_OWN} AND held.unwanted_at <= %(before)s
      AND title.revocable AND title.gone_at IS NULL AND {IS_KNOWN} AND NOT {IS_PROTECTED}
      AND NOT EXISTS (
          SELECT 1 FROM {ITEMS} AS open
          WHERE open.licensed_app_id = held.licensed_app_id
            AND open.holder_kind = held.holder_kind AND open.holder = held.holder
            AND open.state IN {tuple(str(state) for state in OPEN_ITEMS)})
      AND NOT EXISTS (
          SELECT 1 FROM (
              SELECT max(failed.changed_at) AS at, count(*) AS times FROM {ITEMS} AS failed
              WHERE failed.licensed_app_id = held.licensed_app_id
                AND failed.holder_kind = held.holder_kind AND failed.holder = held.holder
                AND failed.state = '{ItemState.FAILED}' AND failed.kind = '{BatchKind.REVOKE}'
                AND failed.changed_at > held.unwanted_at) AS refused
          WHERE refused.at + least(%(pause)s * power(2, least(refused.times - 1, 10)),
                                   %(longest)s) > %(now)s)
    ORDER BY held.licensed_app_id, held.holder_kind, held.holder
"""  # noqa: S608

_KEEP = f"""
    UPDATE {HELD} AS held SET origin = '{Assignment.Origin.MANUAL}', rule_id = NULL,
        unwanted_at = NULL
    WHERE {_ITS_OWN} AND held.unwanted_at <= %(before)s
"""  # noqa: S608


def note(managed_app: ManagedApp, titles: Titles) -> None:
    """From now on the grace runs for what nobody wants. Call it in a transaction."""
    execute(_INHERIT, _facts(managed_app, titles))
    execute(_NOTE, _facts(managed_app, titles))


def due(managed_app: ManagedApp, titles: Titles) -> list[Due]:
    """Whose grace is over, as far as it can be taken back and nothing is under way."""
    return [Due(*row) for row in returned(_DUE, _facts(managed_app, titles))]


def keep_for_good(managed_app: ManagedApp) -> int:
    """What is due is from now on as if a person had granted it; answers how many."""
    titles = Titles.of(managed_app.organization_id, managed_app.adam_id)
    return execute(_KEEP, _facts(managed_app, titles))


def _facts(managed_app: ManagedApp, titles: Titles) -> dict[str, Any]:
    now = timezone.now()
    return {
        "organization": managed_app.organization_id,
        "adam_id": managed_app.adam_id,
        "accounts": titles.account_ids,
        "titles": titles.ids,
        "app": managed_app.pk,
        "now": now,
        "before": now - timedelta(days=managed_app.grace_days),
        "pause": TRY_AGAIN,
        "longest": LONGEST_PAUSE,
    }
