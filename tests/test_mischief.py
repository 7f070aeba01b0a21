"""What happens at the wrong moment, and what should never have been sent."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.utils import timezone

from licensing import sync
from licensing.metadata import fetch_for_account
from licensing.models import Assignment, LicensedApp
from licensing.sync import engine
from licensing.tasks import requeue_lost_syncs
from organizations.audit import Actor
from organizations.models import AuditEvent
from organizations.refusals import Refusal
from tests.factories import AppFactory, LicensedAppFactory, SyncRunFactory
from vpp_accounts import health, services, stoken
from vpp_accounts.apple.errors import ClaimedByAnother, Throttled, Unavailable
from vpp_accounts.apple.types import MdmInfo
from vpp_accounts.connections import within
from vpp_accounts.models import AccountState, SyncRun, VppAccount
from vpp_accounts.runs import request_sync
from vpp_accounts.services import Rights

KEYNOTE = "361285480"


def token_with(**changes: object) -> str:
    content = {"token": "x", "expDate": "2027-05-01T10:11:12+0000", "orgName": "Example"}
    return base64.b64encode(json.dumps(content | changes).encode()).decode()


@pytest.mark.parametrize(
    "date", ["9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"]
)
def test_a_date_at_the_end_of_time_is_refused(date: str) -> None:
    with pytest.raises(Refusal, match="cannot be right"):
        stoken.parse(token_with(expDate=date))


@pytest.mark.parametrize("content", [b"[" * 30_000, b'{"token": "\\ud800"'])
def test_json_that_breaks_parsers_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal, match="there is no JSON in it"):
        stoken.parse(base64.b64encode(content))


def test_a_nul_in_the_organizations_name_is_left_out() -> None:
    assert stoken.parse(token_with(orgName="Exam\x00ple")).org_name == "Example"


def test_a_renewal_ends_the_sync_that_still_uses_the_old_token(by, account, fake) -> None:
    old = request_sync(by=by, account=account, trigger=SyncRun.Trigger.MANUAL)
    SyncRun.objects.claim(old.pk)

    services.renew_token(
        by=by, account=account, token_text=fake.location(account.uid).issue_token()
    )

    old.refresh_from_db()
    assert (old.is_open, old.message) == (False, "The token was renewed meanwhile.")
    assert SyncRun.objects.open().get(account=account).trigger == SyncRun.Trigger.RENEWED


def test_a_renewal_keeps_what_was_edited_meanwhile(by, account, fake, owner) -> None:
    as_read_before = VppAccount.objects.get(pk=account.pk)
    services.edit_account(
        by=by,
        account=account,
        name="New name",
        rights=Rights(allowed_admins="named", named_admins=[owner]),
    )

    services.renew_token(
        by=by, account=as_read_before, token_text=fake.location(account.uid).issue_token()
    )

    account.refresh_from_db()
    assert (account.name, account.allowed_admins) == ("New name", "named")


def test_editing_one_thing_keeps_what_another_admin_changed(by, account, owner) -> None:
    as_read_before = VppAccount.objects.get(pk=account.pk)
    services.edit_account(
        by=by, account=account, rights=Rights(allowed_admins="named", named_admins=[owner])
    )

    services.edit_account(by=by, account=as_read_before, name="New name")

    account.refresh_from_db()
    assert (account.name, account.allowed_admins) == ("New name", "named")


def test_removing_an_account_takes_its_running_sync_along(by, account, fake) -> None:
    run = request_sync(by=by, account=account, trigger=SyncRun.Trigger.MANUAL)

    services.remove_account(by=by, account=account, typed_name=account.name)

    assert not SyncRun.objects.filter(pk=run.pk).exists()
    assert sync.run(sync_run_id=run.pk) is None


def test_a_title_bought_during_the_walk_is_read_whole_next_time(account, fake, by) -> None:
    """Bought and assigned between the walk over the assets and the one over the assignments."""
    fake.purchase(account.uid, "361309726", quantity=1)

    def buy(answer: object) -> None:
        fake.purchase(account.uid, KEYNOTE, quantity=5)
        fake.assign(account.uid, KEYNOTE, serial_numbers=["SERIAL1"])

    for between in (buy, None):
        run = request_sync(by=by, account=account, trigger=SyncRun.Trigger.MANUAL)
        with after_the_assets(between):
            sync.run(sync_run_id=run.pk)
        account.refresh_from_db()

    assert Assignment.objects.filter(account=account).count() == 1


@contextmanager
def after_the_assets(happens) -> Iterator[None]:
    """Let something happen at Apple once the titles have been read."""
    real = engine.sync_users
    if happens:
        engine.sync_users = lambda *args, **kwargs: (happens(None), real(*args, **kwargs))[1]
    try:
        yield
    finally:
        engine.sync_users = real


def test_a_state_is_changed_from_what_the_row_says(account: VppAccount) -> None:
    as_read_before = VppAccount.objects.get(pk=account.pk)
    VppAccount.objects.filter(pk=account.pk).update(state=AccountState.EXPIRING)
    as_read_before.state = AccountState.IN_SYNC

    health.set_state(as_read_before, AccountState.IN_SYNC)

    assert VppAccount.objects.get(pk=account.pk).state == AccountState.IN_SYNC


def test_dates_move_the_states_of_tokens(account: VppAccount) -> None:
    VppAccount.objects.update(
        state=AccountState.IN_SYNC, token_expires_at=timezone.now() + timedelta(days=29)
    )

    health.note_token_dates()
    expiring = VppAccount.objects.get().state
    VppAccount.objects.update(token_expires_at=timezone.now() - timedelta(days=1))
    health.note_token_dates()

    assert (expiring, VppAccount.objects.get().state) == (
        AccountState.EXPIRING,
        AccountState.EXPIRED,
    )


def test_a_long_and_odd_claimants_name_is_cut(account: VppAccount) -> None:
    error = ClaimedByAnother(MdmInfo(id="x", name="\x00" + "n" * 9000, metadata=""))

    state, reason = health.state_after(error)

    assert (state, len(reason) < 500, "\x00" in reason) == (AccountState.CLAIMED, True, False)


def test_taking_over_what_nobody_claimed_is_refused(by, account) -> None:
    with pytest.raises(Refusal, match="nothing to take over"):
        services.take_over(by=by, account=account)

    assert not AuditEvent.objects.filter(action="vpp_account.taken_over").exists()


def test_a_lost_key_is_said_when_taking_over(by, account, settings) -> None:
    VppAccount.objects.update(state=AccountState.CLAIMED)
    account.refresh_from_db()
    settings.FIELD_ENCRYPTION_KEYS = ["MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="]

    with pytest.raises(Refusal, match="Restore that key, or renew the token"):
        services.take_over(by=by, account=account)


def test_the_sweep_rings_only_for_what_must_have_been_missed(account, monkeypatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr(
        "licensing.tasks.run_sync.delay", lambda sync_run_id: rung.append(sync_run_id)
    )
    run = SyncRunFactory(account=account)
    requeue_lost_syncs()
    just_asked = list(rung)
    SyncRun.objects.update(created_at=timezone.now() - timedelta(minutes=2))

    requeue_lost_syncs()

    assert (just_asked, rung) == ([], [run.pk])


def test_one_odd_title_costs_the_others_nothing(account, fake, monkeypatch) -> None:
    odd = {"name": "Odd", "offers": [{"price": "NaN"}], "genreNames": {"a": 1}, "artwork": [1]}
    good = {"name": "Go\x00od", "offers": [{"price": 1e300}]}
    apps = [AppFactory(adam_id=str(n), name="", metadata_as_of=None) for n in (1, 2)]
    for app in apps:
        LicensedAppFactory(account=account, app=app)
    monkeypatch.setattr(
        "requests.Session.get",
        lambda *args, **kwargs: Answer(json.dumps({"results": {"1": odd, "2": good}}).encode()),
    )

    fetch_for_account(account)

    assert list(LicensedApp.objects.order_by("pk").values_list("app__name", flat=True)) == [
        "",
        "Good",
    ]


class Answer:
    status_code = 200

    def __init__(self, content: bytes) -> None:
        self.content = content


def test_throttling_puts_the_next_sync_off(account, fake, by) -> None:
    fake.set_fault("rate_limit")

    run = request_sync(by=by, account=account, trigger=SyncRun.Trigger.MANUAL)
    sync.run(sync_run_id=run.pk)

    account.refresh_from_db()
    assert account.next_sync_at > timezone.now() + timedelta(minutes=4)
    assert health.state_after(Throttled("slow"))[0] == AccountState.SYNC_FAILED


def test_pages_go_on_without_redis(settings, owner_client, organization) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "organizations.forgiving_cache.ForgivingCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }

    page = owner_client.get(f"/organizations/{organization.pk}/mdm/")

    assert page.status_code == 200
    assert caches["default"].get("anything", "nothing") == "nothing"
    assert caches["default"].incr("count") == 1


def test_a_system_actor_has_no_admin() -> None:
    assert Actor.system("Schedule").admin is None


def test_an_answer_that_never_ends_does_not_hold_a_page() -> None:
    never = threading.Event()

    with pytest.raises(Unavailable, match="not complete after 0 s"):
        within(0.01, never.wait)

    never.set()


def test_what_an_answer_raises_is_raised_where_it_is_waited_for() -> None:
    def refuse() -> None:
        raise Throttled("slow")

    with pytest.raises(Throttled):
        within(5, refuse)
    assert within(5, lambda: "answer") == "answer"
