"""Plans that change, batches that are cancelled, repeated or paused, and two who want the last one."""

import threading

import pytest
from django.db import connections

from licensing import batches
from licensing.batches.planning import MOST_ITEMS, Wish
from licensing.batches.refusals import (
    AccountCannotWrite,
    ConfirmIrrevocable,
    NothingChosen,
    NothingToCancel,
    NothingToRetry,
    OtherAccount,
    PlanGotWorse,
    TooMuch,
)
from licensing.models import (
    AppleOperation,
    Batch,
    BatchItem,
    BatchPlan,
    BatchState,
    LicensedApp,
    Writer,
)
from organizations.models import AuditEvent, Organization
from tests.draining import BY, at_apple, begin, drain, states, synced, turn
from tests.factories import (
    BatchFactory,
    BatchItemFactory,
    DeviceFactory,
    LicensedAppFactory,
    NetworkFactory,
)
from tests.test_sync import KEYNOTE, PAGES, run_sync
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, VppAccount
from vpp_accounts.services import removal_consequences, remove_account, renew_token

BOOK = "1801147365"


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=3)
    fake.purchase(account.uid, BOOK, quantity=5, product_type="Book")
    return synced(account)


def plan(titles: list[LicensedApp], serials: list[str], kind: str = "grant") -> BatchPlan:
    wish = batches.wish_for(kind=kind, titles=titles, serials=serials)
    return batches.make_plan(by=BY, membership=None, account=titles[0].account, wish=wish)


def test_a_plan_changes_nothing(account: VppAccount, titles: dict[str, LicensedApp]) -> None:
    made = plan([titles[KEYNOTE]], ["S1", "S2", "S3", "S4"])

    assert (made.summary["go"], made.summary["wait"]) == (3, 1)
    assert not Batch.objects.exists()
    assert not BatchItem.objects.exists()


def test_a_plan_that_got_worse_is_shown_again(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    made = plan([titles[KEYNOTE]], ["S1", "S2", "S3"])
    fake.assign(account.uid, KEYNOTE, serial_numbers=["OTHER"])
    run_sync(account)

    with pytest.raises(PlanGotWorse) as refused:
        batches.start(by=BY, membership=None, plan=made)

    assert refused.value.plan.summary["go"] == 2
    assert not Batch.objects.exists()
    batch = batches.start(by=BY, membership=None, plan=refused.value.plan)
    assert (batch.planned, batch.waiting) == (2, 1)


def test_a_plan_that_got_better_runs(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    made = plan([titles[KEYNOTE]], ["S1", "S2", "S3", "S4"])
    fake.purchase(account.uid, KEYNOTE, quantity=1)
    run_sync(account)

    batch = batches.start(by=BY, membership=None, plan=made)

    assert (batch.planned, batch.waiting) == (4, 0)


def test_confirming_twice_begins_once(titles: dict[str, LicensedApp]) -> None:
    made = plan([titles[KEYNOTE]], ["S1"])

    first = batches.start(by=BY, membership=None, plan=made)
    second = batches.start(by=BY, membership=None, plan=made)

    assert first == second
    assert AuditEvent.objects.filter(action="batch.started").count() == 1


def test_books_go_to_nobody_by_serial_number(titles: dict[str, LicensedApp]) -> None:
    made = plan([titles[BOOK]], ["S1"])

    assert made.summary["reasons"] == {"notDeviceAssignable": 1}


def test_what_is_for_good_has_to_be_confirmed(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    LicensedApp.objects.filter(pk=titles[KEYNOTE].pk).update(revocable=False)
    made = plan([LicensedApp.objects.get(pk=titles[KEYNOTE].pk)], ["S1"])

    with pytest.raises(ConfirmIrrevocable):
        batches.start(by=BY, membership=None, plan=made)

    assert batches.start(by=BY, membership=None, plan=made, confirm_irrevocable=True).planned == 1


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        (Wish("grant", titles=[]), NothingChosen),
        (Wish("grant", titles=[1]), NothingChosen),
        (Wish("grant", titles=list(range(1001)), serials=["S"] * (MOST_ITEMS // 1000)), TooMuch),
    ],
)
def test_impossible_wishes_are_refused(
    wish: Wish, refusal: type[Exception], account: VppAccount
) -> None:
    with pytest.raises(refusal):
        batches.make_plan(by=BY, membership=None, account=account, wish=wish)


def test_titles_of_another_account_are_refused(account: VppAccount, fake: FakeApple) -> None:
    wish = batches.wish_for(kind="grant", titles=[LicensedAppFactory()], serials=["S1"])

    with pytest.raises(OtherAccount):
        batches.make_plan(by=BY, membership=None, account=account, wish=wish)


def test_devices_are_refused_one_by_one_with_the_reason(
    organization: Organization, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    near, far = (NetworkFactory(organization=organization) for _ in range(2))
    account.assignable_networks = "some"
    account.save()
    account.assignable_network_list.set([near])
    fine = DeviceFactory(organization=organization, network=near, serial_number="FINE")
    DeviceFactory(organization=organization, network=far, serial_number="FAR")
    hidden = DeviceFactory(organization=organization, network=near, serial_number=None)
    wish = batches.wish_for(
        kind="grant",
        titles=[titles[KEYNOTE]],
        serials=["FAR", "NOBODY", "no serial!"],
        devices=[fine, hidden],
    )

    made = batches.make_plan(by=BY, membership=None, account=account, wish=wish)

    assert made.summary["go"] == 1
    assert made.summary["reasons"] == {
        "networkNotAssignable": 1,
        "unknownDevice": 1,
        "invalidSerialNumber": 1,
        "noSerialNumber": 1,
    }


def test_cancelling_stops_what_is_not_sent(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["S1", "S2", "S3", "S4"])

    assert batches.cancel(by=BY, batch=batch) == 4
    drain(account, fake)

    batch.refresh_from_db()
    assert (batch.state, batch.cancelled) == (BatchState.CANCELLED, 4)
    assert at_apple(fake, account) == set()
    with pytest.raises(NothingToCancel):
        batches.cancel(by=BY, batch=batch)


def test_what_is_sent_runs_to_its_end(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    fake.set_fault("stuck_event", uid=account.uid, times=1)
    batch = begin("grant", [titles[KEYNOTE]], serials=["S1"])
    turn(account)

    with pytest.raises(NothingToCancel):
        batches.cancel(by=BY, batch=batch)
    drain(account, fake)

    assert states(batch) == {"S1": "succeeded"}


def test_what_failed_is_tried_again_in_a_batch_of_its_own(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["S1", "S2"])
    BatchItem.objects.filter(batch=batch, holder="S1").update(state="failed")
    drain(account, fake)

    again = batches.retry(by=BY, membership=None, batch=batch)
    drain(account, fake)

    assert (again.retry_of, states(again)) == (batch, {"S1": "succeeded"})
    with pytest.raises(NothingToRetry):
        batches.retry(by=BY, membership=None, batch=again)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("token_expired", AccountState.EXPIRED),
        ("token_revoked", AccountState.REVOKED),
        ("read_only", AccountState.READ_ONLY),
    ],
)
def test_a_batch_pauses_with_the_account_and_goes_on_with_it(
    fault: str,
    state: AccountState,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["S1"])
    fake.set_fault(fault, uid=account.uid)

    turn(account)
    batch.refresh_from_db()
    account.refresh_from_db()
    assert (account.state, batch.state) == (state, BatchState.PAUSED)
    assert batch.reason == account.state_reason != ""
    with pytest.raises(AccountCannotWrite):
        begin("grant", [titles[KEYNOTE]], serials=["S2"])

    fake.faults.clear()
    token = fake.location(account.uid).issue_token()
    account = renew_token(by=BY, account=account, token_text=token)
    run_sync(account, full=True)
    drain(account, fake)

    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (BatchState.FINISHED, "")
    assert at_apple(fake, account) == {(KEYNOTE, "S1")}


def test_apple_is_left_alone_as_long_as_it_asks(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["S1"])
    fake.set_fault("overload", uid=account.uid, args={"retryAfter": 120})
    turn(account)
    asked = fake.journal.since(0)

    batches.run(account_id=account.pk)

    assert len(fake.journal.since(0)) == len(asked)
    writer = Writer.objects.get(account=account)
    assert writer.not_before == writer.next_work_at
    batch.refresh_from_db()
    assert batch.reason.endswith("It goes on by itself.")


def test_a_refusal_that_names_nobody_is_narrowed_down(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    """Apple no longer lets one of two titles go to devices, and does not say which."""
    fake.purchase(account.uid, PAGES, quantity=5)
    both = synced(account)
    fake.location(account.uid).asset(PAGES).device_assignable = False

    batch = begin("grant", [both[KEYNOTE], both[PAGES]], serials=["S1", "S2"])
    drain(account, fake)

    items = BatchItem.objects.filter(batch=batch).order_by("licensed_app__adam_id", "holder")
    assert [(i.licensed_app.adam_id, i.state, i.error_number) for i in items] == [
        (KEYNOTE, "succeeded", None),
        (KEYNOTE, "succeeded", None),
        (PAGES, "failed", 9707),
        (PAGES, "failed", 9707),
    ]


@pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])
def test_two_who_confirm_at_once_do_not_share_the_last_license(
    fake: FakeApple, account: VppAccount
) -> None:
    fake.purchase(account.uid, KEYNOTE, quantity=1)
    titles = synced(account)
    plans = [plan([titles[KEYNOTE]], [serial]) for serial in ("S1", "S2")]
    begun: list[str] = []
    together = threading.Barrier(2)

    def confirm(made: BatchPlan) -> None:
        together.wait()
        try:
            batch = batches.start(by=BY, membership=None, plan=made)
            begun.append(states(batch).popitem()[1])
        except PlanGotWorse:
            begun.append("shown again")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=confirm, args=[made]) for made in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(begun) == ["planned", "shown again"]


def test_one_more_call_is_counted_for_each_request(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    fake.change_settings({"limits": {"maxSerialNumbers": 1}})
    batch = begin("grant", [titles[KEYNOTE]], serials=["S1", "S2", "S3"])

    drain(account, fake)

    batch.refresh_from_db()
    # The first was cut by limits of before, which Apple refused.
    assert batch.calls == AppleOperation.objects.count() == 1 + 3


def test_removing_an_account_says_what_ends_unfinished_and_ends_it(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    begin("grant", [titles[KEYNOTE]], serials=["S1", "S2", "S3", "S4"])

    consequences = removal_consequences(account)
    remove_account(by=BY, account=account, typed_name=account.name)

    told = "Licenses that are being changed or waited for, and now no longer: 4."
    assert told in consequences.stops
    assert not BatchItem.objects.exists()
    batches.run(account_id=account.pk)  # a bell that was still ringing
    assert at_apple(fake, account) == set()


def test_removing_an_account_does_not_call_people_licenses(account: VppAccount) -> None:
    batch = BatchFactory(account=account, organization=account.organization, kind="invite")
    person = {"holder_kind": "user", "holder": "ada", "licensed_app": None, "state": "planned"}
    for kind in ("register", "invite"):
        BatchItemFactory(batch=batch, kind=kind, **person)

    stops = removal_consequences(account).stops

    assert [line for line in stops if "no longer" in line] == [
        "People who are being registered, changed, invited or retired, and now no longer: 1."
    ]


def test_what_was_cancelled_is_not_tried_again_with_what_failed(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    fake.purchase(account.uid, PAGES, quantity=5)
    both = synced(account)
    batch = begin("grant", [both[KEYNOTE], both[PAGES]], serials=["S1", "S2"])
    items = BatchItem.objects.filter(batch=batch)
    items.update(state="cancelled")
    for title, serial in ((KEYNOTE, "S1"), (PAGES, "S2")):
        items.filter(licensed_app=both[title], holder=serial).update(state="failed")

    batches.retry(by=BY, membership=None, batch=batch)
    drain(account, fake)

    assert at_apple(fake, account) == {(KEYNOTE, "S1"), (PAGES, "S2")}
