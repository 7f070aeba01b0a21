"""Licenses that could serve somebody else: found by their causes, taken back by rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from licensing.models import (
    Assignment,
    Automation,
    Batch,
    BatchItem,
    LicensedApp,
    LicensingSettings,
    Reclaim,
)
from licensing.reclaim.finding import Count, Reach, count
from licensing.reclaim.starting import plan_guard
from licensing.reclaim.wanting import kept_back
from organizations import audit
from organizations.audit import Actor
from organizations.models import AuditEvent, Device, Organization
from tests import factories
from tests.draining import at_apple, drain
from tests.reclaiming import (
    DAY,
    bought,
    held,
    look,
    reclaims,
    rule,
    unenrolled,
    work,
    work_through,
)
from tests.test_sync import KEYNOTE, PAGES
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

pytestmark = pytest.mark.usefixtures("bells")


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test rings for itself."""
    from celery.app.task import Task  # noqa: PLC0415

    monkeypatch.setattr(Task, "apply_async", lambda *args, **options: None)


@pytest.fixture
def title(account: VppAccount) -> LicensedApp:
    return factories.LicensedAppFactory(account=account, app__name="Keynote")


def license_of(title: LicensedApp, serial: str, **fields: Any) -> Assignment:
    return factories.AssignmentFactory(licensed_app=title, holder=serial, **fields)


def device(organization: Organization, serial: str, **fields: Any) -> Device:
    return factories.DeviceFactory(organization=organization, serial_number=serial, **fields)


def found(organization: Organization) -> list[tuple[str, str, str]]:
    return [(holder, cause, state) for _, holder, cause, state in reclaims(organization)]


# --- Causes ---------------------------------------------------------------------------------------


def test_a_device_that_was_unenrolled_wiped_or_is_missing(
    organization: Organization, title: LicensedApp
) -> None:
    ago = timezone.now() - 40 * DAY
    unenrolled(organization, "UNENROLLED")
    device(organization, "WIPED", wiped_at=ago)
    device(organization, "MISSING", missing_since=ago)
    device(organization, "MISSING_SINCE_YESTERDAY", missing_since=timezone.now() - DAY)
    device(organization, "AS_IT_SHOULD_BE")
    device(organization, "ENROLLED_AGAIN", unenrolled_at=ago)
    back = device(organization, "BACK_AFTER_THE_WIPE", wiped_at=ago)
    factories.EnrollmentFactory(device=back, enrolled_at=timezone.now())
    for serial in Device.objects.values_list("serial_number", flat=True):
        license_of(title, serial)

    look(organization)

    assert found(organization) == [
        ("MISSING", "missing", "found"),
        ("UNENROLLED", "unenrolled", "found"),
        ("WIPED", "wiped", "found"),
    ]


def test_a_device_that_was_deleted_here_and_is_not_there_again(
    organization: Organization, title: LicensedApp, by: Actor
) -> None:
    for serial in ("GONE", "BACK"):
        row = device(organization, serial, name=f"iPad {serial}")
        audit.record(
            "device.deleted",
            by=by,
            organization=organization,
            target=row,
            before={"serialNumber": serial, "name": row.name},
        )
        row.delete()
        license_of(title, serial)
    license_of(title, "NEVER_HERE")
    device(organization, "BACK")

    look(organization)

    assert found(organization) == [("GONE", "deleted", "found")]
    assert Reclaim.objects.get().holder_name == "iPad GONE"


def test_the_devices_of_an_owner_whom_every_account_has_retired(
    organization: Organization, account: VppAccount, title: LicensedApp
) -> None:
    south = factories.VppAccountFactory(organization=organization)
    owners = factories.OwnerFactory.create_batch(3, organization=organization)
    statuses = (("Retired", "Retired"), ("Retired", "Associated"), ())
    for owner, each in zip(owners, statuses, strict=True):
        for place, status in zip((account, south), each, strict=False):
            factories.VppUserFactory(
                account=place, owner=owner, apple_status=status, retired_at=timezone.now() - DAY
            )
    for number, owner in enumerate(owners):
        device(organization, f"OF{number}", owner=owner)
        license_of(title, f"OF{number}")

    look(organization)

    assert found(organization) == [("OF0", "retired_owner", "found")]


def test_a_license_that_a_rule_granted_where_the_device_no_longer_is(
    organization: Organization, account: VppAccount
) -> None:
    here, there = factories.NetworkFactory.create_batch(2, organization=organization)
    was = factories.ManagedAppFactory(network=here)
    other = factories.ManagedAppFactory(network=here)
    wants = factories.ManagedAppFactory(network=there, app=other.app)
    title = factories.LicensedAppFactory(account=account, app=was.app)
    wanted = factories.LicensedAppFactory(account=account, app=other.app)
    moved = device(organization, "MOVED", network=there)
    left = {"device": moved, "is_wanted": False, "left_at": timezone.now() - DAY}
    for app in (was, other):
        factories.InstallationFactory(managed_app=app, state="licensed", **left)
    factories.InstallationFactory(managed_app=wants, device=moved)
    license_of(title, "MOVED", origin="rule", rule_id=was.pk)
    license_of(wanted, "MOVED", origin="rule", rule_id=other.pk)
    device(organization, "BY_HAND", network=there)
    license_of(title, "BY_HAND")

    look(organization)

    assert reclaims(organization) == [(title.adam_id, "MOVED", "moved", "found")]


def test_an_app_that_was_never_installed(organization: Organization, account: VppAccount) -> None:
    app = factories.ManagedAppFactory(network__organization=organization)
    title = factories.LicensedAppFactory(account=account, app=app.app)
    cases = {
        "NEVER": "licensed",
        "FAILED": "failed",
        "INSTALLED": "installed",
        "YOUNG": "licensed",
        "WITHOUT_CHANNEL": "licensed",
    }
    for serial, state in cases.items():
        row = device(organization, serial, network=app.network)
        factories.InstallationFactory(managed_app=app, device=row, state=state)
        if serial != "WITHOUT_CHANNEL":
            factories.EnrollmentFactory(device=row)
        age = DAY if serial == "YOUNG" else 40 * DAY
        license_of(title, serial, since=timezone.now() - age)

    look(organization)

    assert found(organization) == [
        ("FAILED", "never_installed", "found"),
        ("NEVER", "never_installed", "found"),
    ]


def test_what_cannot_or_may_not_be_taken_is_not_found(
    organization: Organization, account: VppAccount, title: LicensedApp
) -> None:
    permanent = factories.LicensedAppFactory(account=account, revocable=False)
    stopped = factories.VppAccountFactory(organization=organization, state="expired")
    theirs = factories.LicensedAppFactory(account=stopped)
    unenrolled(organization, "S1")
    for each in (permanent, theirs):
        license_of(each, "S1")
    unenrolled(organization, "BUSY")
    license_of(title, "BUSY")
    batch = factories.BatchFactory(account=account, kind="revoke")
    factories.BatchItemFactory(batch=batch, licensed_app=title, holder="BUSY")
    stranger = factories.LicensedAppFactory()
    unenrolled(stranger.organization, "S2")
    license_of(stranger, "S2")

    look(organization)

    assert found(organization) == []


def test_how_much_a_rule_would_find_is_told_without_changing_anything(
    organization: Organization, account: VppAccount, title: LicensedApp
) -> None:
    other = factories.LicensedAppFactory(account=account)
    device(organization, "S1", missing_since=timezone.now() - 20 * DAY)
    device(organization, "S2", missing_since=timezone.now() - 50 * DAY)
    for each in (title, other):
        license_of(each, "S1")
    license_of(title, "S2")
    reach = Reach.of_rules(organization.pk)

    told = [count(reach, "missing", days) for days in (10, 30, 60)]

    assert told == [Count(3, 2), Count(1, 1), Count(0, 0)]
    assert reclaims(organization) == []


# --- Rules ----------------------------------------------------------------------------------------


def test_a_rule_takes_a_license_back_after_the_grace(
    fake: FakeApple, account: VppAccount, organization: Organization
) -> None:
    bought(fake, account, keynote=["LEFT", "STAYS"], pages=["STAYS"])
    unenrolled(organization, "LEFT")
    device(organization, "STAYS")
    rule(organization, "unenrolled", grace_days=7)
    look(organization)
    work_through(organization, account, fake)
    assert reclaims(organization) == [(KEYNOTE, "LEFT", "unenrolled", "planned")]

    with time_machine.travel(timezone.now() + 8 * DAY):
        work_through(organization, account, fake)

    assert reclaims(organization) == [(KEYNOTE, "LEFT", "unenrolled", "done")]
    assert at_apple(fake, account) == held(account) == {(KEYNOTE, "STAYS"), (PAGES, "STAYS")}
    batch = Batch.objects.get()
    assert (batch.actor_kind, batch.actor_name, batch.why) == (
        "rule",
        "Reclaim: device unenrolled",
        "Device unenrolled.",
    )
    event = AuditEvent.objects.get(action="reclaim.planned")
    assert event.after == {
        "holders": ["LEFT"],
        "count": 1,
        "cause": "Device unenrolled",
        "days": 7,
    }


def test_only_the_licenses_that_were_found_go_and_no_others_of_the_same_devices(
    fake: FakeApple, account: VppAccount, organization: Organization
) -> None:
    titles = bought(fake, account, keynote=["S1", "S2"], pages=["S1", "S2"])
    plan_row(titles[KEYNOTE], "S1")
    plan_row(titles[PAGES], "S2")

    work_through(organization, account, fake)

    assert at_apple(fake, account) == {(KEYNOTE, "S2"), (PAGES, "S1")}
    assert Batch.objects.count() == 1


def plan_row(title: LicensedApp, serial: str, **fields: Any) -> Reclaim:
    """Of a device that is in no inventory, since that ends no cause but `deleted`."""
    values = {"cause": "deleted", "due_at": timezone.now() - DAY} | fields
    return Reclaim.objects.create(
        organization=title.organization,
        account=title.account,
        licensed_app=title,
        holder_kind="device",
        holder=serial,
        **values,
    )


def test_a_rule_that_is_switched_on_plans_what_was_found_and_off_again_lets_go(
    organization: Organization, title: LicensedApp
) -> None:
    unenrolled(organization, "S1")
    license_of(title, "S1")
    look(organization)
    switched = rule(organization, "unenrolled")
    look(organization)
    assert found(organization) == [("S1", "unenrolled", "planned")]

    switched.is_enabled = False
    switched.save()
    look(organization)

    row = Reclaim.objects.get()
    assert (row.state, row.due_at) == ("found", None)
    assert LicensingSettings.objects.get().reclaims_as_of is not None


def test_looking_again_finds_nothing_twice_and_forgets_what_is_no_longer_so(
    organization: Organization, title: LicensedApp
) -> None:
    back, gone = unenrolled(organization, "BACK"), unenrolled(organization, "GONE")
    for each in (back, gone):
        license_of(title, each.serial_number)
    look(organization)
    look(organization)
    assert len(found(organization)) == 2

    Device.objects.filter(pk=back.pk).update(enrollment="device")
    Assignment.objects.filter(holder="GONE")._raw_delete(using="default")
    look(organization)

    assert found(organization) == []


def test_what_is_due_is_not_taken_when_the_reason_is_gone(
    organization: Organization, title: LicensedApp
) -> None:
    back = unenrolled(organization, "S1")
    license_of(title, "S1")
    rule(organization, "unenrolled", grace_days=0)
    look(organization)

    Device.objects.filter(pk=back.pk).update(enrollment="automated")
    work(organization)

    row = Reclaim.objects.get()
    assert (row.state, row.note) == ("void", "The device is enrolled again.")
    assert not Batch.objects.exists()


def test_a_license_that_is_gone_already_needs_nothing(
    organization: Organization, title: LicensedApp
) -> None:
    plan_row(title, "S1")

    work(organization)

    row = Reclaim.objects.get()
    assert (row.state, row.note) == ("void", "Nobody holds this license any more.")


def test_what_a_person_revoked_meanwhile_was_taken_back(
    organization: Organization, account: VppAccount, title: LicensedApp
) -> None:
    row = plan_row(title, "S1", due_at=timezone.now() + DAY)
    batch = factories.BatchFactory(account=account, kind="revoke")
    factories.BatchItemFactory(batch=batch, licensed_app=title, holder="S1", state="succeeded")

    work(organization)

    row.refresh_from_db()
    assert row.state == "done"


def test_what_apple_refuses_is_tried_on_three_days_and_then_left(
    organization: Organization, account: VppAccount, title: LicensedApp
) -> None:
    license_of(title, "S1")
    row = plan_row(title, "S1")
    seen = []
    for day in range(4):
        with time_machine.travel(timezone.now() + 2 * day * DAY):
            work(organization)
            BatchItem.objects.update(state="failed", message="Apple refused it.")
            work(organization)
            row.refresh_from_db()
            seen.append((row.state, row.attempts))

    assert seen == [("planned", 1), ("planned", 2), ("failed", 3), ("failed", 3)]
    assert row.note == "Apple refused it."
    assert Batch.objects.count() == 3


def test_a_batch_that_a_person_cancelled_is_not_begun_again(
    organization: Organization, title: LicensedApp
) -> None:
    license_of(title, "S1")
    row = plan_row(title, "S1")
    work(organization)

    BatchItem.objects.update(state="cancelled")
    work(organization)

    row.refresh_from_db()
    assert row.state == "undone"


def test_nothing_begins_while_the_account_takes_no_changes_or_automation_is_paused(
    organization: Organization, account: VppAccount, title: LicensedApp
) -> None:
    license_of(title, "S1")
    plan_row(title, "S1")
    VppAccount.objects.filter(pk=account.pk).update(state="expired")
    work(organization)
    VppAccount.objects.filter(pk=account.pk).update(state="active")
    paused = Automation.objects.create(organization=organization, paused_at=timezone.now())
    work(organization)
    assert not Batch.objects.exists()

    paused.paused_at = None
    paused.save()
    work(organization)

    assert found(organization) == [("S1", "deleted", "started")]


def test_a_pause_does_not_hold_up_what_a_person_chose(
    organization: Organization, title: LicensedApp
) -> None:
    license_of(title, "S1")
    plan_row(title, "S1", by_name="owner@example.org", allowed_by="owner@example.org")
    Automation.objects.create(organization=organization, paused_at=timezone.now())

    work(organization)

    assert Batch.objects.get().why == "Device deleted; chosen by owner@example.org."


# --- The guard ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("taken", "held_before", "waits"),
    [(5, 5, False), (6, 6, True), (6, 29, True), (6, 30, False), (20, 100, False), (21, 100, True)],
)
def test_more_than_five_and_more_than_a_fifth_of_a_title_wait_for_a_person(
    taken: int, held_before: int, *, waits: bool
) -> None:
    assert plan_guard({1: taken}, {1: held_before}) == ([1] if waits else [])


def test_much_at_once_waits_and_the_other_title_goes(
    organization: Organization, account: VppAccount, title: LicensedApp
) -> None:
    other = factories.LicensedAppFactory(account=account)
    for number in range(8):
        license_of(title, f"S{number}")
        plan_row(title, f"S{number}")
    license_of(other, "S1")
    plan_row(other, "S1")

    work(organization)
    work(organization)

    waiting = Reclaim.objects.waiting()
    assert [row.licensed_app_id for row in waiting] == [title.pk] * 8
    assert list(BatchItem.objects.values_list("licensed_app", "holder")) == [(other.pk, "S1")]


def test_little_by_little_is_much_as_well(organization: Organization, title: LicensedApp) -> None:
    for number in range(12):
        license_of(title, f"S{number:02}")
    for number in range(2):
        plan_row(title, f"S{number:02}")
    work(organization)
    for number in range(2, 6):
        plan_row(title, f"S{number:02}")

    work(organization)

    assert Reclaim.objects.waiting().count() == 4
    assert BatchItem.objects.count() == 2


def test_what_a_person_allowed_goes_however_much_it_is(
    organization: Organization, title: LicensedApp
) -> None:
    for number in range(8):
        license_of(title, f"S{number}")
        plan_row(title, f"S{number}", waits_since=timezone.now(), allowed_by="owner@example.org")

    work(organization)

    assert BatchItem.objects.count() == 8


# --- Not again ------------------------------------------------------------------------------------


def test_what_was_kept_is_found_again_only_when_it_happens_anew(
    organization: Organization, title: LicensedApp
) -> None:
    row = unenrolled(organization, "S1")
    license_of(title, "S1")
    kept = plan_row(title, "S1", cause="unenrolled", state="undone")
    rule(organization, "unenrolled")
    look(organization)
    assert found(organization) == [("S1", "unenrolled", "undone")]

    Reclaim.objects.filter(pk=kept.pk).update(changed_at=timezone.now() - timedelta(hours=2))
    Device.objects.filter(pk=row.pk).update(unenrolled_at=timezone.now() - timedelta(hours=1))
    look(organization)

    assert found(organization) == [
        ("S1", "unenrolled", "undone"),
        ("S1", "unenrolled", "planned"),
    ]


def test_no_rule_gives_again_what_would_only_be_taken_once_more(
    organization: Organization, account: VppAccount, title: LicensedApp
) -> None:
    row = unenrolled(organization, "S1")
    plan_row(title, "S1", cause="unenrolled", state="done")
    app = factories.ManagedAppFactory(network=row.network)
    never = factories.LicensedAppFactory(account=account, app=app.app)
    plan_row(never, "S1", cause="never_installed", state="started")
    plan_row(title, "S2", cause="deleted", state="done")
    assert kept_back(organization.pk) == {
        ("device", "S1", title.adam_id),
        ("device", "S1", never.adam_id),
    }

    Device.objects.filter(pk=row.pk).update(enrollment="device")
    asked_at = timezone.now() + DAY
    factories.InstallationFactory(managed_app=app, device=row, asked_at=asked_at)

    assert kept_back(organization.pk) == frozenset()


def test_a_worker_that_dies_between_two_steps_begins_nothing_twice(
    fake: FakeApple,
    account: VppAccount,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    titles = bought(fake, account, keynote=["S1"])
    plan_row(titles[KEYNOTE], "S1")

    class Killed(BaseException):
        pass

    def die(*args: Any, **options: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("licensing.batches.starting.wake", die)
        with pytest.raises(Killed):
            work(organization)
    assert (Batch.objects.count(), found(organization)) == (0, [("S1", "deleted", "planned")])

    work(organization)
    work(organization)
    drain(account, fake)
    work(organization)

    assert (Batch.objects.count(), found(organization)) == (1, [("S1", "deleted", "done")])
