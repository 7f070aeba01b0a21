"""Grant and revoke by their effect: at Apple, in what we hold, and in what the batch says."""

import pytest

from licensing.models import AppleOperation, Assignment, Batch, BatchState, LicensedApp
from organizations.models import AuditEvent
from tests.draining import at_apple, begin, drain, states, synced
from tests.test_sync import KEYNOTE, PAGES, holders
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=3)
    return synced(account)


def test_a_grant_gives_licenses_at_apple_and_here(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["serial1", " SERIAL2 ", "SERIAL1"])

    drain(account, fake)

    assert at_apple(fake, account) == {(KEYNOTE, "SERIAL1"), (KEYNOTE, "SERIAL2")}
    assert holders(account) == at_apple(fake, account)
    batch.refresh_from_db()
    assert (batch.state, batch.total, batch.succeeded) == (BatchState.FINISHED, 2, 2)
    title = LicensedApp.objects.get(pk=titles[KEYNOTE].pk)
    assert (title.available_count, title.grants_since_read) == (8, 0)


def test_a_grant_says_who_gave_it(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["SERIAL1"])

    drain(account, fake)

    held = Assignment.objects.get(account=account)
    assert (held.origin, held.batch_id) == (Assignment.Origin.MANUAL, batch.pk)
    told = AuditEvent.objects.get(action="assignment.granted")
    assert told.after == {"holder": "SERIAL1", "kind": "device", "batch": batch.pk}
    assert AuditEvent.objects.filter(action="batch.finished", target_id=batch.pk).count() == 1


def test_a_revoke_takes_them_back(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    fake.assign(account.uid, KEYNOTE, serial_numbers=["SERIAL1", "SERIAL2"])
    titles = synced(account)

    batch = begin("revoke", [titles[KEYNOTE]], serials=["SERIAL1", "SERIAL9"])
    drain(account, fake)

    assert at_apple(fake, account) == {(KEYNOTE, "SERIAL2")} == holders(account)
    assert states(batch) == {"SERIAL1": "succeeded", "SERIAL9": "skipped"}


def test_who_comes_late_waits_and_is_served_when_licenses_come(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[PAGES]], serials=[f"SERIAL{n}" for n in range(1, 6)])
    drain(account, fake)
    assert list(states(batch).values()) == ["succeeded"] * 3 + ["waiting"] * 2

    fake.purchase(account.uid, PAGES, quantity=1)
    synced(account)
    drain(account, fake)

    assert states(batch)["SERIAL4"] == "succeeded"
    assert states(batch)["SERIAL5"] == "waiting"
    batch.refresh_from_db()
    assert (batch.state, batch.succeeded, batch.waiting) == (BatchState.FINISHED, 4, 1)


def test_titles_for_the_same_devices_go_in_one_call(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    begin("grant", titles.values(), serials=["SERIAL1", "SERIAL2", "SERIAL3"])

    drain(account, fake)

    (operation,) = AppleOperation.objects.all()
    assert (operation.path, operation.assets, operation.holders) == ("assets/associate", 2, 3)
    assert len(at_apple(fake, account)) == 6


def test_taking_everything_from_many_goes_in_one_call(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    fake.assign(account.uid, KEYNOTE, serial_numbers=["SERIAL1", "SERIAL2"])
    fake.assign(account.uid, PAGES, serial_numbers=["SERIAL2", "SERIAL3"])
    titles = synced(account)

    begin("revoke", titles.values(), serials=["SERIAL1", "SERIAL2", "SERIAL3"], everything=True)
    drain(account, fake)

    assert [o.path for o in AppleOperation.objects.all()] == ["assets/revoke"]
    assert at_apple(fake, account) == set() == holders(account)


@pytest.mark.parametrize(
    "fault",
    [
        "overload",
        "rate_limit",
        "internal",
        "maintenance_sync",
        "maintenance_async",
        "answer_lost",
        "event_lost",
        "stuck_event",
        "completed_not_visible",
        "limits_change",
        "refused_connection",
        "truncated_json",
        "notification_loss",
    ],
)
def test_faults_of_apple_delay_and_lose_nothing(
    fault: str, fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    fake.set_fault(fault, uid=account.uid, path="assets/associate", times=1)

    batch = begin("grant", [titles[KEYNOTE]], serials=[f"SERIAL{n}" for n in range(5)])
    drain(account, fake)

    batch.refresh_from_db()
    assert (batch.state, batch.succeeded) == (BatchState.FINISHED, 5)
    assert at_apple(fake, account) == {(KEYNOTE, f"SERIAL{n}") for n in range(5)}
    assert holders(account) == at_apple(fake, account)


def test_the_last_license_goes_to_exactly_one(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    fake.assign(account.uid, PAGES, serial_numbers=["A", "B"])
    titles = synced(account)

    batches = [begin("grant", [titles[PAGES]], serials=[serial]) for serial in ("S1", "S2", "S3")]
    drain(account, fake)

    assert [list(states(batch).values()) for batch in batches] == [
        ["succeeded"],
        ["waiting"],
        ["waiting"],
    ]
    assert Batch.objects.filter(state=BatchState.FINISHED).count() == 3
