"""Any order of licenses, wishes, faults, kills and time: never an install without a license, and in
the end the app is where it is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Any, ClassVar

import pytest
import time_machine
from django.db import transaction
from django.test import TestCase, override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from apps_catalog.channels import inbox, simulated
from apps_catalog.channels.base import DeviceCommand, SendResult
from apps_catalog.channels.simulated import SimulatedChannel, faults
from apps_catalog.channels.simulated.faults import ONCE, Fault
from apps_catalog.installations import engine, steps, turns
from apps_catalog.installations.asking import ask_install
from apps_catalog.models import ChannelCommand, Enrollment, Installation, SimulatedDevice
from licensing.models import Assignment
from organizations.models import Device
from tests import factories
from tests.deploying import BY, KEYNOTE, School, school, state
from vpp_accounts import connections
from vpp_accounts.apple.fake import FakeApple

DEVICES = 3
BEGINS = datetime.fromisoformat("2026-03-02T08:00:00+00:00")
NUMBERS = st.integers(0, DEVICES - 1)


class Killed(Exception):
    """The worker died."""


class Deployments(RuleBasedStateMachine):
    """One school with a few iPads; what licensing does is played by hand."""

    unlicensed: ClassVar[list[str]] = []

    @initialize()
    def open(self) -> None:
        self.stack = ExitStack()
        self.stack.enter_context(rolled_back())
        self.stack.enter_context(override_settings(DEVICE_CHANNEL="simulated"))
        self.clock = self.stack.enter_context(time_machine.travel(BEGINS, tick=False))
        self.fake = FakeApple()
        self.fake.settings.limits["maxRequestPerSecond"] = 100_000
        self.stack.enter_context(connections.use_fake(self.fake))
        self.stack.enter_context(watched(self))
        self.place = self._school()
        self.devices = [self.place.device() for _ in range(DEVICES)]
        self.rows = [self.place.wanted(device) for device in self.devices]
        self.place.enroll()
        self.unlicensed = []

    def _school(self) -> School:
        organization = factories.OrganizationFactory()
        location = self.fake.create_location(name="North", org_name="School", country="US")
        account = factories.VppAccountFactory(
            organization=organization, uid=location.uid, token=location.issue_token()
        )
        return school(self.fake, account)

    def teardown(self) -> None:
        if not hasattr(self, "rows"):
            return
        try:
            self._drain()
        finally:
            self.stack.close()

    # --- What happens -----------------------------------------------------------------------------

    @rule(number=NUMBERS)
    def license(self, number: int) -> None:
        row = self._row(number)
        if row.state == "planned" and not self._is_licensed(row):
            self.place.license(row)

    @rule(number=NUMBERS)
    def leave_scope(self, number: int) -> None:
        row = self._row(number)
        if self._is_licensed(row) and row.is_wanted:
            self.place.take_back(row)

    @rule(number=NUMBERS)
    def return_to_scope(self, number: int) -> None:
        rows = Installation.objects.filter(pk=self.rows[number].pk, state="removed")
        rows.update(is_wanted=True, state="planned", next_at=None)

    @rule(number=NUMBERS)
    def lose_license_unseen(self, number: int) -> None:
        """Somebody else took it at Apple, and a sync has seen it."""
        row = self._row(number)
        if self._is_licensed(row):
            serial = row.device.serial_number
            self.fake.unassign(self.place.account.uid, KEYNOTE, serial_numbers=[serial])
            Assignment.objects.filter(holder=serial).delete()

    @rule()
    def ask_by_force(self) -> None:
        everybody = Device.objects.filter(organization=self.place.organization)
        ask_install(by=BY, managed_app=self.place.managed_app, devices=everybody, force=True)

    @rule(fault=st.sampled_from(Fault), on=st.booleans(), percent=st.sampled_from([40, 100]))
    def switch(self, fault: Fault, on: bool, percent: int) -> None:
        ours = self.place.organization
        faults.switch(by=BY, organization=ours, fault=fault, on=on, percent=percent)

    @rule()
    def work(self) -> None:
        turns.note(self.place.organization.pk)
        engine.run(self.place.organization.pk)

    @rule(step=st.sampled_from(steps.STEPS))
    def die(self, step: str) -> None:
        def reached(now: str) -> None:
            if now == step:
                raise Killed

        turns.note(self.place.organization.pk)
        with pytest.MonkeyPatch.context() as patch, suppress(Killed):
            patch.setattr(steps, "reached", reached)
            engine.run(self.place.organization.pk)
        self.clock.shift(31)  # its lease runs out

    @rule()
    def tick(self) -> None:
        simulated.tick(self.place.organization.pk)

    @rule()
    def hear(self) -> None:
        inbox.handle_waiting(self.place.organization.pk)

    @rule(pause=st.sampled_from([5, 60, 600, 7200, 90_000]))
    def wait(self, pause: int) -> None:
        self.clock.shift(pause)

    # --- What must hold ---------------------------------------------------------------------------

    @invariant()
    def nothing_is_sent_without_a_license(self) -> None:
        assert self.unlicensed == []

    @invariant()
    def one_command_about_an_app_is_under_way(self) -> None:
        if not hasattr(self, "place"):
            return
        under_way = ChannelCommand.objects.filter(
            organization=self.place.organization,
            managed_app_id=self.place.managed_app.pk,
            state__in=["waiting", "queued", "deferred"],
        )
        devices = list(under_way.values_list("device", flat=True))
        assert len(devices) == len(set(devices))

    def _drain(self) -> None:
        """Everything works again, and licensing does its part; then the app is where it belongs."""
        for fault in Fault:
            if fault not in ONCE:
                faults.switch(by=BY, organization=self.place.organization, fault=fault, on=False)
        simulated.tick(self.place.organization.pk)
        inbox.handle_waiting(self.place.organization.pk)
        for _ in range(8):
            simulated.enroll(self.place.organization.pk)
            self._grant_what_is_wanted()
            simulated.fleet.wake_all(by=BY, organization=self.place.organization)
            inbox.enrollments.ask_everything(list(self._enrollments()))
            for pause in (5, 30, 60, 300, 3600, 14_400, 90_000):
                self.place.turn()
                self.clock.shift(pause)
            if self._is_settled():
                return
        raise AssertionError(str([state(row) for row in self._fresh()]))

    def _is_settled(self) -> bool:
        rows = self._fresh()
        wanted = {row.device_id for row in rows if row.is_wanted}
        expected = ["installed" if row.is_wanted else "removed" for row in rows]
        return [row.state for row in rows] == expected and self._on_devices() == wanted

    def _grant_what_is_wanted(self) -> None:
        """As the rule would: what is wanted and has no license gets one; whoever asked asks again."""
        for row in self._fresh():
            if row.is_wanted and not self._is_licensed(row):
                back = ("licensed", "failed", "removed_by_user", "installed", "stalled")
                Installation.objects.filter(pk=row.pk, state__in=back).update(state="planned")
                row.refresh_from_db()
                if row.state == "planned":
                    self.place.license(row)
        everybody = Device.objects.filter(organization=self.place.organization)
        ask_install(by=BY, managed_app=self.place.managed_app, devices=everybody)

    def _enrollments(self) -> Any:
        return Enrollment.objects.filter(organization=self.place.organization, is_enrolled=True)

    def _on_devices(self) -> set[int]:
        rows = SimulatedDevice.objects.filter(organization=self.place.organization)
        return {
            row.device_id
            for row in rows
            if KEYNOTE in row.apps and not row.apps[KEYNOTE].get("removed")
        }

    def _row(self, number: int) -> Installation:
        return Installation.objects.select_related("device").get(pk=self.rows[number].pk)

    def _fresh(self) -> list[Installation]:
        return [self._row(number) for number in range(DEVICES)]

    def _is_licensed(self, row: Installation) -> bool:
        return Assignment.objects.filter(holder=row.device.serial_number).exists()


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class watched:  # noqa: N801  a context manager
    """Notes every install that is sent to a device whose license we do not have."""

    def __init__(self, machine: Deployments) -> None:
        self.machine = machine
        self.patch = pytest.MonkeyPatch()

    def __enter__(self) -> None:
        machine, send = self.machine, SimulatedChannel.send

        def watch(
            channel: SimulatedChannel, command: DeviceCommand, ids: Any, **more: Any
        ) -> SendResult:
            if command.request_type == "InstallApplication":
                serials = Device.objects.filter(enrollment_record__channel_id__in=ids)
                for serial in serials.values_list("serial_number", flat=True):
                    if not Assignment.objects.filter(holder=serial).exists():
                        machine.unlicensed.append(serial)
            return send(channel, command, ids, **more)

        self.patch.setattr(SimulatedChannel, "send", watch)

    def __exit__(self, *error: object) -> None:
        self.patch.undo()


Deployments.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class TestDeployments(Deployments.TestCase, TestCase):  # type: ignore[misc, name-defined]
    """Each run of Hypothesis has an organization of its own; the database is one."""

    databases = frozenset({"default", "system"})
