"""Whatever happens on the way, in the end Apple has what the batches say: random schedules.

Each example has a location of its own. In a round several batches run beside each other while faults
of Apple, kills of the worker, purchases, cancellations and syncs come between the turns; between two
rounds everything settles, since Apple itself does not keep the order of what it delays.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing import batches
from licensing.batches import steps
from licensing.batches.refusals import AccountCannotWrite, NothingToCancel
from licensing.models import Batch, BatchItem, LicensedApp
from licensing.tasks import handle_notifications
from organizations.models import Organization
from tests.draining import BY, at_apple, begin, drain, synced, turn
from tests.factories import VppAccountFactory
from tests.notifying import subscribe
from tests.test_batches_crashes import Killed, killing
from tests.test_sync import holders, run_sync
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.trouble import KINDS
from vpp_accounts.models import AccountState, VppAccount
from vpp_accounts.refusals import AccountStopped, AppleAskedToWait
from vpp_accounts.services import renew_token, take_over

TITLES = ("361285480", "361309726", "409183694")
SERIALS = ("S1", "S2", "S3", "S4", "S5", "S6")

# These take licenses away at Apple itself, so that nobody's word about them stays true.
TAKING = ("pages_shrink", "item_slips")
FAULTS = sorted(kind for kind in KINDS if kind not in TAKING)

Pair = tuple[str, str]


@dataclass
class Step:
    """One thing that happens between two turns of a worker."""

    what: str
    titles: tuple[str, ...] = ()
    serials: tuple[str, ...] = ()
    name: str = ""
    number: int = 1


@dataclass
class World:
    """One location with everything that a schedule may do to it."""

    fake: FakeApple
    account: VppAccount
    titles: dict[str, LicensedApp]
    kill: tuple[str, int] | None = None
    batches: list[Batch] = field(default_factory=list)

    def do(self, step: Step) -> None:
        getattr(self, f"_{step.what}")(step)

    def _grant(self, step: Step) -> None:
        self._begin("grant", step)

    def _revoke(self, step: Step) -> None:
        self._begin("revoke", step)

    def _begin(self, kind: str, step: Step) -> None:
        titles = [LicensedApp.objects.get(pk=self.titles[key].pk) for key in step.titles]
        with suppress(AccountCannotWrite):
            self.batches.append(begin(kind, titles, serials=step.serials))

    def _fault(self, step: Step) -> None:
        self.fake.set_fault(step.name, uid=self.account.uid, times=step.number)

    def _kill(self, step: Step) -> None:
        self.kill = (step.name, step.number)

    def _buy(self, step: Step) -> None:
        self.fake.purchase(self.account.uid, step.titles[0], quantity=step.number)

    def _cancel(self, step: Step) -> None:
        for batch in self.batches[-1:]:
            with suppress(NothingToCancel):
                batches.cancel(by=BY, batch=batch)

    def _sync(self, step: Step) -> None:
        self.account.refresh_from_db()
        with suppress(AccountStopped, AppleAskedToWait):
            run_sync(self.account)

    def _turn(self, step: Step) -> None:
        if self.kill:
            name, number = self.kill
            original, steps.reached = steps.reached, killing(name, at=number)
            try:
                with suppress(Killed):
                    turn(self.account)
            finally:
                steps.reached = original
                self.kill = None
        else:
            turn(self.account)
        self.fake.advance(step.number)
        handle_notifications(account_id=self.account.pk)

    def settle(self) -> None:
        """The faults are over, a person puts the account right, and all that waits for it ends."""
        self.fake.faults.clear()
        self.fake.advance(300)
        heal(self.fake, self.account)
        drain(self.account, self.fake)
        self.fake.advance(300)
        handle_notifications(account_id=self.account.pk)
        drain(self.account, self.fake)


def heal(fake: FakeApple, account: VppAccount) -> None:
    VppAccount.objects.filter(pk=account.pk).update(apple_asks_to_wait_until=None)
    account.refresh_from_db()
    if account.state == AccountState.CLAIMED:
        holder = fake.location(account.uid or "").mdm_info
        take_over(by=BY, account=account, shown_id=holder["id"] if holder else "")
    elif account.is_stopped:
        token = fake.location(account.uid or "").issue_token()
        renew_token(by=BY, account=account, token_text=token, take_over=True)
    account.refresh_from_db()
    run_sync(account, full=True)


def said_by_batches(account: VppAccount) -> dict[Pair, bool]:
    """What the last item that ended says of each pair: Apple has it, or not."""
    done = BatchItem.objects.filter(account=account, state="succeeded").order_by("changed_at", "pk")
    rows = done.values_list("licensed_app__adam_id", "holder", "kind")
    return {(adam_id, holder): kind == "grant" for adam_id, holder, kind in rows}


steps_of_a_round = st.lists(
    st.one_of(
        st.builds(
            Step,
            what=st.sampled_from(["grant", "revoke"]),
            titles=st.sets(st.sampled_from(TITLES), min_size=1).map(sorted).map(tuple),
            serials=st.sets(st.sampled_from(SERIALS), min_size=1).map(sorted).map(tuple),
        ),
        st.builds(
            Step, what=st.just("fault"), name=st.sampled_from(FAULTS), number=st.integers(1, 2)
        ),
        st.builds(
            Step,
            what=st.just("kill"),
            name=st.sampled_from(steps.STEPS),
            number=st.integers(1, 3),
        ),
        st.builds(
            Step,
            what=st.just("buy"),
            titles=st.sampled_from(TITLES).map(lambda title: (title,)),
            number=st.integers(1, 3),
        ),
        st.builds(Step, what=st.sampled_from(["cancel", "sync"])),
        st.builds(Step, what=st.just("turn"), number=st.integers(0, 40)),
    ),
    min_size=3,
    max_size=10,
)


def play(
    fake: FakeApple, organization: Organization, rounds: list[list[Step]], *, told: bool
) -> World:
    location = fake.create_location(name="Random")
    account = VppAccountFactory(
        organization=organization, uid=location.uid, token=location.issue_token()
    )
    for number, title in enumerate(TITLES):
        fake.purchase(location.uid, title, quantity=3 + 2 * number)
    fake.assign(location.uid, TITLES[0], serial_numbers=["S1", "S2"])
    world = World(fake, account, synced(account))
    if told:
        subscribe(fake, account)
    for chosen in rounds:
        for step in chosen:
            world.do(step)
        world.settle()
    return world


def check(world: World) -> None:
    fake, account = world.fake, world.account
    real = {pair for pair in at_apple(fake, account) if pair[1] in SERIALS}
    for pair, is_held in said_by_batches(account).items():
        assert (pair in real) == is_held, pair
    run_sync(account, full=True)
    assert holders(account) == at_apple(fake, account)
    left = BatchItem.objects.filter(account=account, state__in=("planned", "sent"))
    assert not left.exists()
    for batch in Batch.objects.filter(account=account):
        counted = {
            name: BatchItem.objects.filter(batch=batch, state=name).count()
            for name in Batch.COUNTED
        }
        assert {name: getattr(batch, name) for name in Batch.COUNTED} == counted
        assert batch.state in ("finished", "cancelled")


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rounds=st.lists(steps_of_a_round, min_size=1, max_size=2), told=st.booleans())
def test_in_the_end_apple_has_what_the_batches_say(
    fake: FakeApple, organization: Organization, rounds: list[list[Step]], told: bool
) -> None:
    check(play(fake, organization, rounds, told=told))


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_apple_on_the_way(
    fault: str, told: bool, fake: FakeApple, organization: Organization
) -> None:
    rounds = [
        [
            Step("fault", name=fault),
            Step("grant", TITLES[:2], SERIALS[:4]),
            Step("turn", number=3),
            Step("revoke", TITLES[:1], ("S1", "S2")),
            Step("turn", number=30),
        ]
    ]

    check(play(fake, organization, rounds, told=told))
