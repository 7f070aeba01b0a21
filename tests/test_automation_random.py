"""Whatever happens on the way, in the end licenses are where the scopes say: random schedules.

Tags, scopes, grants by hand, shortages, purchases, Apple's refusals, kills and pauses come between the
turns of rules and batches. When everything has settled, Apple has what the scopes and the hands of
people say, nothing that a person gave is gone, and no device has two licenses of one app.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from django.test import TestCase
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps_catalog.models import Installation, ManagedApp
from licensing.automation import steps
from licensing.automation.changes import request
from licensing.models import Assignment, Automation, BatchItem
from organizations.models import Device, Organization, Tag
from tests import factories
from tests.automating import KEYNOTE, World, states
from tests.draining import begin, drain, synced, turn
from tests.test_batches_crashes import Killed, killing
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

SERIALS = ("S1", "S2", "S3", "S4", "S5")
TAGS = ("near", "far")
OPERATORS = ("all", "none", "withAny", "withAll", "withoutAny", "withoutAll")


@dataclass
class Step:
    what: str
    name: str = ""
    names: tuple[str, ...] = ()
    number: int = 1


@dataclass
class Play:
    world: World
    accounts: list[VppAccount]
    tags: dict[str, Tag]
    app: ManagedApp
    by_hand: set[str] = field(default_factory=set)

    def do(self, step: Step) -> None:
        getattr(self, f"_{step.what}")(step)

    def _retag(self, step: Step) -> None:
        """The tags of one device."""
        ids = [self.tags[name].pk for name in step.names]
        Device.objects.filter(serial_number=step.name).update(tag_ids=ids)
        self._tell(device_ids=[Device.objects.get(serial_number=step.name).pk])

    def _rescope(self, step: Step) -> None:
        ids = [self.tags[name].pk for name in step.names]
        ManagedApp.objects.filter(pk=self.app.pk).update(
            scope_operator=step.name, scope_tag_ids=ids
        )
        self._tell(managed_app_ids=[self.app.pk])

    def _tell(self, **what: list[int]) -> None:
        with TestCase.captureOnCommitCallbacks(execute=True):
            request(self.world.organization.pk, cause="random", **what)

    def _by_hand(self, step: Step) -> None:
        titles = synced(self.accounts[0])
        begin("grant", [titles[KEYNOTE]], serials=[step.name])

    def _buy(self, step: Step) -> None:
        self.world.buy(step.number, account=self.accounts[step.number % 2])

    def _refuse(self, step: Step) -> None:
        self.world.fake.set_fault("internal", uid=self.accounts[0].uid, times=step.number)

    def _pause(self, step: Step) -> None:
        paused = timezone.now() if step.number % 2 else None
        ManagedApp.objects.filter(pk=self.app.pk).update(paused_at=paused)
        self._tell(managed_app_ids=[self.app.pk])

    def _turn(self, step: Step) -> None:
        self.world.turn()
        for account in self.accounts:
            turn(account)
        self.world.fake.advance(step.number)

    def _kill(self, step: Step) -> None:
        original, steps.reached = steps.reached, killing(step.name, at=step.number)
        try:
            with suppress(Killed):
                self.world.turn()
        finally:
            steps.reached = original
        Automation.objects.update(lease_until=None)

    def settle(self) -> None:
        self.world.fake.faults.clear()
        ManagedApp.objects.filter(pk=self.app.pk).update(paused_at=None)
        for _ in range(3):
            for account in self.accounts:
                drain(account, self.world.fake)
            self.world.run()
        for account in self.accounts:
            synced(account)


def some(names: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sets(st.sampled_from(names), min_size=1).map(sorted).map(tuple)


schedules = st.lists(
    st.one_of(
        st.builds(
            Step,
            what=st.just("retag"),
            name=st.sampled_from(SERIALS),
            names=st.sets(st.sampled_from(TAGS)).map(sorted).map(tuple),
        ),
        st.builds(Step, what=st.just("rescope"), name=st.sampled_from(OPERATORS), names=some(TAGS)),
        st.builds(Step, what=st.just("by_hand"), name=st.sampled_from(SERIALS)),
        st.builds(Step, what=st.sampled_from(["buy", "refuse", "pause"]), number=st.integers(1, 3)),
        st.builds(
            Step,
            what=st.just("kill"),
            name=st.sampled_from(steps.STEPS),
            number=st.integers(1, 2),
        ),
        st.builds(Step, what=st.just("turn"), number=st.integers(1, 40)),
    ),
    min_size=4,
    max_size=12,
)


def play(fake: FakeApple, schedule: list[Step]) -> Play:
    organization = factories.OrganizationFactory()
    network = factories.NetworkFactory(organization=organization)
    accounts = [_account(fake, organization, name) for name in ("North", "South")]
    world = World(fake, organization, network, accounts[0])
    tags = {name: world.tag(name) for name in TAGS}
    Device.objects.all().delete()
    for serial in SERIALS:
        world.device(serial, tags["near"])
    world.buy(2)
    world.buy(1, account=accounts[1])
    game = Play(world, accounts, tags, world.app(*accounts, tag=tags["near"]))
    for step in schedule:
        game.do(step)
    game.settle()
    return game


def _account(fake: FakeApple, organization: Organization, name: str) -> VppAccount:
    location = fake.create_location(name=name)
    return factories.VppAccountFactory(
        organization=organization, name=name, uid=location.uid, token=location.issue_token()
    )


def check(game: Play) -> None:
    """The set of licenses that the rule gave is the scope, less who is blocked or served by hand."""
    ours = Assignment.objects.filter(organization=game.world.organization)
    rows = list(ours.values_list("holder", "origin"))
    by_hand = {holder for holder, origin in rows if origin == "manual"}
    app = ManagedApp.objects.get(pk=game.app.pk)
    scope = {
        device.serial_number
        for device in Device.objects.filter(network=app.network)
        if app.scope.matches(set(device.tag_ids))
    }
    stands = states(app)
    blocked = {serial for serial, (state, _) in stands.items() if state == "blocked"}
    assert {holder for holder, origin in rows if origin == "rule"} == scope - blocked - by_hand
    assert set(stands) == scope
    assert set(stands.values()) <= {
        ("licensed", "installedByAnotherMdm"),
        ("blocked", "noLicenseLeft"),
    }
    assert max(Counter(holder for holder, _ in rows).values(), default=1) == 1
    given = BatchItem.objects.filter(
        batch__organization=game.world.organization,
        batch__actor_kind="system",
        kind="grant",
        state="succeeded",
    )
    assert set(given.values_list("holder", flat=True)) <= {holder for holder, _ in rows}
    waiting = BatchItem.objects.filter(organization=game.world.organization, state="waiting")
    assert set(waiting.values_list("holder", flat=True)) >= blocked
    assert not Installation.objects.filter(managed_app=app, is_wanted=False).exists()


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(schedule=schedules)
def test_in_the_end_licenses_are_where_the_scopes_say(
    fake: FakeApple, db: None, schedule: list[Step]
) -> None:
    check(play(fake, schedule))
