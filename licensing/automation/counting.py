"""How far apps are: their counts, written to their rows."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from apps_catalog.models import Installation, ManagedApp
from apps_catalog.models import InstallationState as S
from apps_catalog.models.installations import AFTER_LICENSE
from apps_catalog.reasons import Reason
from organizations.bulk import execute

APPS, INSTALLATIONS = ManagedApp._meta.db_table, Installation._meta.db_table


@transaction.atomic
def recount(managed_app_ids: Collection[int]) -> None:
    """Of these apps alone; locked in one order, since two may count the same."""
    if not managed_app_ids:
        return
    ids = sorted(set(managed_app_ids))
    rows = ManagedApp.objects.filter(pk__in=ids).order_by("pk")
    list(rows.select_for_update(no_key=True, of=("self",)).values_list("pk"))
    execute(_COUNT, {"ids": ids, "now": timezone.now()})


_COUNT = f"""
    UPDATE {APPS} AS app SET in_scope = counted.in_scope, licensed = counted.licensed,
        installed = counted.installed, waiting = counted.waiting, blocked = counted.blocked,
        failed = counted.failed, counted_at = %(now)s
    FROM (
        SELECT asked.id, count(wish.id) AS in_scope,
            count(*) FILTER (WHERE wish.state IN {tuple(str(s) for s in AFTER_LICENSE)}) AS licensed,
            count(*) FILTER (WHERE wish.state = '{S.INSTALLED}') AS installed,
            count(*) FILTER (WHERE wish.state = '{S.BLOCKED}'
                             AND wish.reason = '{Reason.NO_LICENSE}') AS waiting,
            count(*) FILTER (WHERE wish.state = '{S.BLOCKED}'
                             AND wish.reason <> '{Reason.NO_LICENSE}') AS blocked,
            count(*) FILTER (WHERE wish.state = '{S.FAILED}') AS failed
        FROM unnest(%(ids)s) AS asked (id)
        LEFT JOIN {INSTALLATIONS} AS wish ON wish.managed_app_id = asked.id AND wish.is_wanted
        GROUP BY asked.id) AS counted
    WHERE app.id = counted.id
"""  # noqa: S608  table names are the models'
