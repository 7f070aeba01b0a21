"""An account between MDMs and after its removal: checked, taken over, taken leave of."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from licensing.models import Assignment
from organizations.audit import Actor
from organizations.models import AuditEvent, Organization
from organizations.refusals import Refusal
from tests.api.conftest import ApiClient, client_of
from tests.mdm_forms import at
from tests.notifying import address_of, deliver, envelope, post
from tests.reading import text_of
from tests.test_sync import run_sync
from vpp_accounts import services
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import (
    AccountState,
    FormerClaim,
    Notification,
    Notifications,
    SyncRun,
    VppAccount,
)
from vpp_accounts.refusals import AnotherMdmThanShown
from vpp_accounts.runs import request_sync
from vpp_accounts.services import Rights, goodbye
from vpp_accounts.tasks import (
    check_claimed_account,
    check_claimed_accounts,
    say_due_goodbyes,
    say_goodbye,
)

CONFIG = "/mdm/v2/client/config"
KEYNOTE = "361285480"
OTHER = {"id": "other", "name": "Other MDM", "metadata": "mdm.example.net"}
SECOND = {"id": "second", "name": "Second MDM", "metadata": ""}
NOTICED = "“Other MDM” manages this location now, and all our work for it has stopped."


# --- claimed by another MDM -----------------------------------------------------------------------


@pytest.fixture
def claimed(account: VppAccount, fake: FakeApple) -> VppAccount:
    """In sync, then claimed by another MDM, which the next sync noticed."""
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.assign(account.uid, KEYNOTE, serial_numbers=["OURS1"])
    run_sync(account)
    fake.claim(account.uid, OTHER)
    run_sync(account)
    assert (account.state, account.state_reason) == (AccountState.CLAIMED, NOTICED)
    return account


def checked(account: VppAccount) -> VppAccount:
    check_claimed_account(account_id=account.pk)
    account.refresh_from_db()
    return account


def test_a_check_says_who_still_manages_the_location(claimed: VppAccount) -> None:
    checked(claimed)

    assert (claimed.state, claimed.state_reason) == (
        AccountState.CLAIMED,
        "“Other MDM” still manages this location.",
    )
    assert claimed.claim_confirmed_at == claimed.claim_checked_at is not None


def test_a_check_says_that_another_one_has_followed(claimed: VppAccount, fake: FakeApple) -> None:
    fake.claim(claimed.uid, SECOND)

    assert checked(claimed).state_reason == "“Second MDM” still manages this location."


def test_a_check_says_that_the_other_mdm_has_left_and_resumes_nothing(
    claimed: VppAccount, fake: FakeApple
) -> None:
    fake.unclaim(claimed.uid)
    fake.journal.clear()

    checked(claimed)

    assert (claimed.state, claimed.state_reason) == (
        AccountState.CLAIMED,
        "The other MDM has left this location. Take over to resume the work here.",
    )
    assert [(each.method, each.path) for each in fake.journal] == [("GET", CONFIG)]
    with pytest.raises(Refusal, match="The other MDM has left"):
        request_sync(by=Actor.system("Test"), account=claimed, trigger=SyncRun.Trigger.SCHEDULE)


@pytest.mark.parametrize("fault", ["refused_connection", "overload", "token_revoked", "withdrawn"])
def test_a_check_that_fails_changes_nothing(
    claimed: VppAccount, fake: FakeApple, fault: str
) -> None:
    fake.set_fault(fault)

    checked(claimed)

    assert (claimed.state_reason, claimed.claim_checked_at) == (NOTICED, None)


def test_a_check_comes_too_late_for_an_account_that_was_resumed(
    claimed: VppAccount, by: Actor
) -> None:
    services.take_over(by=by, account=claimed, shown_id="other")

    checked(claimed)

    assert (claimed.state, claimed.state_reason) == (AccountState.SYNCING, "")


def test_only_claimed_accounts_are_checked(
    claimed: VppAccount, fake: FakeApple, organization: Organization, by: Actor, monkeypatch
) -> None:
    services.add_account(
        by=by,
        organization=organization,
        name="South",
        email="vpp@example.org",
        token_text=fake.create_location(name="South").issue_token(),
        rights=Rights(),
    )
    rung: list[int] = []
    monkeypatch.setattr(check_claimed_account, "delay", lambda account_id: rung.append(account_id))

    check_claimed_accounts()

    assert rung == [claimed.pk]


def test_the_banner_tells_the_check_with_its_time(
    claimed: VppAccount, owner_client: Client, reader_client: Client
) -> None:
    before = text_of(owner_client.get(at("account_runs", claimed)))
    checked(claimed)
    moment = timezone.localtime(claimed.claim_checked_at)

    for client in (owner_client, reader_client):
        shown = text_of(client.get(at("account_runs", claimed)))
        assert f"“Other MDM” still manages this location. Checked today {moment:%H:%M}." in shown
    assert "Checked" not in before


def test_the_check_of_an_earlier_claim_is_not_shown(claimed: VppAccount, fake: FakeApple) -> None:
    checked(claimed)
    VppAccount.objects.update(state_since=timezone.now() + timedelta(seconds=1))

    claimed.refresh_from_db()

    assert claimed.claim_confirmed_at is None


# --- taking over ----------------------------------------------------------------------------------


def test_what_the_other_mdm_assigned_is_marked_as_its_own(
    claimed: VppAccount, fake: FakeApple, by: Actor
) -> None:
    fake.assign(claimed.uid, KEYNOTE, serial_numbers=["THEIRS1", "THEIRS2"])
    services.take_over(by=by, account=claimed, shown_id="other")
    run_sync(claimed)
    fake.assign(claimed.uid, KEYNOTE, serial_numbers=["LATER1"])

    run_sync(claimed)

    origins = Assignment.objects.filter(account=claimed).values_list("holder", "origin")
    assert dict(origins) == {
        "OURS1": "apple",
        "THEIRS1": "other_mdm",
        "THEIRS2": "other_mdm",
        "LATER1": "apple",
    }


def test_adding_a_location_of_another_mdm_marks_what_that_assigned(
    fake: FakeApple, organization: Organization, by: Actor
) -> None:
    location = fake.create_location(name="South")
    fake.purchase(location.uid, KEYNOTE, quantity=3)
    fake.assign(location.uid, KEYNOTE, serial_numbers=["THEIRS1"])
    fake.claim(location.uid, OTHER)
    account = services.add_account(
        by=by,
        organization=organization,
        name="South",
        email="vpp@example.org",
        token_text=location.issue_token(),
        rights=Rights(),
        take_over=True,
    )

    run_sync(account)

    assert Assignment.objects.get().origin == Assignment.Origin.OTHER_MDM


def test_taking_over_works_when_the_other_mdm_has_left(
    claimed: VppAccount, fake: FakeApple, by: Actor
) -> None:
    fake.unclaim(claimed.uid)

    services.take_over(by=by, account=claimed)
    run_sync(claimed)

    assert claimed.state == AccountState.IN_SYNC
    assert fake.location(claimed.uid).mdm_info["id"] == str(claimed.uuid)


@pytest.mark.parametrize("shown", ["", "other"])
def test_only_the_mdm_that_was_shown_is_displaced(
    claimed: VppAccount, fake: FakeApple, by: Actor, shown: str
) -> None:
    fake.claim(claimed.uid, SECOND)

    with pytest.raises(AnotherMdmThanShown) as refused:
        services.take_over(by=by, account=claimed, shown_id=shown)

    assert str(refused.value) == (
        "“Second MDM” manages this location now. Confirm that this is the MDM to displace; its id is "
        "second."
    )
    claimed.refresh_from_db()
    assert (claimed.state, claimed.take_over_from) == (AccountState.CLAIMED, "")
    assert not AuditEvent.objects.filter(action="vpp_account.taken_over").exists()


def test_the_window_asks_again_when_another_one_came(
    claimed: VppAccount, fake: FakeApple, owner_client: Client
) -> None:
    window = at("account_take_over", claimed)
    first = owner_client.get(window)
    fake.claim(claimed.uid, SECOND)

    refused = owner_client.post(window, {"mdm_id": "other"})
    confirmed = owner_client.post(window, {"mdm_id": "second"})

    assert "Who manages it right now: “Other MDM”. What it says about itself: mdm.example.net" in (
        text_of(first)
    )
    assert "“Second MDM” manages this location now. Confirm" in text_of(refused)
    assert 'name="mdm_id" value="second"' in refused.content.decode()
    assert confirmed.status_code == 302
    claimed.refresh_from_db()
    assert (claimed.state, claimed.take_over_from) == (AccountState.SYNCING, "second")


def test_the_window_says_that_nobody_is_displaced(
    claimed: VppAccount, fake: FakeApple, owner_client: Client
) -> None:
    fake.unclaim(claimed.uid)

    shown = owner_client.get(at("account_take_over", claimed))

    assert "The other MDM has left: right now nobody manages this location" in text_of(shown)
    assert "mdm_id" not in shown.content.decode()


def test_the_window_without_an_answer_of_apple_says_so(
    claimed: VppAccount, fake: FakeApple, owner_client: Client
) -> None:
    fake.set_fault("refused_connection")

    shown = owner_client.get(at("account_take_over", claimed))

    assert shown.status_code == 200
    assert "Apple did not answer, so nobody can say which MDM manages the location" in (
        text_of(shown)
    )


def test_a_program_names_the_mdm_that_it_displaces(claimed: VppAccount, owner) -> None:
    api: ApiClient = client_of(owner)
    path = f"/organizations/{claimed.organization_id}/sm/vppAccounts/{claimed.pk}/takeOver"

    refused = api.send("POST", path)
    taken = api.send("POST", path, {"mdmId": "other"})

    assert (refused.status_code, refused.json()) == (
        409,
        {
            "errors": [
                "“Other MDM” manages this location now. Confirm that this is the MDM to displace; "
                "its id is other."
            ],
            "code": "claimed_by_another_mdm",
        },
    )
    assert (taken.status_code, taken.json()["state"]) == (202, "syncing")


# --- removed --------------------------------------------------------------------------------------


@pytest.fixture
def subscribed(settings, account: VppAccount, fake: FakeApple) -> VppAccount:
    settings.BASE_URL = "https://vpp.example.org"
    settings.APPLE_NOTIFICATIONS = "auto"
    fake.deliver = deliver
    run_sync(account)
    assert account.notifications_mode == Notifications.ON
    return account


@pytest.fixture
def removed(subscribed: VppAccount, by: Actor) -> VppAccount:
    """Gone, and Apple still sends here."""
    services.remove_account(by=by, account=subscribed, typed_name=subscribed.name)
    return subscribed


def take_leave() -> FormerClaim:
    """What the worker does when the doorbell rings."""
    former = FormerClaim.objects.get()
    goodbye.say_goodbye(former_claim_id=former.pk)
    former.refresh_from_db()
    return former


def time_passes(**amount: float) -> None:
    """Everything of the former account becomes older by so much."""
    moved = timedelta(**amount)
    for former in FormerClaim.objects.all():
        former.released_at -= moved
        former.next_attempt_at = former.next_attempt_at and former.next_attempt_at - moved
        former.save()


def news() -> list[tuple[str, str, str | None]]:
    """What Organization > Activity tells of the leave: action, account, reason."""
    events = AuditEvent.objects.filter(action__contains="ended").order_by("pk")
    return [(e.action, e.target_name, (e.after or {}).get("reason")) for e in events]


ENDED = ("vpp_account.notifications_ended", "Example Schools North", None)


def not_ended(reason: str) -> tuple[str, str, str]:
    return ("vpp_account.notifications_not_ended", "Example Schools North", reason)


def test_removing_switches_the_notifications_off_and_forgets_the_token(
    removed: VppAccount, fake: FakeApple
) -> None:
    former = take_leave()

    assert fake.location(removed.uid).subscription.types == []
    assert fake.location(removed.uid).mdm_info["id"] == str(removed.uuid)
    assert (former.token_ciphertext, former.next_attempt_at) == ("", None)
    assert news() == [ENDED]


def test_the_token_waits_encrypted_and_the_doorbell_rings(
    subscribed: VppAccount, by: Actor, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(
        "vpp_accounts.receivers.say_goodbye.delay",
        lambda former_claim_id: rung.append(former_claim_id),
    )

    with django_capture_on_commit_callbacks(execute=True):
        services.remove_account(by=by, account=subscribed, typed_name=subscribed.name)

    former = FormerClaim.objects.get()
    assert rung == [former.pk]
    assert (former.organization_id, former.name) == (subscribed.organization_id, subscribed.name)
    assert former.stoken == subscribed.stoken
    assert subscribed.stoken not in former.token_ciphertext


def test_a_broker_that_is_down_is_made_good_by_the_sweep(
    removed: VppAccount, fake: FakeApple, monkeypatch
) -> None:
    monkeypatch.setattr(
        "vpp_accounts.tasks.say_goodbye.delay",
        lambda former_claim_id: say_goodbye(former_claim_id=former_claim_id),
    )

    say_due_goodbyes()

    assert fake.location(removed.uid).subscription.types == []
    assert news() == [ENDED]


def test_an_account_that_was_never_subscribed_leaves_no_token(
    account: VppAccount, by: Actor
) -> None:
    run_sync(account)

    services.remove_account(by=by, account=account, typed_name=account.name)

    former = FormerClaim.objects.get()
    assert (former.token_ciphertext, former.next_attempt_at) == ("", None)


def test_a_secret_on_its_way_to_apple_is_waited_for(subscribed: VppAccount, by: Actor) -> None:
    VppAccount.objects.update(notification_new_secret_hash="f" * 64)

    services.remove_account(by=by, account=subscribed, typed_name=subscribed.name)

    assert FormerClaim.objects.get().next_attempt_at > timezone.now() + timedelta(seconds=20)


def test_two_leave_takings_do_and_tell_the_same_once(removed: VppAccount, fake: FakeApple) -> None:
    take_leave()
    fake.journal.clear()

    take_leave()

    assert (news(), len(fake.journal)) == ([ENDED], 0)


def test_removing_twice_removes_once(removed: VppAccount, by: Actor) -> None:
    services.remove_account(by=by, account=removed, typed_name=removed.name)

    assert AuditEvent.objects.filter(action="vpp_account.removed").count() == 1


def test_apple_finds_the_address_alive_until_the_leave_is_taken(removed: VppAccount) -> None:
    content = envelope(removed)
    Notification.objects.all().delete()

    while_leaving = post(removed, content, secret="whatever").status_code
    take_leave()

    assert while_leaving == 200
    assert post(removed, content, secret="whatever").status_code == 404
    assert not Notification.objects.exists()


def test_the_location_can_be_added_again_at_once(
    removed: VppAccount, fake: FakeApple, organization: Organization, by: Actor
) -> None:
    again = services.add_account(
        by=by,
        organization=organization,
        name="North again",
        email="vpp@example.org",
        token_text=fake.location(removed.uid).issue_token(),
        rights=Rights(),
    )
    run_sync(again)

    take_leave()

    at_apple = fake.location(removed.uid).subscription
    assert at_apple.url == f"https://vpp.example.org{address_of(again)}"
    assert "ASSET_COUNT" in at_apple.types
    assert (news(), again.state) == ([ENDED], AccountState.IN_SYNC)


def test_a_location_that_was_added_again_without_notifications_loses_the_old_ones(
    removed: VppAccount, fake: FakeApple, organization: Organization, by: Actor, settings
) -> None:
    settings.APPLE_NOTIFICATIONS = "off"
    again = services.add_account(
        by=by,
        organization=organization,
        name="North again",
        email="vpp@example.org",
        token_text=fake.location(removed.uid).issue_token(),
        rights=Rights(),
    )
    run_sync(again)

    take_leave()

    assert fake.location(removed.uid).subscription.types == []
    assert fake.location(removed.uid).mdm_info["id"] == str(again.uuid)
    assert news() == [ENDED]


@pytest.mark.parametrize(
    ("fault", "path", "reason"),
    [
        (
            "token_revoked",
            None,
            "Apple has revoked the token: a newer one was downloaded, or its manager's password was "
            "changed. Apple's number 9625.",
        ),
        ("token_expired", None, "The service token has expired. Apple's number 9621."),
        (
            "read_only",
            None,
            "Apple lets this token read but not change anything: its manager lost the right, or "
            "Apple's own device management holds the location. Apple's number 9637.",
        ),
        ("withdrawn", None, "Apple refused to switch them off. Apple's number 9634."),
    ],
)
def test_what_apple_refuses_for_good_is_told_with_the_reason(
    removed: VppAccount, fake: FakeApple, fault: str, path: str | None, reason: str
) -> None:
    fake.set_fault(fault, path=path)

    former = take_leave()

    assert news() == [not_ended(reason)]
    assert (former.token_ciphertext, former.next_attempt_at) == ("", None)


def test_activity_says_what_to_do_about_it(
    removed: VppAccount, fake: FakeApple, owner_client: Client, organization: Organization
) -> None:
    fake.deliver = lambda *sent: None
    take_leave()

    shown = text_of(owner_client.get(f"/organizations/{organization.pk}/activity/"))

    assert "Apple's notifications could not be switched off" in shown
    assert "Apple refused to switch them off. Apple's number 9728." in shown
    assert "Nothing needs to be done here" in shown


def test_a_location_that_another_mdm_has_claimed_is_left_alone(
    removed: VppAccount, fake: FakeApple
) -> None:
    fake.claim(removed.uid, OTHER)
    fake.journal.clear()

    take_leave()

    assert news() == [not_ended("“Other MDM” manages the location now.")]
    assert [each.method for each in fake.journal] == ["GET"]


def test_a_location_whose_notifications_go_elsewhere_is_left_alone(
    removed: VppAccount, fake: FakeApple
) -> None:
    fake.claim(removed.uid, OTHER)
    fake.location(removed.uid).subscription.url = "https://mdm.example.net/apple"

    take_leave()

    assert news() == [ENDED]


def test_an_apple_out_of_reach_is_asked_again_with_growing_pauses_for_a_day(
    removed: VppAccount, fake: FakeApple
) -> None:
    fake.set_fault("refused_connection")
    pauses = []
    for _ in range(7):
        former = take_leave()
        pauses.append(round((former.next_attempt_at - timezone.now()).total_seconds() / 60))
        time_passes(seconds=(former.next_attempt_at - timezone.now()).total_seconds() + 1)
    still_kept = former.token_ciphertext
    time_passes(hours=24)

    former = take_leave()

    assert (pauses, bool(still_kept)) == ([2, 4, 8, 16, 32, 60, 60], True)
    assert news() == [
        not_ended("Apple, or a proxy on the way, gave no usable answer. It was tried for 24 hours.")
    ]
    assert former.token_ciphertext == ""


def test_an_apple_that_comes_back_is_told(removed: VppAccount, fake: FakeApple) -> None:
    fake.set_fault("refused_connection", times=1)
    take_leave()
    too_early = take_leave().attempts
    time_passes(minutes=3)

    take_leave()

    assert (too_early, news()) == (1, [ENDED])
    assert fake.location(removed.uid).subscription.types == []


def test_apples_wish_to_be_left_alone_is_respected(removed: VppAccount, fake: FakeApple) -> None:
    fake.set_fault("overload", args={"retryAfter": 7200})

    former = take_leave()

    assert former.next_attempt_at > timezone.now() + timedelta(minutes=115)


def test_a_lost_answer_is_found_out_by_the_next_attempt(
    removed: VppAccount, fake: FakeApple
) -> None:
    fake.set_fault("answer_lost", times=1)
    lost = take_leave().token_ciphertext
    time_passes(minutes=3)
    fake.journal.clear()

    take_leave()

    assert bool(lost)
    assert ([each.method for each in fake.journal], news()) == (["GET"], [ENDED])


def test_a_worker_that_dies_is_followed_by_another(removed: VppAccount, fake: FakeApple) -> None:
    def killed(*sent: object) -> int:
        raise SystemExit("killed")

    fake.deliver = killed
    with pytest.raises(SystemExit):
        take_leave()
    fake.deliver = deliver
    time_passes(minutes=3)

    take_leave()

    assert news() == [ENDED]
    assert fake.location(removed.uid).subscription.types == []


def test_a_lost_key_ends_the_leave(removed: VppAccount, settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    former = take_leave()

    ((action, _, reason),) = news()
    assert (action, former.token_ciphertext) == ("vpp_account.notifications_not_ended", "")
    assert "cannot be decrypted" in reason


def test_no_token_of_a_removed_account_is_older_than_a_week(
    removed: VppAccount, fake: FakeApple, monkeypatch
) -> None:
    """Whatever hindered the attempts, the sweep takes it."""
    monkeypatch.setattr("vpp_accounts.tasks.say_goodbye.delay", lambda former_claim_id: None)
    time_passes(days=6, hours=23)
    say_due_goodbyes()
    kept = FormerClaim.objects.get().token_ciphertext
    time_passes(hours=2)
    FormerClaim.objects.update(next_attempt_at=timezone.now() + timedelta(days=9))

    say_due_goodbyes()

    assert (bool(kept), FormerClaim.objects.get().token_ciphertext) == (True, "")
    assert news() == [not_ended("It was not tried in time, and the token is not kept for longer.")]


def test_an_organization_that_is_gone_is_told_nothing(removed: VppAccount) -> None:
    FormerClaim.objects.update(organization=None)

    former = take_leave()

    assert (former.token_ciphertext, news()) == ("", [])


def test_a_former_token_moves_to_the_new_key(removed: VppAccount, settings, capsys) -> None:
    new = Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new, *settings.FIELD_ENCRYPTION_KEYS]

    call_command("rotate_encryption_keys")

    settings.FIELD_ENCRYPTION_KEYS = [new]
    take_leave()
    told = capsys.readouterr().out.splitlines()
    assert "Tokens of removed accounts: 1 stored, 1 re-encrypted." in told
    assert news() == [ENDED]


def test_the_window_says_what_becomes_of_notifications_and_token(
    subscribed: VppAccount, owner_client: Client
) -> None:
    shown = text_of(owner_client.get(at("account_remove", subscribed)))

    assert (
        "Apple's notifications are switched off; Organization > Activity says so if Apple refuses. "
        "The stored token is deleted as soon as that is done, a day later at the latest."
    ) in shown


def test_removing_an_account_that_polls_speaks_of_no_notifications(
    account: VppAccount, owner_client: Client
) -> None:
    shown = text_of(owner_client.get(at("account_remove", account)))

    assert "The stored token is deleted." in shown
    assert "notifications" not in shown


def test_nothing_waits_for_apple_inside_a_transaction(removed: VppAccount, fake: FakeApple) -> None:
    depth = len(connection.savepoint_ids)
    seen: list[int] = []

    def received(*sent: object) -> int:
        seen.append(len(connection.savepoint_ids))
        return 200

    fake.deliver = received

    take_leave()

    assert seen == [depth]
