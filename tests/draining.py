"""Playing the worker: the engine's turns, with Apple's time and ours moved on between them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import F
from django.test import TestCase
from django.utils import timezone

from licensing import batches
from licensing.models import AppleOperation, Batch, BatchItem, LicensedApp, Writer
from organizations.audit import Actor
from tests.test_sync import run_sync
from users.models import VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

BY = Actor.system("Test")
MOST_TURNS = 60
HALF_A_MINUTE = timedelta(seconds=31)


def synced(account: VppAccount) -> dict[str, LicensedApp]:
    """The titles of the account by their Adam ID, as Apple has them now."""
    run_sync(account, full=True)
    return {title.adam_id: title for title in LicensedApp.objects.filter(account=account)}


def turn(account: VppAccount) -> None:
    """One turn of a worker, with everything due that waits for its time."""
    AppleOperation.objects.filter(account=account, settled_at=None).update(
        next_poll_at=timezone.now(), sent_at=F("sent_at") - HALF_A_MINUTE
    )
    Writer.objects.filter(account=account).update(not_before=None, lease_until=None)
    batches.run(account_id=account.pk)


def drain(account: VppAccount, fake: FakeApple) -> None:
    """Until nothing is under way any more."""
    for _ in range(MOST_TURNS):
        turn(account)
        fake.advance(HALF_A_MINUTE.total_seconds())
        busy = AppleOperation.objects.filter(account=account, settled_at=None).exists()
        planned = BatchItem.objects.filter(account=account, state="planned").exists()
        if not busy and not planned:
            turn(account)  # reads the counts, and serves who waits
            if not BatchItem.objects.filter(account=account, state="planned").exists():
                return
    raise AssertionError("The batches did not come to an end.")


def begin(
    kind: str,
    titles: Iterable[LicensedApp],
    *,
    serials: Iterable[str] = (),
    users: Iterable[VppUser] = (),
    everything: bool = False,
    priority: int = 0,
) -> Batch:
    """Plan and confirm, as a page does in two requests."""
    titles = list(titles)
    wish = batches.wish_for(
        kind=kind,
        titles=titles,
        serials=serials,
        users=users,
        everything=everything,
        priority=priority,
    )
    account = titles[0].account
    plan = batches.make_plan(by=BY, membership=None, account=account, wish=wish)
    with TestCase.captureOnCommitCallbacks(execute=True):
        return batches.start(by=BY, membership=None, plan=plan, confirm_irrevocable=True)


def states(batch: Batch) -> dict[str, str]:
    """Holder -> state, for a batch of one title."""
    items = BatchItem.objects.filter(batch=batch).order_by("pk")
    return dict(items.values_list("holder", "state"))


def at_apple(fake: FakeApple, account: VppAccount) -> set[tuple[str, str]]:
    """(Adam ID, holder) of every assignment that the location has."""
    return {
        (asset.adam_id, name)
        for asset in fake.location(account.uid or "").assets.values()
        for kind in ("serial", "user")
        for name in asset.holders(kind)
    }
