"""When an organization is deleted: what is waiting is cancelled, and licenses go back if that is asked.

A worker begins the batches, title by title and in parts, since an organization may hold millions of
licenses. A title is done when one of these batches names it, so the work goes on after any interruption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from licensing.batches.pauses import reason_to_stop
from licensing.batches.tallies import tally
from licensing.batches.waking import wake
from licensing.models import (
    Assignment,
    Batch,
    BatchItem,
    BatchKind,
    BatchState,
    ItemState,
    LicensedApp,
)
from organizations import audit, tenancy
from organizations.audit import Actor
from organizations.bulk import execute, returned
from organizations.models import Membership, Organization
from vpp_accounts.models import VppAccount

log = structlog.get_logger(__name__)

WHY = "The organization is deleted."
CANCELLED = "Cancelled: the organization was deleted."
UNDONE = "Cancelled: the deletion was undone."
AT_A_TIME = 100_000  # licenses in one batch, unless a single title has more
ITEMS, HELD = BatchItem._meta.db_table, Assignment._meta.db_table


# --- What is said before --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """What an account's location holds now. `obstacle`: why nothing of it can be taken back."""

    account: VppAccount
    revocable: int = 0
    permanent: int = 0
    obstacle: str = ""
    is_known: bool = True  # to whoever asks


def held(membership: Membership) -> list[Held]:
    """Of every account of the organization; of those closed to this admin no numbers. Three statements."""
    every = VppAccount.objects.visible_to(membership)
    managed = set(VppAccount.objects.manageable_by(membership).values_list("pk", flat=True))
    counts = _counts(managed)
    return [_held(account, account.pk in managed, counts) for account in every]


NOT_YOURS = "You are not among its allowed admins; its licenses stay assigned."


def _held(account: VppAccount, is_managed: bool, counts: dict[int, tuple[int, int]]) -> Held:
    if not is_managed:
        return Held(account, obstacle=NOT_YOURS, is_known=False)
    revocable, permanent = counts.get(account.pk, (0, 0))
    return Held(account, revocable, permanent, reason_to_stop(account))


def _counts(account_ids: set[int]) -> dict[int, tuple[int, int]]:
    """Title by title first, so that millions of licenses are counted along their index."""
    licenses = Assignment.objects.filter(account__in=account_ids)
    by_title = dict(
        licenses.order_by()
        .values_list("licensed_app")
        .annotate(n=Count("*"))
        .values_list("licensed_app", "n")
    )
    counts: dict[int, tuple[int, int]] = {}
    titles = LicensedApp.objects.filter(pk__in=by_title)
    for pk, account_id, revocable in titles.values_list("pk", "account", "revocable"):
        back, stay = counts.get(account_id, (0, 0))
        n = by_title[pk]
        counts[account_id] = (back + n, stay) if revocable else (back, stay + n)
    return counts


# --- When it is deleted ---------------------------------------------------------------------------


@transaction.atomic
def cancel_all(organization: Organization, why: str = CANCELLED) -> int:
    """Whatever Apple has not been asked for; answers how many items. What is sent runs to its end."""
    accounts = list(organization.vpp_accounts.values_list("pk", flat=True))
    rows = returned(_CANCEL, {"accounts": accounts, "why": why, "now": timezone.now()})
    touched = [batch_id for batch_id, _ in rows]
    unfinished = Batch.objects.filter(pk__in=touched, state__in=Batch.UNFINISHED)
    unfinished.update(state=BatchState.CANCELLED, reason=why)
    tally(touched)
    return sum(number for _, number in rows)


# Items that a worker is just marking as sent are sent.
_CANCEL = f"""
    WITH cancelled AS (
        UPDATE {ITEMS} SET state = '{ItemState.CANCELLED}', message = %(why)s, changed_at = %(now)s
        WHERE id IN (
            SELECT id FROM {ITEMS}
            WHERE account_id = ANY(%(accounts)s)
              AND (state = '{ItemState.PLANNED}' AND attempts = 0 OR state = '{ItemState.WAITING}')
            ORDER BY id FOR UPDATE SKIP LOCKED)
        RETURNING batch_id)
    SELECT batch_id, count(*) FROM cancelled GROUP BY batch_id
"""  # noqa: S608  table names are the models'


def begin_all() -> int:
    """Every organization's batches that are still to be begun; answers how many were."""
    asked = Organization.objects.using("system").filter(
        takes_licenses_back=True, deletion_asked_at__isnull=False, suspended_at=None
    )
    return sum(begin_for(organization_id) for organization_id in asked.values_list("pk", flat=True))


def begin_for(organization_id: int) -> int:
    begun = 0
    with tenancy.inside(organization_id):
        while begin_next(organization_id):
            begun += 1
    return begun


@transaction.atomic
def begin_next(organization_id: int) -> Batch | None:
    """The next titles of the next account; None when nothing can be begun now."""
    asked = Organization.objects.select_for_update(no_key=True)
    organization = asked.filter(
        pk=organization_id, takes_licenses_back=True, deletion_asked_at__isnull=False
    ).first()
    if organization is None:
        return None
    membership, is_all = _asker(organization), True
    for account in VppAccount.objects.manageable_by(membership) if membership else ():
        if membership and not reason_to_stop(account) and (titles := _next_titles(account)):
            by = Actor.of_admin(membership.admin)
            if batch := _begin(organization, account, titles, by):
                return batch
            is_all = False
    if is_all:
        Organization.objects.filter(pk=organization_id).update(takes_licenses_back=False)
    return None


def _asker(organization: Organization) -> Membership | None:
    """Whoever deleted it; only what they may manage is taken back."""
    members = Membership.objects.full().select_related("admin", "organization")
    return members.filter(
        organization=organization, admin__email=organization.deletion_asked_by
    ).first()


def _next_titles(account: VppAccount) -> list[int]:
    ours = Batch.objects.filter(
        account=account, why=WHY, created_at__gte=account.organization.deletion_asked_at
    )
    begun = BatchItem.objects.filter(batch__in=ours, licensed_app=OuterRef("pk"))
    licenses = Assignment.objects.filter(account=account, licensed_app=OuterRef("pk"))
    left = LicensedApp.objects.filter(
        ~Exists(begun), Exists(licenses), account=account, revocable=True
    )
    counted = Assignment.objects.filter(
        account=account, licensed_app__in=list(left.values_list("pk", flat=True))
    )
    chosen: list[int] = []
    room = AT_A_TIME
    for title, number in (
        counted.order_by("licensed_app").values_list("licensed_app").annotate(n=Count("*"))
    ):
        if chosen and number > room:
            break
        chosen.append(title)
        room -= number
    return chosen


def _begin(
    organization: Organization, account: VppAccount, titles: Sequence[int], by: Actor
) -> Batch | None:
    batch = Batch.objects.create(
        organization=organization,
        account=account,
        kind=BatchKind.REVOKE,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.name[:254],
        why=WHY,
        about=f"All licenses of {len(titles):,} title{'' if len(titles) == 1 else 's'}",
    )
    number = execute(_FILL, {"batch": batch.pk, "titles": list(titles), "now": timezone.now()})
    if not number:
        batch.delete()  # all of it is under way just now; the sweep comes again
        return None
    facts: dict[str, Any] = {"kind": batch.kind, "about": batch.about, "why": WHY, "go": number}
    audit.record("batch.started", by=by, organization=organization, target=batch, after=facts)
    tally([batch.pk])
    wake(account)
    return batch


# Holder by holder, so that a stretch of items makes few and large requests.
_FILL = f"""
    INSERT INTO {ITEMS} (organization_id, account_id, batch_id, kind, priority, licensed_app_id,
                         holder_kind, holder, state, message, attempts, caution, changed_at)
    SELECT batch.organization_id, batch.account_id, batch.id, batch.kind, 0, held.licensed_app_id,
           held.holder_kind, held.holder, '{ItemState.PLANNED}', '', 0, 0, %(now)s
    FROM {HELD} AS held, {Batch._meta.db_table} AS batch
    WHERE batch.id = %(batch)s AND held.account_id = batch.account_id
      AND held.licensed_app_id = ANY(%(titles)s)
    ORDER BY held.holder, held.holder_kind, held.licensed_app_id
    ON CONFLICT DO NOTHING
"""  # noqa: S608
