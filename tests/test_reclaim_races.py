"""Two who decide about the same license at the same moment: exactly one wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from celery.app.task import Task
from django.db import connections
from django.utils import timezone

from licensing.models import BatchItem, LicensedApp, Reclaim
from licensing.reclaim import choosing, starting
from licensing.reclaim.refusals import TooLate
from organizations.audit import Actor
from organizations.models import Admin
from tests import factories
from vpp_accounts.models import VppAccount

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = 5


@pytest.fixture(autouse=True)
def _nobody_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Task, "apply_async", lambda *args, **options: None)


@pytest.fixture
def title(account: VppAccount) -> LicensedApp:
    found: LicensedApp = factories.LicensedAppFactory(account=account)
    for number in range(NUMBER):
        factories.AssignmentFactory(licensed_app=found, holder=f"S{number}")
        Reclaim.objects.create(
            organization=account.organization,
            account=account,
            licensed_app=found,
            holder_kind="device",
            holder=f"S{number}",
            cause="deleted",
            due_at=timezone.now(),
        )
    return found


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each answered, or the refusal that it met."""
    answers: list[Any] = [None] * len(acts)
    barrier = threading.Barrier(len(acts))

    def run(place: int, act: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            answers[place] = act()
        except TooLate as late:
            answers[place] = late
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_undo_while_the_sweep_starts_it(title: LicensedApp, owner: Admin, by: Actor) -> None:
    membership = owner.memberships.get()
    organization_id = title.organization_id
    rows = Reclaim.objects.filter(organization=organization_id)

    kept, _ = at_once(
        lambda: choosing.keep(by=by, membership=membership, rows=rows),
        lambda: starting.work(organization_id),
    )

    states = list(rows.order_by("pk").values_list("holder", "state"))
    taken = set(BatchItem.objects.values_list("holder", flat=True))
    assert {state for _, state in states} <= {"undone", "started", "planned"}
    assert taken == {holder for holder, state in states if state == "started"}
    undone = [holder for holder, state in states if state == "undone"]
    assert len(undone) == (0 if isinstance(kept, TooLate) else kept)


def test_two_sweeps_take_each_license_once(title: LicensedApp) -> None:
    organization_id = title.organization_id

    at_once(*[lambda: starting.work(organization_id)] * 3)

    items = list(BatchItem.objects.order_by("holder").values_list("holder", "state"))
    assert items == [(f"S{number}", "planned") for number in range(NUMBER)]
    assert set(Reclaim.objects.values_list("state", flat=True)) == {"started"}


def test_who_undoes_first_keeps_it_and_who_comes_later_is_too_late(
    title: LicensedApp, owner: Admin, by: Actor
) -> None:
    membership = owner.memberships.get()
    rows = Reclaim.objects.filter(organization=title.organization_id)
    choosing.keep(by=by, membership=membership, rows=rows.filter(holder="S0"))

    starting.work(title.organization_id)

    assert set(BatchItem.objects.values_list("holder", flat=True)) == {"S1", "S2", "S3", "S4"}
    with pytest.raises(TooLate):
        choosing.keep(by=by, membership=membership, rows=rows.filter(holder="S1"))
