"""What is done to codes after the import: shown, said to be redeemed, taken back, deleted."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from apps_catalog.codes.letters import key_of
from apps_catalog.codes.opening import code_text
from apps_catalog.codes.refusals import NoneChosen
from apps_catalog.managing.editing import locked
from apps_catalog.models import ManagedApp, RedemptionCode
from organizations import audit
from organizations.audit import Actor
from organizations.outbox import give_up

State = RedemptionCode.State
TAKEN_BACK = "The code was taken back before the mail was sent."


@transaction.atomic
def show(*, by: Actor, code: RedemptionCode) -> str:
    """The code itself, which no other way leads to."""
    audit.record(
        "redemption_code.shown",
        by=by,
        organization=code.organization,
        target=code,
        after=_about(code.managed_app),
    )
    return code_text(code)


@transaction.atomic
def mark_redeemed(*, by: Actor, managed_app: ManagedApp, code_ids: Iterable[int]) -> int:
    """Also one that was never handed out: whoever was shown it may have used it."""
    codes = _chosen(managed_app, code_ids, (State.UNUSED, State.HANDED_OUT), "not redeemed yet")
    _update(codes, state=State.REDEEMED, redeemed_at=timezone.now(), changed_by=by.name[:254])
    audit.record_each(
        action="redemption_code.redeemed",
        by=by,
        organization=managed_app.organization,
        targets=codes,
        after=_about(managed_app),
    )
    return len(codes)


@transaction.atomic
def take_back(*, by: Actor, managed_app: ManagedApp, code_ids: Iterable[int]) -> int:
    """A mail that has not gone out yet stays here. One that has: the code may still be redeemed."""
    codes = _chosen(managed_app, code_ids, (State.HANDED_OUT,), "handed out and not redeemed")
    keys = [key_of(code) for code in codes]
    give_up(organization_id=managed_app.organization_id, keys=keys, why=TAKEN_BACK)
    _update(
        codes,
        state=State.UNUSED,
        owner=None,
        email="",
        handed_out_at=None,
        mail_problem="",
        changed_by=by.name[:254],
    )
    audit.record_each(
        action="redemption_code.taken_back",
        by=by,
        organization=managed_app.organization,
        targets=codes,
        after=_about(managed_app),
    )
    return len(codes)


@transaction.atomic
def delete_unused(*, by: Actor, managed_app: ManagedApp, code_ids: Iterable[int]) -> int:
    codes = _chosen(managed_app, code_ids, (State.UNUSED,), "unused")
    audit.record(
        "redemption_code.deleted",
        by=by,
        organization=managed_app.organization,
        target=managed_app,
        after={"codes": len(codes), "network": str(managed_app.network)},
    )
    RedemptionCode.objects.filter(pk__in=[code.pk for code in codes]).delete()
    return len(codes)


def _chosen(
    managed_app: ManagedApp, code_ids: Iterable[int], states: tuple[State, ...], wanted: str
) -> list[RedemptionCode]:
    """Others that were chosen are passed over. The app first, as whoever hands out does."""
    managed_app = locked(managed_app)
    codes = RedemptionCode.objects.filter(managed_app=managed_app, pk__in=list(code_ids))
    found = list(codes.filter(state__in=states).select_for_update(no_key=True).order_by("pk"))
    if not found:
        raise NoneChosen(wanted)
    return found


def _update(codes: Iterable[RedemptionCode], **fields: object) -> None:
    RedemptionCode.objects.filter(pk__in=[code.pk for code in codes]).update(**fields)


def _about(managed_app: ManagedApp) -> dict[str, str]:
    return {"app": str(managed_app), "network": str(managed_app.network)}
