"""Licenses that could serve somebody else, cause by cause, in one statement each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from licensing.models import OPEN_ITEMS, BatchItem, LicensingSettings, Reclaim, ReclaimCause
from licensing.reclaim import settling
from licensing.reclaim.causes import CAUSES, DEVICE, DEVICES, HELD, TITLES
from licensing.reclaim.protection import IS_PROTECTED
from licensing.reclaim.rules import Rule, rules_of
from licensing.reclaim.telling import Pair, record_by_title, rule_of
from organizations.bulk import execute, returned
from organizations.models import Device, Membership, Organization
from vpp_accounts.models import VppAccount

TABLE = Reclaim._meta.db_table
State = Reclaim.State
KEPT = (State.UNDONE, State.FAILED)

# The devices first, and their licenses one device after the other along an index: compared at once
# with all licenses they would take the time that these take.
_CANDIDATES = f"""
    WITH cause (serial, name, since, device_id, rule_id, adam_id) AS MATERIALIZED ({{devices}}),
    kept AS MATERIALIZED (
        SELECT licensed_app_id, holder, max(changed_at) AS at FROM {TABLE}
        WHERE organization_id = %(organization)s AND cause = %(cause)s
          AND holder_kind = '{DEVICE}' AND state IN {tuple(str(state) for state in KEPT)}
        GROUP BY licensed_app_id, holder)
    SELECT DISTINCT ON (held.licensed_app_id, held.holder) held.account_id, held.licensed_app_id,
           held.holder, coalesce(cause.name, '') AS name,
           coalesce(cause.since, held.since) AS since
    FROM cause CROSS JOIN LATERAL (
        SELECT * FROM {HELD} AS license
        WHERE license.organization_id = %(organization)s AND license.holder = cause.serial
          AND license.holder_kind = '{DEVICE}' AND license.account_id = ANY(%(accounts)s::bigint[])
        OFFSET 0) AS held
    JOIN {TITLES} AS title ON title.id = held.licensed_app_id
    LEFT JOIN kept ON kept.licensed_app_id = held.licensed_app_id AND kept.holder = held.holder
    WHERE title.revocable AND coalesce(cause.adam_id, title.adam_id) = title.adam_id
      AND ({{where}}) AND NOT {IS_PROTECTED}
      AND (kept.at IS NULL OR kept.at + interval '{{noticed}}' < coalesce(cause.since, held.since))
      AND (%(networks)s::bigint[] IS NULL OR EXISTS (
          SELECT FROM {DEVICES} AS theirs
          WHERE theirs.organization_id = %(organization)s AND theirs.serial_number = held.holder
            AND theirs.network_id = ANY(%(networks)s)))
    ORDER BY held.licensed_app_id, held.holder, since DESC
"""  # noqa: S608  table names are the models'


@dataclass(frozen=True, slots=True)
class Candidate:
    """A license, and since when the cause is so."""

    account_id: int
    licensed_app_id: int
    holder: str
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """Where is looked: ids of accounts, and of networks; None: all of them."""

    organization_id: int
    accounts: list[int] = field(default_factory=list)
    networks: list[int] | None = None

    @classmethod
    def of_rules(cls, organization_id: int) -> Reach:
        accounts = VppAccount.objects.filter(organization=organization_id)
        return cls(organization_id, [each.pk for each in accounts if not each.takes_no_changes])

    @classmethod
    def of(cls, membership: Membership) -> Reach:
        """What this admin may see."""
        accounts = VppAccount.objects.open_to(membership).values_list("pk", flat=True)
        networks = None
        if not membership.sees_organization:
            networks = list(membership.network_accesses.values_list("network", flat=True))
        return cls(membership.organization_id, list(accounts), networks)


def candidates(reach: Reach, cause: str, days: int, most: int) -> list[Candidate]:
    """What a rule would find now."""
    query, parameters = _query(reach, cause, days)
    return [
        Candidate(*row) for row in returned(f"{query} LIMIT %(most)s", parameters | {"most": most})
    ]


@dataclass(frozen=True, slots=True)
class Count:
    """“would find 34 licenses of 12 devices now”."""

    licenses: int
    devices: int


def count(reach: Reach, cause: str, days: int) -> Count:
    query, parameters = _query(reach, cause, days)
    counted = f"SELECT count(*), count(DISTINCT holder) FROM ({query}) AS found"  # noqa: S608
    return Count(*returned(counted, parameters)[0])


def look(organization_id: int) -> None:
    """Find what there is: rules that are on plan it, of the others it is only said.

    Each cause in its own short transaction; whoever looks at the same time finds the same.
    """
    organization = Organization.objects.get(pk=organization_id)
    settling.settle(organization_id)
    reach = Reach.of_rules(organization_id)
    rules = rules_of(organization_id)
    _let_go_of_rules(organization_id, [cause for cause, rule in rules.items() if rule.is_enabled])
    for rule in sorted(rules.values(), key=lambda rule: not rule.is_enabled):
        _look_for(organization, reach, rule)
    settings, _ = LicensingSettings.objects.get_or_create(organization=organization)
    LicensingSettings.objects.filter(pk=settings.pk).update(reclaims_as_of=timezone.now())


def _let_go_of_rules(organization_id: int, on: Collection[str]) -> None:
    """What a rule had planned that is off by now is only found."""
    planned = Reclaim.objects.filter(
        organization=organization_id, state=State.PLANNED, by_name="", allowed_by=""
    )
    planned.exclude(cause__in=on).update(
        state=State.FOUND, due_at=None, waits_since=None, changed_at=timezone.now()
    )


@transaction.atomic
def _look_for(organization: Organization, reach: Reach, rule: Rule) -> None:
    query, parameters = _query(reach, rule.cause, rule.days)
    now = parameters["now"]
    values = {
        "state": State.PLANNED if rule.is_enabled else State.FOUND,
        "due": now + timedelta(days=rule.grace_days) if rule.is_enabled else None,
    }
    execute("DROP TABLE IF EXISTS pg_temp.candidate", [])
    execute(f"CREATE TEMPORARY TABLE candidate ON COMMIT DROP AS {query}", parameters)
    execute("ANALYZE candidate", [])
    execute(_NO_LONGER, parameters)
    found = returned(_INSERT, parameters | values)
    if rule.is_enabled:
        _record(rule, [(title, holder) for title, holder in found])


def _record(rule: Rule, pairs: list[Pair]) -> None:
    label = str(ReclaimCause(rule.cause).label)
    record_by_title(
        action="reclaim.planned", by=rule_of(label), pairs=pairs, cause=label, days=rule.grace_days
    )


# What a rule that is on finds takes the place of what was only found.
_INSERT = f"""
    INSERT INTO {TABLE} AS reclaim (
        organization_id, account_id, licensed_app_id, holder_kind, holder, holder_name, cause,
        since, state, note, found_at, due_at, by_name, changed_at, changed_by, attempts, allowed_by)
    SELECT %(organization)s, account_id, licensed_app_id, '{DEVICE}', holder, left(name, 200),
           %(cause)s, since, %(state)s, '', %(now)s, %(due)s, '', %(now)s, '', 0, ''
    FROM candidate
    WHERE NOT EXISTS (
        SELECT FROM {BatchItem._meta.db_table} AS item
        WHERE item.licensed_app_id = candidate.licensed_app_id AND item.holder_kind = '{DEVICE}'
          AND item.holder = candidate.holder
          AND item.state IN {tuple(str(state) for state in OPEN_ITEMS)})
    ORDER BY licensed_app_id, holder
    ON CONFLICT (licensed_app_id, holder_kind, holder)
        WHERE state IN {tuple(str(state) for state in Reclaim.OPEN)}
    DO UPDATE SET cause = excluded.cause, since = excluded.since, state = excluded.state,
                  due_at = excluded.due_at, holder_name = excluded.holder_name,
                  found_at = excluded.found_at, changed_at = excluded.changed_at
        WHERE reclaim.state = '{State.FOUND}' AND excluded.state = '{State.PLANNED}'
    RETURNING licensed_app_id, holder
"""  # noqa: S608

_NO_LONGER = f"""
    DELETE FROM {TABLE} AS reclaim
    WHERE organization_id = %(organization)s AND state = '{State.FOUND}' AND cause = %(cause)s
      AND NOT EXISTS (SELECT FROM candidate WHERE candidate.holder = reclaim.holder
                        AND candidate.licensed_app_id = reclaim.licensed_app_id)
"""  # noqa: S608


def _query(reach: Reach, cause: str, days: int) -> tuple[str, dict[str, Any]]:
    how, now = CAUSES[cause], timezone.now()
    query = _CANDIDATES.format(devices=how.devices, where=how.where, noticed=how.noticed)
    parameters = {
        "organization": reach.organization_id,
        "accounts": reach.accounts,
        "networks": reach.networks,
        "cause": cause,
        "now": now,
        "before": now - timedelta(days=days),
    }
    return query, parameters


def devices_known(serials: Collection[str], membership: Membership) -> dict[str, int]:
    """The devices of these serial numbers that this admin may see."""
    ours = Device.objects.visible_to(membership).filter(serial_number__in=serials)
    return {str(serial): pk for serial, pk in ours.values_list("serial_number", "pk")}
