"""Holders that no inventory knows: serial numbers without a device, client users without an owner.

To find them, the holders of an organization are walked name by name along an index, and a name costs
the same however many licenses it holds. With 200,000 names that takes seconds, so what took long is
kept for a while.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.core.cache import cache
from django.utils import timezone

from licensing import batches
from licensing.batches.planning import Wish
from licensing.models import Assignment, BatchKind, LicensedApp
from licensing.models.assignments import AssignmentQuerySet
from organizations.bulk import returned
from organizations.models import Device, Owner
from users.models import VppUser
from vpp_accounts.models import VppAccount

MOST = 5000  # of one account and kind, and of all together: more are found when these are gone
QUICK = 0.3  # seconds: what took longer is kept
KEPT = timedelta(minutes=30)  # longer than from sync to sync, each of which looks again

HELD, DEVICES = Assignment._meta.db_table, Device._meta.db_table
USERS, OWNERS = VppUser._meta.db_table, Owner._meta.db_table

Key = tuple[int, str]  # account, kind of holder
T = TypeVar("T")

# Serial numbers are compared in the collation of the devices' own index.
_WALK = f"""
    WITH RECURSIVE names AS (
        (SELECT holder FROM {HELD} WHERE organization_id = %(organization)s
         ORDER BY holder LIMIT 1)
        UNION ALL
        SELECT (SELECT held.holder FROM {HELD} AS held
                WHERE held.organization_id = %(organization)s AND held.holder > names.holder
                ORDER BY held.holder LIMIT 1)
        FROM names WHERE names.holder IS NOT NULL
    ), strangers AS MATERIALIZED (
        SELECT holder FROM names
        WHERE holder IS NOT NULL
          AND NOT EXISTS (SELECT FROM {DEVICES} AS device
              WHERE device.organization_id = %(organization)s
                AND device.serial_number = names.holder COLLATE "default")
          AND NOT EXISTS (SELECT FROM {USERS} AS person
              WHERE person.account_id = ANY(%(accounts)s)
                AND person.client_user_id = names.holder COLLATE "default"
                AND (person.owner_id IS NOT NULL OR person.email <> '' AND EXISTS (
                    SELECT FROM {OWNERS} AS owner
                    WHERE owner.organization_id = %(organization)s AND owner.email <> ''
                      AND lower(owner.email) = lower(person.email))))
    )
    SELECT held.account_id, held.holder_kind, strangers.holder
    FROM strangers CROSS JOIN LATERAL (
        SELECT DISTINCT account_id, holder_kind FROM {HELD}
        WHERE organization_id = %(organization)s AND holder = strangers.holder
          AND (%(account)s IS NULL OR account_id = %(account)s)
          AND (%(kind)s IS NULL OR holder_kind = %(kind)s)
    ) AS held
    LIMIT %(most)s
"""  # noqa: S608  table names are the models'


@dataclass(frozen=True, slots=True)
class Survey:
    """The unknown holders, in the order of their names; capped: there are more."""

    found: dict[Key, list[str]]
    is_capped: bool
    as_of: datetime

    def of(self, account: VppAccount, kind: str) -> list[str]:
        return self.found.get((account.pk, kind), [])


def survey(organization_id: int) -> Survey:
    """Of all accounts of the organization."""
    return _kept(_key(organization_id), lambda: _look(organization_id))


def renew(organization_id: int) -> None:
    """Look again, so that nobody waits for it on a page."""
    cache.delete(_key(organization_id))
    survey(organization_id)


def survey_of(account: VppAccount, kind: str) -> Survey:
    """Of one account and kind, where those of the others would leave no room."""
    whole = survey(account.organization_id)
    if not whole.is_capped:
        return whole
    return _kept(
        _key(account.organization_id, account.pk, kind),
        lambda: _look(account.organization_id, account=account.pk, kind=kind),
    )


def licenses_of(account: VppAccount, kind: str, holders: Iterable[str]) -> AssignmentQuerySet:
    """What these hold in this account."""
    return Assignment.objects.filter(
        organization=account.organization_id,
        holder__in=list(holders),
        account=account,
        holder_kind=kind,
    )


def titles_of(account: VppAccount, kind: str, holders: Iterable[str]) -> list[LicensedApp]:
    ids = licenses_of(account, kind, holders).values("licensed_app").distinct()
    return list(LicensedApp.objects.filter(pk__in=ids, account=account).order_by("pk"))


def wish_to_revoke(account: VppAccount, kind: str, holders: Iterable[str]) -> Wish:
    """Everything that these hold in this account."""
    chosen = list(holders)
    is_device = kind == Assignment.HolderKind.DEVICE
    people = VppUser.objects.filter(account=account, client_user_id__in=chosen)
    return batches.wish_for(
        kind=BatchKind.REVOKE,
        titles=titles_of(account, kind, chosen),
        serials=chosen if is_device else (),
        users=() if is_device else people.order_by("pk").values_list("pk", flat=True),
        everything=True,
        why=f"Holders in no inventory, {account.name}.",
    )


def _look(organization_id: int, *, account: int | None = None, kind: str | None = None) -> Survey:
    accounts = VppAccount.objects.filter(organization=organization_id)
    parameters: dict[str, Any] = {
        "organization": organization_id,
        "accounts": list(accounts.values_list("pk", flat=True)),
        "account": account,
        "kind": kind,
        "most": MOST + 1,
    }
    now = timezone.now()
    found: defaultdict[Key, list[str]] = defaultdict(list)
    rows = returned(_WALK, parameters)
    for account_id, holder_kind, holder in rows[:MOST]:
        found[account_id, holder_kind].append(holder)
    return Survey({key: sorted(names) for key, names in found.items()}, len(rows) > MOST, now)


def _key(*place: int | str) -> str:
    return ":".join(map(str, ("unknown-holders", *place)))


def _kept(key: str, look: Callable[[], T]) -> T:
    kept: T | None = cache.get(key)
    if kept is not None:
        return kept
    began = time.monotonic()
    found = look()
    if time.monotonic() - began > QUICK:
        cache.set(key, found, KEPT.total_seconds())
    return found
