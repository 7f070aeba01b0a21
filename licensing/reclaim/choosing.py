"""What a person decides about what was found: keep it, or let so much go at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from licensing.batches.planning import Wish
from licensing.models import LicensedApp, Reclaim
from licensing.reclaim.refusals import (
    MoreWaits,
    NobodyChosen,
    NothingToTake,
    NothingWaits,
    SeveralAccounts,
    TooLate,
)
from licensing.reclaim.starting import held_of, wish_of
from licensing.reclaim.telling import Pair, record_by_title, refuse_all_but_full
from licensing.reclaim.waking import wake
from organizations.audit import Actor
from organizations.models import Membership
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import in_short, refuse_strangers

State = Reclaim.State
TO_BE_TAKEN = (State.FOUND, State.PLANNED)


@transaction.atomic
def keep(*, by: Actor, membership: Membership, rows: QuerySet[Reclaim]) -> int:
    """Rules pass over these until the same happens again; answers how many. What a batch is taking
    back at this moment is too late to keep."""
    theirs = _theirs(membership, rows)
    pairs = _end(by, theirs, state=State.UNDONE)
    if not pairs:
        raise TooLate
    record_by_title(action="reclaim.kept", by=by, pairs=pairs)
    return len(pairs)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be taken back now, as a wish for a plan."""

    account: VppAccount
    wish: Wish


def take_now(*, membership: Membership, rows: QuerySet[Reclaim]) -> Chosen:
    """Licenses of one account, since a plan and a batch are about one."""
    found = list(_theirs(membership, rows).filter(state__in=TO_BE_TAKEN).order_by("pk"))
    if not found:
        raise NothingToTake
    accounts = list(VppAccount.objects.filter(pk__in={row.account_id for row in found}))
    if len(accounts) > 1:
        raise SeveralAccounts(in_short(sorted(account.name for account in accounts), 3))
    return Chosen(accounts[0], wish_of(found, why="From VPP > Reclaim."))


def _theirs(membership: Membership, rows: QuerySet[Reclaim]) -> QuerySet[Reclaim]:
    """Refused where none of them is theirs to change."""
    first = rows.select_related("account").first()
    if first is None:
        raise NobodyChosen
    theirs = rows.filter(pk__in=Reclaim.objects.writable_by(membership).values("pk"))
    if not theirs.exists():
        refuse_strangers(first.account, membership)
        raise NothingToTake
    return theirs


# --- Decisions ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """Of a title so much would go at once that somebody has to say so."""

    title: LicensedApp
    number: int
    held: int
    since: datetime


def waiting_for_decision(membership: Membership) -> list[Waiting]:
    rows = Reclaim.objects.visible_to(membership).waiting().order_by()
    counted = rows.values_list("licensed_app").annotate(n=Count("*"), since=Min("waits_since"))
    found = {pk: (number, since) for pk, number, since in counted}
    held = held_of(list(found))
    titles = LicensedApp.objects.filter(pk__in=found).select_related("app", "account")
    return [
        Waiting(title, found[title.pk][0], held.get(title.pk, 0), found[title.pk][1])
        for title in titles.order_by("app__name", "pk")
    ]


@transaction.atomic
def decide(
    *, by: Actor, membership: Membership, title: LicensedApp, allow: bool, shown: int
) -> int:
    """Let go what waits of a title, at most as many as were shown, or keep it; answers how many. What
    is found later is asked again."""
    refuse_all_but_full(membership)
    refuse_strangers(title.account, membership)
    rows = Reclaim.objects.filter(licensed_app=title).waiting()
    changes: dict[str, Any] = {"allowed_by": by.name[:254]} if allow else {"state": State.UNDONE}
    pairs = _end(by, rows, **changes)
    if not pairs:
        raise NothingWaits
    if allow and len(pairs) > shown:
        raise MoreWaits(len(pairs))
    if allow:
        record_by_title(action="reclaim.allowed", by=by, pairs=pairs)
        wake(title.organization_id)
    else:
        record_by_title(action="reclaim.kept", by=by, pairs=pairs)
    return len(pairs)


def _end(by: Actor, rows: QuerySet[Reclaim], **changes: Any) -> list[Pair]:
    """Of those that nobody has started meanwhile: a batch holds the rows that it takes."""
    waiting = rows.filter(state__in=TO_BE_TAKEN).order_by("pk")
    locked = list(
        waiting.select_for_update(of=("self",), no_key=True).values_list(
            "pk", "licensed_app", "holder"
        )
    )
    still = Reclaim.objects.filter(pk__in=[pk for pk, _, _ in locked], state__in=TO_BE_TAKEN)
    still.update(changed_at=timezone.now(), changed_by=by.name[:254], **changes)
    return [(title, holder) for _, title, holder in locked]
