"""What licensing does when a lower app announces something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from apps_catalog import scopes
from apps_catalog.hooks import managed_app_removal, managed_app_removed
from apps_catalog.installations.licenses import register as register_licenses
from apps_catalog.models import ManagedApp
from licensing import tags as ends_with
from licensing.automation import hearing
from licensing.automation.changes import automation_waits
from licensing.batches import inviting, taking_back
from licensing.batches.news import hear
from licensing.batches.outcomes import forget_items
from licensing.batches.registering import register, update
from licensing.batches.starting import invite
from licensing.batches.waking import wake_if_needed, work_waits
from licensing.installations import Answers
from licensing.managing import removal
from licensing.models import OPEN_ITEMS, Assignment, BatchItem, LicensedApp, Writer
from licensing.notifications import event_told
from licensing.reclaim import departures
from licensing.reclaim.waking import look_waits, reclaims_wait
from licensing.tasks import (
    find_reclaims,
    handle_notifications,
    run_automation,
    run_sync,
    take_back_due,
    take_licenses_back,
    work_on_account,
)
from licensing.webhooks import tell_of_sync
from organizations.audit import Actor
from organizations.hooks import (
    deletion_asked,
    deletion_undone,
    device_departure,
    devices_departing,
    network_deletion,
    organization_reopened,
    tag_deletion,
    tags_departing,
)
from organizations.models import Membership, Network, Organization, Tag
from organizations.models.inventory import DeviceQuerySet
from users.hooks import invitations_mailed, invitations_wanted, people_added, people_changed
from users.models import Invitation
from vpp_accounts import hooks
from vpp_accounts.apple.events import Failure
from vpp_accounts.apple.types import Assignment as AppleAssignment
from vpp_accounts.apple.types import ClientUser
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.services import Consequences

# A bell for later than this is the sweep's to ring (vpp_dashboard/celery.py).
SOON = 60
AT_ONCE = "They are invited as they are added."


def connect() -> None:
    register_licenses(Answers())
    work_waits.connect(start_work, dispatch_uid="licensing.start_work")
    hooks.sync_requested.connect(start_sync, dispatch_uid="licensing.start_sync")
    hooks.notification_stored.connect(
        start_handling, dispatch_uid="licensing.start_handling_notifications"
    )
    event_told.connect(settle_batches, dispatch_uid="licensing.settle_batches")
    hooks.sync_ended.connect(tell_webhooks, dispatch_uid="licensing.tell_webhooks")
    hooks.rights_changed.connect(look_again, dispatch_uid="licensing.look_again")
    hooks.account_removal.connect(what_goes, dispatch_uid="licensing.what_goes")
    hooks.account_removed.connect(forget_assignments, dispatch_uid="licensing.forget_assignments")
    people_added.connect(register_at_apple, dispatch_uid="licensing.register_at_apple")
    people_changed.connect(tell_apple, dispatch_uid="licensing.tell_apple")
    invitations_wanted.connect(invite_people, dispatch_uid="licensing.invite_people")
    invitations_mailed.connect(settle_invitations, dispatch_uid="licensing.settle_invitations")
    network_deletion.connect(accounts_losing, dispatch_uid="licensing.accounts_losing")
    tag_deletion.connect(scopes_losing, dispatch_uid="licensing.scopes_losing")
    tags_departing.connect(take_tags_off, dispatch_uid="licensing.take_tags_off")
    deletion_asked.connect(end_batches, dispatch_uid="licensing.end_batches")
    deletion_undone.connect(stop_taking_back, dispatch_uid="licensing.stop_taking_back")
    organization_reopened.connect(go_on, dispatch_uid="licensing.go_on")
    device_departure.connect(licenses_leaving, dispatch_uid="licensing.licenses_leaving")
    devices_departing.connect(reclaim_licenses, dispatch_uid="licensing.reclaim_licenses")
    look_waits.connect(start_looking, dispatch_uid="licensing.start_looking")
    reclaims_wait.connect(start_taking_back, dispatch_uid="licensing.start_taking_back")

    managed_app_removal.connect(what_a_rule_gave, dispatch_uid="licensing.what_a_rule_gave")
    managed_app_removed.connect(end_rule, dispatch_uid="licensing.end_rule")
    automation_waits.connect(start_automation, dispatch_uid="licensing.start_automation")
    hearing.connect()


def start_sync(sender: Any, *, sync_run_id: int, **kwargs: Any) -> None:
    run_sync.delay(sync_run_id=sync_run_id)


def start_handling(sender: Any, *, account_id: int, **kwargs: Any) -> None:
    handle_notifications.delay(account_id=account_id)


def start_work(sender: Any, *, account_id: int, seconds: float, **kwargs: Any) -> None:
    if seconds <= SOON:
        work_on_account.apply_async(kwargs={"account_id": account_id}, countdown=seconds)


def start_automation(sender: Any, *, organization_id: int, seconds: float, **kwargs: Any) -> None:
    run_automation.apply_async(kwargs={"organization_id": organization_id}, countdown=seconds)


def settle_batches(
    sender: Any,
    *,
    account: VppAccount,
    event_id: str,
    assignments: Sequence[AppleAssignment],
    users: Sequence[ClientUser],
    error: Failure | None,
    **kwargs: Any,
) -> None:
    hear(account, event_id, assignments=assignments, users=users, failure=error)


def register_at_apple(
    sender: Any, *, account: VppAccount, user_ids: Sequence[int], by: Actor, **kwargs: Any
) -> int | None:
    batch = register(by=by, account=account, users=user_ids)
    return batch.pk if batch else None


def tell_apple(
    sender: Any, *, account: VppAccount, user_ids: Sequence[int], by: Actor, **kwargs: Any
) -> int | None:
    batch = update(by=by, account=account, users=user_ids)
    return batch.pk if batch else None


def invite_people(
    sender: Any, *, account: VppAccount, user_ids: Sequence[int], by: Actor, **kwargs: Any
) -> int | None:
    batch = invite(by=by, account=account, user_ids=user_ids, why=AT_ONCE)
    return batch.pk if batch else None


def settle_invitations(
    sender: Any, *, outcomes: Sequence[tuple[Invitation, str]], **kwargs: Any
) -> None:
    inviting.hear_of_mails(invitation for invitation, _ in outcomes)


def tell_webhooks(sender: Any, *, run: SyncRun, account: VppAccount, **kwargs: Any) -> None:
    tell_of_sync(run, account)


def look_again(sender: Any, *, account: VppAccount, **kwargs: Any) -> None:
    """What waits for a license may be meant for devices that can get none any more."""
    wake_if_needed(account)


def what_goes(sender: Any, *, account: VppAccount, **kwargs: Any) -> Consequences:
    titles = LicensedApp.objects.filter(account=account).present().count()
    held = Assignment.objects.filter(account=account).aggregate(n=Count("*"))["n"]
    stops = [f"{titles:,} titles and the history of their counts leave this dashboard."]
    under_way = BatchItem.objects.filter(account=account, state__in=OPEN_ITEMS)
    people = under_way.filter(licensed_app=None).values("holder").distinct().count()
    licenses = under_way.exclude(licensed_app=None).count()
    if licenses:
        stops.append(
            f"Licenses that are being changed or waited for, and now no longer: {licenses:,}."
        )
    if people:
        stops.append(
            "People who are being registered, changed, invited or retired, and now no longer:"
            f" {people:,}."
        )
    return Consequences(
        stops=stops,
        stays=[f"{held:,} licenses stay assigned at Apple; nothing is revoked."],
    )


def forget_assignments(sender: Any, *, account: VppAccount, **kwargs: Any) -> None:
    """In one statement each: they hang on the account without a database constraint."""
    forget_items(account.pk)
    Assignment.objects.filter(account=account)._raw_delete(using="default")


def end_batches(sender: Any, *, organization: Organization, **kwargs: Any) -> None:
    taking_back.cancel_all(organization)
    if organization.takes_licenses_back:
        # The broker is a doorbell: if it does not ring, the sweep finds the organization.
        transaction.on_commit(take_licenses_back.delay, robust=True)


def stop_taking_back(sender: Any, *, organization: Organization, **kwargs: Any) -> None:
    """While it was closed nothing else ran in it; what Apple was not asked for stays assigned."""
    taking_back.cancel_all(organization, taking_back.UNDONE)


def go_on(sender: Any, *, organization: Organization, **kwargs: Any) -> None:
    """After the commit, since the worker's transactions begin with these rows (see `wake`)."""
    writers = Writer.objects.filter(organization=organization)
    transaction.on_commit(lambda: writers.update(next_work_at=timezone.now()), robust=True)


def accounts_losing(sender: Any, *, network: Network, **kwargs: Any) -> list[str]:
    """What a network's end means for the VPP accounts that name it."""
    uses = {
        "their assignable networks": VppAccount.objects.filter(assignable_network_list=network),
        "the networks whose admins may manage them": VppAccount.objects.filter(
            allowed_networks=network
        ),
    }
    counts = {what: accounts.count() for what, accounts in uses.items()}
    return [
        f"VPP accounts that lose it from {what}: {count:,}."
        for what, count in counts.items()
        if count
    ]


def licenses_leaving(
    sender: Any,
    *,
    organization: Organization,
    devices: DeviceQuerySet,
    cause: str,
    membership: Membership | None = None,
    **kwargs: Any,
) -> list[str]:
    return departures.consequences(organization, devices, cause, membership)


def reclaim_licenses(
    sender: Any,
    *,
    organization: Organization,
    devices: DeviceQuerySet,
    cause: str,
    choice: str,
    days: int | None,
    by: Actor,
    **kwargs: Any,
) -> None:
    departures.depart(
        organization=organization, devices=devices, cause=cause, choice=choice, days=days, by=by
    )


def start_looking(sender: Any, *, organization_id: int, **kwargs: Any) -> None:
    find_reclaims.delay(organization_id=organization_id)


def start_taking_back(sender: Any, *, organization_id: int, **kwargs: Any) -> None:
    take_back_due.delay(organization_id=organization_id)


def scopes_losing(
    sender: Any, *, tags: Sequence[Tag], membership: Membership, **kwargs: Any
) -> list[str]:
    return ends_with.deletion_sentences(tags, membership)


def take_tags_off(
    sender: Any, *, organization: Organization, tags: Sequence[Tag], by: Actor, **kwargs: Any
) -> None:
    scopes.take_tags_off(by=by, organization=organization, tags=tags)


def what_a_rule_gave(sender: Any, *, managed_app: ManagedApp, **kwargs: Any) -> list[str]:
    return removal.consequences(managed_app)


def end_rule(
    sender: Any, *, managed_app: ManagedApp, choice: str, by: Actor, **kwargs: Any
) -> None:
    removal.end_rule(managed_app, choice, by)
