"""Writing what changed in the assignments, with its audit events: a few statements for any size."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.utils import timezone

from licensing.models import Assignment
from licensing.sync.progress import Progress
from licensing.sync.tables import execute, stage
from organizations.audit import APPLE, current_request_id
from organizations.models import AuditEvent

TABLE = Assignment._meta.db_table
AUDIT = AuditEvent._meta.db_table


def apply(
    progress: Progress,
    *,
    new: Collection[str],
    gone: Collection[str],
    audited: bool = True,
) -> None:
    """Insert and delete lines (`licensed_app_id \\t holder_kind \\t holder`) inside a transaction.

    A first sync is one piece of news per title (assets.py), not one per license: `audited=False`.
    """
    stage(
        "assignment_change",
        'gone boolean, licensed_app_id bigint, holder_kind text, holder text COLLATE "C"',
        _marked(new, gone),
    )
    parameters = {
        "organization": progress.account.organization_id,
        "account": progress.account.pk,
        "now": timezone.now(),
    }
    removed = execute(_DELETE, parameters) if gone else 0
    added = execute(_INSERT, parameters) if new else 0
    if audited:
        execute(_AUDIT, {**parameters, "request_id": current_request_id()})
    progress.counts["assignmentsAdded"] += added
    progress.counts["assignmentsGone"] += removed


def _marked(new: Iterable[str], gone: Iterable[str]) -> Iterable[str]:
    yield from ("f\t" + line for line in new)
    yield from ("t\t" + line for line in gone)


# Sorted by key, so that each index page is visited once.
_INSERT = f"""
    INSERT INTO {TABLE} (account_id, licensed_app_id, holder_kind, holder,
                         organization_id, origin, since)
    SELECT %(account)s, licensed_app_id, holder_kind, holder,
           %(organization)s, '{Assignment.Origin.APPLE}', %(now)s
    FROM assignment_change WHERE NOT gone
    ORDER BY licensed_app_id, holder_kind, holder
    ON CONFLICT DO NOTHING
"""  # noqa: S608  table names are the models'

_DELETE = f"""
    DELETE FROM {TABLE} AS held USING assignment_change AS change
    WHERE change.gone AND held.account_id = %(account)s
      AND held.licensed_app_id = change.licensed_app_id
      AND held.holder_kind = change.holder_kind AND held.holder = change.holder
"""  # noqa: S608

_AUDIT = f"""
    INSERT INTO {AUDIT} (organization_id, at, actor_kind, actor_name, action, target_kind,
                         target_id, target_name, before, after, refused, request_id)
    SELECT %(organization)s, %(now)s, '{APPLE.kind}', '{APPLE.name}',
           CASE WHEN gone THEN 'assignment.gone' ELSE 'assignment.found' END,
           'licensedapp', change.licensed_app_id,
           left(coalesce(nullif(app.name, ''), 'Adam ID ' || app.adam_id), 254),
           CASE WHEN gone THEN jsonb_build_object('holder', holder, 'kind', holder_kind) END,
           CASE WHEN NOT gone THEN jsonb_build_object('holder', holder, 'kind', holder_kind) END,
           false, %(request_id)s
    FROM assignment_change AS change
    JOIN licensing_licensedapp AS title ON title.id = change.licensed_app_id
    JOIN apps_catalog_app AS app ON app.id = title.app_id
"""  # noqa: S608
