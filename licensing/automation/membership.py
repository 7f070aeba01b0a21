"""Who is in scope, written to installations: rows come, go out of scope, and come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from apps_catalog.models import Installation, InstallationState, InstallationStep, ManagedApp
from licensing.automation import steps
from licensing.automation.evaluating import Grounds, Members, Rule
from licensing.automation.words import BY
from licensing.leases import Hold
from organizations.bulk import execute
from organizations.models import Device

AT_A_TIME = 10_000  # installations in one transaction
DEVICES_AT_A_TIME = 1_000

INSTALLATIONS, STEPS = Installation._meta.db_table, InstallationStep._meta.db_table
DEVICES, APPS = Device._meta.db_table, ManagedApp._meta.db_table
IN_SCOPE, OUT_OF_SCOPE = "In scope.", "Out of scope."


@dataclass
class Difference:
    """Of one app: devices that come into its scope, and those that leave it."""

    joining: list[int] = field(default_factory=list)
    leaving: list[int] = field(default_factory=list)


def follow(organization_id: int, rules: Collection[Rule], hold: Hold) -> set[int]:
    """These apps over all devices; answers the apps in which something changed. A rule without a
    digest is compared with what is written."""
    grounds = Grounds(organization_id, rules)
    changed = set()
    for rule in rules:
        members = grounds.members(rule)
        quick = members.quick_digest
        if rule.digest[: len(quick)] == quick:
            continue
        exact = members.exact_digest
        if rule.digest[len(quick) :] != exact:
            _apply(organization_id, rule.app_id, _difference(rule.app_id, members), hold)
            changed.add(rule.app_id)
        with hold.transaction():
            ManagedApp.objects.filter(pk=rule.app_id).update(scope_digest=quick + exact)
    return changed


def follow_devices(
    organization_id: int, rules: Collection[Rule], device_ids: Sequence[int], hold: Hold
) -> set[int]:
    """All apps over these devices; the digests of the apps that changed are forgotten before it."""
    found: defaultdict[int, Difference] = defaultdict(Difference)
    for start in range(0, len(device_ids), DEVICES_AT_A_TIME):
        some = list(device_ids[start : start + DEVICES_AT_A_TIME])
        for app_id, difference in _differences(organization_id, rules, some).items():
            found[app_id].joining += difference.joining
            found[app_id].leaving += difference.leaving
    for app_id, difference in found.items():
        _apply(organization_id, app_id, difference, hold)
    return set(found)


def _difference(app_id: int, members: Members) -> Difference:
    now = set(members)
    rows = Installation.objects.filter(managed_app=app_id, is_wanted=True)
    before = set(rows.values_list("device", flat=True))
    return Difference(sorted(now - before), sorted(before - now))


def _differences(
    organization_id: int, rules: Collection[Rule], device_ids: Sequence[int]
) -> dict[int, Difference]:
    grounds = Grounds(organization_id, rules, device_ids=device_ids)
    rows = Installation.objects.filter(
        organization=organization_id, device__in=device_ids, is_wanted=True
    )
    before: dict[int, set[int]] = {}
    for app_id, device_id in rows.values_list("managed_app", "device"):
        before.setdefault(app_id, set()).add(device_id)
    found = {}
    for rule in rules:
        now, then = set(grounds.members(rule)), before.get(rule.app_id, set())
        if now != then:
            found[rule.app_id] = Difference(sorted(now - then), sorted(then - now))
    return found


def _apply(organization_id: int, app_id: int, difference: Difference, hold: Hold) -> None:
    facts: dict[str, Any] = {
        "organization": organization_id,
        "app": app_id,
        "actor_kind": BY.kind,
        "actor_name": BY.name,
    }
    # Until all of it is written, nobody may take it for evaluated.
    ManagedApp.objects.filter(pk=app_id).exclude(scope_digest=b"").update(scope_digest=b"")
    for statement, devices in ((_JOIN, difference.joining), (_LEAVE, difference.leaving)):
        for some in _chunks(devices):
            with hold.transaction():
                execute(statement, facts | {"devices": some, "now": timezone.now()})
            steps.reached(steps.MEMBERS)


def _chunks(devices: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(devices), AT_A_TIME):
        yield list(devices[start : start + AT_A_TIME])


def forget_deleted(organization_id: int) -> None:
    """Installations of devices and apps that are no more; what becomes of their licenses was decided
    when they were deleted."""
    for table, column in ((DEVICES, "device_id"), (APPS, "managed_app_id")):
        execute(_FORGET.format(table=table, column=column), {"organization": organization_id})


# The device is locked against being deleted meanwhile: its installations go with it.
_JOIN = f"""
    WITH joined AS (
        INSERT INTO {INSTALLATIONS} AS wish (organization_id, managed_app_id, device_id, state,
            reason, detail, is_wanted, asked_by, attempts, version, since)
        SELECT organization_id, %(app)s, id, '{InstallationState.PLANNED}', '', '', true, '', 0, '',
               %(now)s
        FROM (SELECT organization_id, id FROM {DEVICES}
              WHERE organization_id = %(organization)s AND id = ANY(%(devices)s)
              ORDER BY id FOR KEY SHARE) AS device
        ON CONFLICT (managed_app_id, device_id)
            DO UPDATE SET is_wanted = true, left_at = NULL WHERE NOT wish.is_wanted
        RETURNING device_id, state, since
    )
    INSERT INTO {STEPS} (organization_id, managed_app_id, device_id, at, old, new, cause, actor_kind,
                         actor_name, event_key)
    SELECT %(organization)s, %(app)s, device_id, %(now)s,
           CASE WHEN since = %(now)s THEN '' ELSE state END, state, '{IN_SCOPE}', %(actor_kind)s,
           %(actor_name)s, ''
    FROM joined
"""  # noqa: S608  table names are the models'

_LEAVE = f"""
    WITH locked AS (
        SELECT id FROM {INSTALLATIONS}
        WHERE managed_app_id = %(app)s AND device_id = ANY(%(devices)s) AND is_wanted
        ORDER BY id FOR NO KEY UPDATE
    ), gone AS (
        UPDATE {INSTALLATIONS} AS wish
        SET is_wanted = false, left_at = %(now)s, asked_at = NULL, asked_by = ''  -- that was then
        FROM locked WHERE wish.id = locked.id RETURNING device_id, state
    )
    INSERT INTO {STEPS} (organization_id, managed_app_id, device_id, at, old, new, cause, actor_kind,
                         actor_name, event_key)
    SELECT %(organization)s, %(app)s, device_id, %(now)s, state, state, '{OUT_OF_SCOPE}',
           %(actor_kind)s, %(actor_name)s, ''
    FROM gone
"""  # noqa: S608

_FORGET = f"""
    DELETE FROM {INSTALLATIONS} AS wish
    WHERE wish.organization_id = %(organization)s
      AND NOT EXISTS (SELECT 1 FROM {{table}} AS alive WHERE alive.id = wish.{{column}})
"""  # noqa: S608
