"""Whether there is a license, or what keeps Apple from being asked for one."""

from __future__ import annotations

from datetime import datetime

from apps_catalog.models import InstallationState, PurchaseMethod
from apps_catalog.reasons import Reason, Stage
from apps_catalog.requirements import AppFacts, DeviceFacts, why_not
from licensing.automation.sources import Source, why_no_source
from licensing.holders import BY
from licensing.models import Assignment, BatchKind, ItemState
from licensing.models.apps import UNLIMITED
from licensing.why.cases import Case
from licensing.why.steps import Detail, Step, Verdict
from users.states import RETIRED

SOON = "Apple is asked for a license within a minute."
WITHOUT = {
    PurchaseMethod.NONE: "This app needs no VPP license.",
    PurchaseMethod.CODES: "This app is handed out with redemption codes, so Apple gives no license.",
}


def license_step(case: Case) -> Step:
    if not case.app.needs_license:
        return _without_license(case)
    if case.assignment:
        return _held(case, case.assignment)
    item = case.item
    if item and item.kind == BatchKind.GRANT and item.state == ItemState.WAITING:
        return _waiting(case)
    if item and item.kind == BatchKind.GRANT and item.state in ASKED:
        return Step(
            *(Stage.LICENSE, Verdict.OK, "A license was asked for."),
            as_of=item.changed_at,
            details=sources(case),
        )
    reason = _why_none(case)
    return _wrong(case, reason) if reason else _soon(case)


ASKED = (ItemState.PLANNED, ItemState.SENT, ItemState.FAILED)


def _without_license(case: Case) -> Step:
    if _noted(case) == Reason.NO_CODE:
        return _wrong(case, Reason.NO_CODE)
    return Step(Stage.LICENSE, Verdict.OK, WITHOUT[PurchaseMethod(case.app.purchase_method)])


def _held(case: Case, assignment: Assignment) -> Step:
    holder = case.device if assignment.holder_kind == "device" else case.device.owner
    if _noted(case) == Reason.OWNER_NOT_ASSOCIATED:
        return _wrong(case, Reason.OWNER_NOT_ASSOCIATED)
    by = BY[Assignment.Origin(assignment.origin)]
    account = case.name_of(assignment.account_id)
    return Step(
        *(Stage.LICENSE, Verdict.OK, f"{holder} holds a license from {account}. {by}."),
        as_of=assignment.since,
        details=sources(case),
    )


def _waiting(case: Case) -> Step:
    place, waiting = case.queue
    told = f" It is number {place:,} of {waiting:,} waiting." if place else ""
    return _wrong(case, Reason.NO_LICENSE, told)


def _wrong(case: Case, reason: Reason, more: str = "") -> Step:
    return Step(
        *(Stage.LICENSE, Verdict.WRONG, case.told(reason) + more),
        as_of=_counted_at(case),
        fix=case.fix_of(reason),
        details=sources(case),
    )


def _soon(case: Case) -> Step:
    return Step(
        *(Stage.LICENSE, Verdict.WAITS, SOON),
        as_of=case.installation.since if case.installation else None,
        details=sources(case),
    )


def _counted_at(case: Case) -> datetime | None:
    return min((title.counts_as_of for title in case.titles.rows), default=None)


# --- What is in the way -----------------------------------------------------------------------------


def _why_none(case: Case) -> Reason | None:
    """The first that keeps a rule, or a person, from asking Apple."""
    return (
        why_not(_app_facts(case), _device_facts(case), case.app.purchase_method)
        or _why_nobody(case)
        or why_no_source(
            *(case.sources, case.app.network_id, case.device.platform),
            to_devices=case.app.purchase_method == PurchaseMethod.DEVICE,
        )
        or _why_not_yet(case)
    )


def _app_facts(case: Case) -> AppFacts:
    return AppFacts.of(case.app.platform, case.app.app)


def _device_facts(case: Case) -> DeviceFacts:
    device = case.device
    has_serial = bool(device.serial_number)
    return DeviceFacts(device.platform, device.os_version, has_serial, device.supervised)


def _why_nobody(case: Case) -> Reason | None:
    """Of licenses for people: whether the owner can hold one."""
    if case.app.purchase_method != PurchaseMethod.USER:
        return None
    if case.device.owner_id is None:
        return Reason.NO_OWNER
    people = [case.people.get(account.pk) for account in case.accounts]
    known = [person for person in people if person]
    if not known:
        return Reason.OWNER_NOT_IN_ACCOUNT
    return Reason.OWNER_RETIRED if all(p.apple_status in RETIRED for p in known) else None


def _why_not_yet(case: Case) -> Reason | None:
    app, row = case.app, case.installation
    if case.is_paused:
        return Reason.PAUSED
    if not app.grants_automatically and not (row and row.asked_at):
        return Reason.NOT_ASKED
    if all(source.free == 0 for source in case.sources):
        return Reason.NO_LICENSE
    return _noted(case)


def _noted(case: Case) -> Reason | None:
    """What automatic licensing wrote down, where it is about licenses and still holds it up."""
    row = case.installation
    blocked = row is not None and (row.state == InstallationState.BLOCKED or row.reason)
    if not blocked or row is None or row.reason not in set(Reason):
        return None
    reason = Reason(row.reason)
    return reason if reason.stage == Stage.LICENSE else None


# --- The accounts -----------------------------------------------------------------------------------


def sources(case: Case) -> tuple[Detail, ...]:
    """Account by account, in their order; those that are not open to this admin without numbers."""
    return tuple(_source(case, source) for source in case.sources)


def _source(case: Case, source: Source) -> Detail:
    name = case.name_of(source.account_id)
    if source.account_id not in case.open_ids:
        return Detail(f"{name[:1].upper()}{name[1:]}")
    title = case.title(source)
    to_devices = case.app.purchase_method == PurchaseMethod.DEVICE
    why = source.why_not(case.app.network_id, case.device.platform, to_devices=to_devices)
    if why:
        return Detail(why.told(**case.names | {"accounts": name}))
    if title is None or source.free is None or title.total_count >= UNLIMITED:
        return Detail(f"{name}: unlimited", title.counts_as_of if title else None)
    free = f"{name}: {source.free:,} of {title.total_count:,} licenses can be given out"
    return Detail(free, title.counts_as_of)
