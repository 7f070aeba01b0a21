"""A deleted app's licenses: those that its rule granted go back or stay, and nobody waits for more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Q, QuerySet

from apps_catalog.managing.ending import LicenseChoice
from apps_catalog.models import Installation, ManagedApp
from licensing import batches
from licensing.batches.refusals import NothingToCancel
from licensing.models import Assignment, Batch, BatchItem, BatchKind, ItemState, LicensedApp
from licensing.reclaim.protection import is_protected, protected
from organizations.audit import Actor
from organizations.models import AuditEvent
from users.models import VppUser

DEVICE, USER = Assignment.HolderKind.DEVICE, Assignment.HolderKind.USER
UNSENT = (ItemState.PLANNED, ItemState.WAITING)


def consequences(managed_app: ManagedApp) -> list[str]:
    """What ends with the app, in sentences."""
    told = []
    for title in titles_of(managed_app):
        held = granted_by(managed_app, title).count()
        if held:
            told.append(f"{_licenses(held)} granted because of it in {title.account}{_but(title)}.")
    waiting = unsent_of(managed_app).count()
    if waiting:
        told.append(f"Nobody waits any longer for a license of it: {waiting:,}.")
    installed = Installation.objects.filter(managed_app=managed_app, is_managed=True).count()
    if installed:
        told.append(f"On {installed:,} device{'' if installed == 1 else 's'} it is installed.")
    return told


def _licenses(number: int) -> str:
    return f"{number:,} license{' was' if number == 1 else 's were'}"


def _but(title: LicensedApp) -> str:
    if title.is_irrevocable:
        return ", for good: they stay in any case"
    if title.account.takes_no_changes:
        return ", which takes no changes at present: they stay in any case"
    return ""


def end_rule(managed_app: ManagedApp, choice: str, by: Actor) -> None:
    """Call it in the transaction in which the app goes, before it does."""
    for batch in Batch.objects.filter(pk__in=unsent_of(managed_app).values("batch")):
        try:
            batches.cancel(by=by, batch=batch)
        except NothingToCancel:
            continue  # a worker is sending it just now
    if choice == LicenseChoice.NOW:
        for title in titles_of(managed_app):
            if title.revocable and not title.account.takes_no_changes:
                _take_back(managed_app, title, by)


def titles_of(managed_app: ManagedApp) -> QuerySet[LicensedApp]:
    titles = LicensedApp.objects.filter(
        organization=managed_app.organization_id, adam_id=managed_app.adam_id
    )
    return titles.present().select_related("account", "app").order_by("account__name", "pk")


def granted_by(managed_app: ManagedApp, title: LicensedApp) -> QuerySet[Assignment]:
    return Assignment.objects.filter(
        account=title.account_id,
        licensed_app=title,
        origin=Assignment.Origin.RULE,
        rule_id=managed_app.pk,
    )


def unsent_of(managed_app: ManagedApp) -> QuerySet[BatchItem]:
    """Grants that its rule asked for, and Apple has not heard of."""
    of_rule = Q(batch__actor_kind=AuditEvent.ActorKind.RULE, batch__actor_id=managed_app.pk)
    items = BatchItem.objects.filter(of_rule, organization=managed_app.organization_id)
    return items.filter(kind=BatchKind.GRANT, state__in=UNSENT)


def _take_back(managed_app: ManagedApp, title: LicensedApp, by: Actor) -> None:
    serials, people = _holders(managed_app, title)
    users = VppUser.objects.filter(account=title.account_id, client_user_id__in=people)
    if not serials and not users:
        return
    why = f"{managed_app} was deleted from {managed_app.network}."
    wish = batches.wish_for(
        kind=BatchKind.REVOKE,
        titles=[title],
        serials=serials,
        users=list(users.values_list("pk", flat=True)),
        why=why,
    )
    # Without a membership: as the rule could take it back, so may whoever ends the rule.
    plan = batches.make_plan(by=by, membership=None, account=title.account, wish=wish)
    batches.start(by=by, membership=None, plan=plan)


def _holders(managed_app: ManagedApp, title: LicensedApp) -> tuple[list[str], list[str]]:
    """Serial numbers and client user ids: not protected, and not served by another app as well."""
    kept = protected(managed_app.organization_id)
    rows = granted_by(managed_app, title).values_list("holder_kind", "holder")
    free = [
        (kind, holder)
        for kind, holder in rows
        if not is_protected(kept, kind, holder, title.adam_id)
    ]
    serials = [holder for kind, holder in free if kind == DEVICE]
    people = [holder for kind, holder in free if kind == USER]
    return serials, list(_wanted_by_no_other(managed_app, title, people))


def _wanted_by_no_other(
    managed_app: ManagedApp, title: LicensedApp, people: Sequence[str]
) -> Iterator[str]:
    """A person may have another device that the same app of another network is for."""
    elsewhere = Installation.objects.filter(
        organization=managed_app.organization_id,
        managed_app__adam_id=managed_app.adam_id,
        managed_app__purchase_method=managed_app.purchase_method,
        is_wanted=True,
    ).exclude(managed_app=managed_app)
    users: Iterable[str] = (
        VppUser.objects.filter(
            account=title.account_id,
            client_user_id__in=people,
            owner__in=elsewhere.values("device__owner"),
        ).values_list("client_user_id", flat=True)
        if people
        else ()
    )
    wanted = set(users)
    return (person for person in people if person not in wanted)
