"""A worker that dies anywhere leaves rows from which the next one ends correctly."""

from collections.abc import Callable

import pytest

from licensing import batches
from licensing.batches import steps
from licensing.models import Batch, BatchState, LicensedApp, Writer
from tests.draining import at_apple, begin, drain, synced, turn
from tests.test_sync import KEYNOTE, PAGES, holders
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


class Killed(BaseException):
    """What no code of ours catches: as a worker that is gone."""


def killing(step: str, *, at: int) -> Callable[[str], None]:
    """A `reached` that dies when the step is reached for the `at`-th time."""
    left = [at]

    def reached(name: str) -> None:
        left[0] -= name == step
        if left[0] == 0:
            left[0] = -1
            raise Killed(step)

    return reached


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=3)
    fake.assign(account.uid, KEYNOTE, serial_numbers=["OLD1", "OLD2"])
    fake.change_settings({"limits": {"maxSerialNumbers": 2}})
    return synced(account)


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("step", steps.STEPS)
def test_a_worker_that_dies_at_any_step_loses_and_repeats_nothing(
    step: str,
    at: int,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grant = begin("grant", titles.values(), serials=["S1", "S2", "S3", "S4"])
    revoke = begin("revoke", [titles[KEYNOTE]], serials=["OLD1", "OLD2"])

    monkeypatch.setattr(steps, "reached", killing(step, at=at))
    died = 0
    for _ in range(4):
        try:
            turn(account)
        except Killed:
            died += 1
        fake.advance(5)
    drain(account, fake)

    for batch in (grant, revoke):
        batch.refresh_from_db()
    assert died == 1 or at > 1  # the first time is always reached
    assert (grant.state, grant.succeeded, grant.waiting) == (BatchState.FINISHED, 7, 1)
    assert (revoke.state, revoke.succeeded) == (BatchState.FINISHED, 2)
    assert len(at_apple(fake, account)) == 7
    assert holders(account) == at_apple(fake, account)


def test_two_workers_do_not_write_at_once(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    begin("grant", [titles[KEYNOTE]], serials=["S1"])
    Writer.objects.filter(account=account).update(lease_until="2100-01-01T00:00Z")

    batches.run(account_id=account.pk)

    assert at_apple(fake, account) == {(KEYNOTE, "OLD1"), (KEYNOTE, "OLD2")}


def test_a_location_whose_worker_died_is_found_by_the_sweep(
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin("grant", [titles[KEYNOTE]], serials=["S1"])
    monkeypatch.setattr(steps, "reached", killing(steps.MARKED, at=1))
    with pytest.raises(Killed):
        turn(account)

    assert not Writer.objects.due().exists()
    Writer.objects.filter(account=account).update(lease_until="2020-01-01T00:00Z")
    assert [writer.account_id for writer in Writer.objects.due()] == [account.pk]
    assert Batch.objects.get().sent == 0  # nobody has counted yet
    drain(account, fake)
    assert Batch.objects.get().succeeded == 1


def test_what_a_worker_had_settled_before_it_died_is_counted(
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its last word is in the items, and nothing else about them will ever happen."""
    batch = begin("grant", [titles[KEYNOTE]], serials=["S1"])
    turn(account)
    fake.advance(31)
    with monkeypatch.context() as patched:
        patched.setattr(steps, "reached", killing(steps.SETTLED, at=1))
        with pytest.raises(Killed):
            turn(account)

    turn(account)

    batch.refresh_from_db()
    assert (batch.state, batch.succeeded) == (BatchState.FINISHED, 1)
