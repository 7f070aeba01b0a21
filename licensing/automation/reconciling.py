"""One app: licenses follow its scope. Level-triggered: it looks at what is so, however it came about."""

from __future__ import annotations

from collections import Counter, defaultdict

from django.db import transaction

from apps_catalog.models import InstallationState, ManagedApp, PurchaseMethod
from licensing.automation import acting, excess, steps
from licensing.automation.acting import Act
from licensing.automation.asking import Asking, plan_asking
from licensing.automation.excess import Due
from licensing.automation.facts import Place, known_of, rows_of
from licensing.automation.guard import too_many
from licensing.automation.holds import permit, withdraw
from licensing.automation.sources import Titles
from licensing.automation.standing import plan_states
from licensing.automation.words import MOVED, NO_LONGER_WANTED
from licensing.leases import Hold
from licensing.models import Assignment, BatchKind
from vpp_accounts.models import VppAccount

# What the device's half goes on with.
FOR_DEVICES = (InstallationState.LICENSED, InstallationState.RECLAIMED)


def reconcile(app: ManagedApp, place: Place, hold: Hold, *, thoroughly: bool) -> bool:
    """Ask for what is missing and take back what nobody wants, then write down how it stands.

    Answers whether something waits for devices now.
    """
    titles = Titles.of(app.organization_id, app.adam_id)
    rows = rows_of(app, titles, thoroughly=thoroughly)
    if thoroughly or any(not row.is_wanted for row in rows):
        with hold.transaction():
            excess.note(app, titles)
        steps.reached(steps.NOTED)
        _take_back(app, titles, place, hold)
    if thoroughly:
        acting.follow_priority(app, titles, hold)
    known = known_of(app, titles, place, rows)
    asking = plan_asking(rows, known)
    if asking:
        _ask(app, asking, hold)
        known = known_of(app, titles, place, rows)
    reached = acting.carry_out(plan_states(rows, known), hold)
    acting.forget_ended(app, hold)
    return not reached.isdisjoint(FOR_DEVICES)


def _ask(app: ManagedApp, asking: Asking, hold: Hold) -> None:
    acting.cancel(asking.off, NO_LONGER_WANTED, hold)
    acting.cancel(asking.moved, MOVED, hold)
    steps.reached(steps.CALLED_OFF)
    to_people = app.purchase_method == PurchaseMethod.USER
    for title_id, holders in asking.grants.items():
        hold.update()
        acting.begin(app, Act(BatchKind.GRANT, title_id, holders, to_people))
        steps.reached(steps.GRANTING)


def _take_back(app: ManagedApp, titles: Titles, place: Place, hold: Hold) -> None:
    if not app.revokes_automatically or app.paused_at or place.is_paused:
        return
    due = _possible(excess.due(app, titles))
    many = too_many(Counter(each.title_id for each in due))
    hold.update()
    with transaction.atomic():
        if not many:
            withdraw(app)
        elif not permit(app, [each.holder for each in due], sum(many.values())):
            return
        for act in _acts(due):
            acting.begin(app, act)
    if due:
        steps.reached(steps.REVOKING)


def _possible(due: list[Due]) -> list[Due]:
    """Not at accounts that take no changes now."""
    accounts = VppAccount.objects.in_bulk({each.account_id for each in due})
    ready = {pk for pk, account in accounts.items() if not account.takes_no_changes}
    return [each for each in due if each.account_id in ready]


def _acts(due: list[Due]) -> list[Act]:
    """Of an app that once drew for people and now for devices, both kinds may go back."""
    holders: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for each in due:
        holders[each.title_id, each.holder_kind].append(each.holder)
    people = Assignment.HolderKind.USER
    return [
        Act(BatchKind.REVOKE, title_id, names, kind == people)
        for (title_id, kind), names in holders.items()
    ]
