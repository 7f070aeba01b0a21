"""Whether Apple notifies us: planned on plain values, and by its effect at the fake Apple."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from organizations.audit import Actor
from organizations.models import AuditEvent
from tests.notifying import Mailbox, address_of, deliver, envelope, hash_of, post
from tests.reading import text_of
from tests.test_sync import run_sync
from vpp_accounts import services
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.client_config import NOTIFICATION_TYPES
from vpp_accounts.apple.fake.state import Subscription
from vpp_accounts.apple.types import ClientConfig
from vpp_accounts.models import Notification, Notifications, SyncRun, VppAccount
from vpp_accounts.subscription import (
    KNOWN_TYPES,
    Held,
    Keep,
    Poll,
    Subscribe,
    plan_subscription,
    wanted_types,
    why_polling,
)

CONFIG = "/mdm/v2/client/config"
URL = "https://vpp.example.org/notifications/apple/7e1f"
OLD_URL = "https://old.example.org/notifications/apple/7e1f"
ON, POLLING, NEW = Notifications.ON, Notifications.POLLING, Notifications.NOT_SET_UP
REFUSED = Held(mode=POLLING, reason=f"Apple could not reach {URL}: check DNS.")
READ_ONLY = (
    f"Apple lets this token read but not change anything, such as sending to {URL}. "
    "It is tried again with the next full sync."
)


def said(url: str | None = URL, secret: str | None = "s", types=KNOWN_TYPES) -> ClientConfig:
    return ClientConfig(
        uid="1",
        location_name="North",
        country="US",
        default_platform="volumestore",
        website_url="",
        token_expires_at=None,
        mdm_info=None,
        notification_url=url,
        notification_auth_token=secret,
        notification_types=types,
    )


SUBSCRIBE = Subscribe(URL, KNOWN_TYPES)
SETTLED = Held(secret_hash=hash_of("s"), mode=ON)
PLANS = {
    "all is well": (said(), SETTLED, {}, Keep(hash_of("s"))),
    "one more type than we want": (
        said(types=NOTIFICATION_TYPES),
        SETTLED,
        {},
        Keep(hash_of("s")),
    ),
    "never subscribed": (said(None, None, ()), Held(), {}, SUBSCRIBE),
    "never subscribed, and both know no secret": (said(secret=None), Held(mode=ON), {}, SUBSCRIBE),
    "another address": (said(OLD_URL), SETTLED, {}, SUBSCRIBE),
    "another secret": (said(secret="theirs"), SETTLED, {}, SUBSCRIBE),
    "a type is missing": (said(types=KNOWN_TYPES[1:]), SETTLED, {}, SUBSCRIBE),
    "a new token": (said(), Held(secret_hash=hash_of("s"), mode=NEW), {}, SUBSCRIBE),
    "a lost answer, and Apple has it": (
        said(),
        Held(secret_hash="old", new_secret_hash=hash_of("s"), mode=NEW),
        {},
        Keep(hash_of("s")),
    ),
    "a lost answer, and Apple has it not": (
        said(secret="old"),
        Held(secret_hash=hash_of("old"), new_secret_hash=hash_of("s"), mode=NEW),
        {},
        SUBSCRIBE,
    ),
    "refused before": (said(None, None, ()), REFUSED, {}, Poll(REFUSED.reason)),
    "refused before, a full sync": (said(None, None, ()), REFUSED, {"is_due": True}, SUBSCRIBE),
    "another address was refused": (
        said(None, None, ()),
        Held(mode=POLLING, reason=f"Apple could not reach {OLD_URL}."),
        {},
        SUBSCRIBE,
    ),
    "refused anew, but the old one still works": (
        said(),
        Held(secret_hash=hash_of("s"), mode=POLLING, reason=REFUSED.reason),
        {},
        Keep(hash_of("s")),
    ),
    "a token that may only read": (
        said(None, None, ()),
        Held(),
        {"may_write": False, "is_due": True},
        Poll(READ_ONLY),
    ),
    "may only read, and is subscribed": (
        said(),
        Held(secret_hash=hash_of("s"), mode=NEW),
        {"may_write": False},
        Keep(hash_of("s")),
    ),
    "switched off": (said(), SETTLED, {"why_not": "Off."}, Poll("Off.", unsubscribe=True)),
    "switched off, at an address of before": (
        said(OLD_URL),
        SETTLED,
        {"why_not": "Off."},
        Poll("Off.", unsubscribe=True),
    ),
    "off for long, and Apple refused to end it": (
        said(),
        Held(mode=POLLING),
        {"why_not": "Off."},
        Poll("Off."),
    ),
    "off for long, a full sync": (
        said(),
        Held(mode=POLLING),
        {"why_not": "Off.", "is_due": True},
        Poll("Off.", unsubscribe=True),
    ),
    "off, and Apple sends nothing": (said(types=()), SETTLED, {"why_not": "Off."}, Poll("Off.")),
    "off, and Apple sends to somebody else": (
        said("https://mdm.example.net/apple"),
        SETTLED,
        {"why_not": "Off."},
        Poll("Off."),
    ),
    "off, and we may not write": (
        said(),
        SETTLED,
        {"why_not": "Off.", "may_write": False},
        Poll("Off."),
    ),
}


@pytest.mark.parametrize("case", PLANS)
def test_plan_subscription(case: str) -> None:
    config, held, circumstances, expected = PLANS[case]

    plan = plan_subscription(config, held, url=URL, types=KNOWN_TYPES, **circumstances)

    assert plan == expected


@pytest.mark.parametrize(
    "base_url",
    [
        "https://vpp.example.org",
        "https://vpp.example.org:8443",
        "https://8.8.8.8",
        "https://[2600::]",
    ],
)
def test_auto_wants_notifications_at_a_public_address(base_url: str) -> None:
    assert why_polling("auto", base_url) == ""


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "vpp.localhost",
        "127.0.0.1",
        "127.8.0.1:8000",
        "[::1]",
        "10.1.2.3",
        "172.16.0.9",
        "192.168.1.2",
        "169.254.1.1",
        "vpp",
        "vpp.local",
        "vpp.school.internal",
    ],
)
def test_auto_polls_where_apple_cannot_come(host: str) -> None:
    reason = why_polling("auto", f"https://{host}")

    assert reason == (
        f"Apple cannot reach https://{host}, which is BASE_URL, from the internet. "
        "Set BASE_URL to the public https address of this server."
    )


def test_auto_polls_without_https() -> None:
    assert why_polling("auto", "http://vpp.example.org") == (
        "Apple sends notifications to https addresses only, and BASE_URL is http://vpp.example.org. "
        "Set BASE_URL to the public https address of this server."
    )


def test_on_and_off_do_not_look_at_the_address() -> None:
    assert why_polling("on", "http://127.0.0.1:8000") == ""
    assert why_polling("off", "https://vpp.example.org") == (
        "APPLE_NOTIFICATIONS is off. Set it to auto to hear of changes at once."
    )


def test_only_types_that_apple_offers_are_asked_for() -> None:
    offered = ("SUBSCRIPTION_COUNT", "USER_ASSOCIATED", "ASSET_COUNT")

    assert wanted_types(offered) == ("ASSET_COUNT", "USER_ASSOCIATED")
    assert wanted_types(()) == KNOWN_TYPES


def test_a_setting_that_means_nothing_stops_the_start() -> None:
    env = os.environ | {"APPLE_NOTIFICATIONS": "perhaps", "VPP_ENVIRONMENT": "test"}

    started = subprocess.run(
        [sys.executable, "-c", "import vpp_dashboard.settings"],
        cwd=Path(__file__).resolve().parent.parent,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode == 1
    assert "APPLE_NOTIFICATIONS is perhaps, and can be one of: auto, on, off." in started.stderr


# --- by effect ------------------------------------------------------------------------------------


@pytest.fixture
def public(settings, fake: FakeApple, account: VppAccount) -> VppAccount:
    """An account of an installation that Apple can reach."""
    settings.BASE_URL = "https://vpp.example.org"
    settings.APPLE_NOTIFICATIONS = "auto"
    fake.deliver = deliver
    return account


@pytest.fixture
def subscribed(public: VppAccount) -> VppAccount:
    run_sync(public)
    return public


def receiver(fake: FakeApple, account: VppAccount) -> Subscription:
    return fake.location(account.uid).subscription


def posts(fake: FakeApple) -> list[dict]:
    """What was sent to client/config since the journal was emptied."""
    return [e.body for e in fake.journal if (e.method, e.path) == ("POST", CONFIG)]


def own_url(account: VppAccount) -> str:
    return f"https://vpp.example.org{address_of(account)}"


def state_of(account: VppAccount) -> tuple[str, str, str]:
    return (
        account.notifications_mode,
        account.notification_secret_hash,
        account.notification_new_secret_hash,
    )


def test_a_first_sync_subscribes(public: VppAccount, fake: FakeApple) -> None:
    run_sync(public)

    at_apple = receiver(fake, public)
    assert (at_apple.url, tuple(at_apple.types)) == (own_url(public), KNOWN_TYPES)
    assert state_of(public) == (ON, hash_of(at_apple.auth_token), "")
    assert Notification.objects.get().kind == "TEST_NOTIFICATION"
    assert fake.location(public.uid).mdm_info["id"] == str(public.uuid)


def test_the_secret_is_stored_and_logged_nowhere(
    public: VppAccount, fake: FakeApple, caplog: pytest.LogCaptureFixture
) -> None:
    run_sync(public)
    secret = receiver(fake, public).auth_token
    fake.deliver = lambda *sent: None
    receiver(fake, public).types.clear()

    run_sync(public)

    stored = str([*VppAccount.objects.values(), *SyncRun.objects.values()])
    told = str([*AuditEvent.objects.values(), *Notification.objects.values()])
    assert "subscription.failed" in caplog.text
    assert len(secret) > 40
    assert secret not in stored + told + caplog.text


def test_turning_on_and_off_is_told_in_activity(
    subscribed: VppAccount, fake: FakeApple, settings
) -> None:
    settings.APPLE_NOTIFICATIONS = "off"

    run_sync(subscribed)

    told = AuditEvent.objects.filter(action__contains="notifications").order_by("pk")
    assert [(event.action, event.after) for event in told] == [
        ("vpp_account.notifications_on", None),
        (
            "vpp_account.notifications_off",
            {"reason": "APPLE_NOTIFICATIONS is off. Set it to auto to hear of changes at once."},
        ),
    ]


def test_the_next_sync_leaves_it_as_it_is(subscribed: VppAccount, fake: FakeApple) -> None:
    before, as_stored = receiver(fake, subscribed), state_of(subscribed)
    fake.journal.clear()

    run_sync(subscribed)

    assert posts(fake) == []
    assert receiver(fake, subscribed) == before
    assert state_of(subscribed) == as_stored


@pytest.mark.parametrize(
    "changed",
    [
        Subscription("https://elsewhere.example.org/hook", "theirs", list(KNOWN_TYPES)),
        Subscription(),
    ],
)
def test_what_somebody_changed_at_apple_is_put_right(
    subscribed: VppAccount, fake: FakeApple, changed: Subscription
) -> None:
    before = receiver(fake, subscribed).auth_token
    fake.location(subscribed.uid).subscription = changed

    run_sync(subscribed)

    at_apple = receiver(fake, subscribed)
    assert (at_apple.url, tuple(at_apple.types)) == (own_url(subscribed), KNOWN_TYPES)
    assert at_apple.auth_token not in (before, "theirs")
    assert state_of(subscribed) == (ON, hash_of(at_apple.auth_token), "")


def test_a_new_base_url_is_told_to_apple(subscribed: VppAccount, fake: FakeApple, settings) -> None:
    settings.BASE_URL = "https://vpp.example.net"

    run_sync(subscribed)

    assert receiver(fake, subscribed).url == f"https://vpp.example.net{address_of(subscribed)}"


def test_a_renewed_token_brings_a_new_secret(
    subscribed: VppAccount, fake: FakeApple, by: Actor
) -> None:
    before = receiver(fake, subscribed).auth_token
    services.renew_token(
        by=by, account=subscribed, token_text=fake.location(subscribed.uid).issue_token()
    )

    run_sync(subscribed)

    after = receiver(fake, subscribed).auth_token
    assert after != before
    assert state_of(subscribed) == (ON, hash_of(after), "")


def test_a_receiver_out_of_reach_means_polling_until_the_next_full_sync(
    public: VppAccount, fake: FakeApple
) -> None:
    fake.deliver = lambda *sent: None

    first = run_sync(public)
    refused = (public.notifications_mode, public.notifications_reason, state_of(public)[1:])
    fake.deliver = deliver
    fake.journal.clear()
    run_sync(public)
    tried_in_vain = (posts(fake), public.notifications_mode)
    run_sync(public, full=True)

    assert first.outcome == SyncRun.Outcome.SUCCEEDED
    assert refused == (
        POLLING,
        f"Apple could not reach {own_url(public)} (9728): check DNS, certificate and firewall. "
        "It is tried again with the next full sync.",
        ("", ""),
    )
    assert tried_in_vain == ([], POLLING)
    assert state_of(public) == (ON, hash_of(receiver(fake, public).auth_token), "")


def test_a_refused_renewal_keeps_what_worked(
    subscribed: VppAccount, fake: FakeApple, by: Actor
) -> None:
    before = receiver(fake, subscribed)
    services.renew_token(
        by=by, account=subscribed, token_text=fake.location(subscribed.uid).issue_token()
    )
    fake.deliver = lambda *sent: None

    run_sync(subscribed)

    assert receiver(fake, subscribed) == before
    assert state_of(subscribed) == (POLLING, hash_of(before.auth_token), "")
    assert post(subscribed, envelope(subscribed), secret=before.auth_token).status_code == 200


def test_apple_refuses_an_address_without_https(
    public: VppAccount, fake: FakeApple, settings
) -> None:
    settings.BASE_URL, settings.APPLE_NOTIFICATIONS = "http://127.0.0.1:8000", "on"

    run = run_sync(public)

    assert (run.outcome, public.notifications_mode) == (SyncRun.Outcome.SUCCEEDED, POLLING)
    assert public.notifications_reason == (
        f"Apple does not take http://127.0.0.1:8000{address_of(public)} (9712): BASE_URL must be "
        "https, a host and a path only. It is tried again with the next full sync."
    )


@pytest.fixture
def not_yet(public: VppAccount, settings) -> VppAccount:
    """In sync and polling; the next sync subscribes, and that is its only write."""
    settings.APPLE_NOTIFICATIONS = "off"
    run_sync(public)
    settings.APPLE_NOTIFICATIONS = "auto"
    return public


def test_a_lost_answer_leaves_the_new_secret_good_and_the_next_sync_finds_out(
    not_yet: VppAccount, fake: FakeApple
) -> None:
    fake.set_fault("answer_lost", path=CONFIG, times=1)

    lost = run_sync(not_yet)
    at_apple = receiver(fake, not_yet)
    uncertain = state_of(not_yet)
    answered = post(not_yet, envelope(not_yet), secret=at_apple.auth_token).status_code
    fake.journal.clear()
    run_sync(not_yet)

    assert (lost.outcome, answered) == (SyncRun.Outcome.SUCCEEDED, 200)
    assert uncertain == (NEW, "", hash_of(at_apple.auth_token))
    assert posts(fake) == []
    assert state_of(not_yet) == (ON, hash_of(at_apple.auth_token), "")


def test_a_worker_that_dies_within_the_call_is_followed_by_one_that_finds_out(
    not_yet: VppAccount, fake: FakeApple
) -> None:
    def received(url: str, headers: dict[str, str], body: bytes) -> int:
        deliver(url, headers, body)
        raise SystemExit("killed")

    fake.deliver = received
    with pytest.raises(SystemExit):
        run_sync(not_yet)
    fake.deliver = deliver

    run_sync(not_yet)

    assert state_of(not_yet) == (ON, hash_of(receiver(fake, not_yet).auth_token), "")


@pytest.mark.parametrize("fault", ["overload", "rate_limit", "refused_connection"])
def test_a_busy_apple_is_asked_again_by_the_next_sync(
    not_yet: VppAccount, fake: FakeApple, fault: str
) -> None:
    fake.set_fault(fault, path=CONFIG, after=1, times=1)  # the read goes well

    busy = run_sync(not_yet)
    mode = not_yet.notifications_mode
    run_sync(not_yet)

    assert (busy.outcome, mode) == (SyncRun.Outcome.SUCCEEDED, NEW)
    assert state_of(not_yet) == (ON, hash_of(receiver(fake, not_yet).auth_token), "")


def test_a_token_that_dies_within_the_call_stops_the_account(
    not_yet: VppAccount, fake: FakeApple
) -> None:
    fake.set_fault("token_revoked", path=CONFIG, after=1)

    run = run_sync(not_yet)

    assert (run.outcome, run.error_number, not_yet.state) == ("failed", 9625, "revoked")


def test_a_token_that_may_only_read_means_polling(public: VppAccount, fake: FakeApple) -> None:
    fake.set_fault("read_only")

    run_sync(public)

    assert (public.state, public.notifications_mode) == ("read_only", POLLING)
    assert public.notifications_reason == READ_ONLY.replace(URL, own_url(public))
    assert receiver(fake, public).url == ""


def test_switching_off_ends_the_subscription_once(
    subscribed: VppAccount, fake: FakeApple, settings
) -> None:
    settings.APPLE_NOTIFICATIONS = "off"
    fake.journal.clear()

    run_sync(subscribed)
    run_sync(subscribed)

    assert [(sent["notificationTypes"], sent["mdmInfo"]["id"]) for sent in posts(fake)] == [
        ([], str(subscribed.uuid))
    ]
    assert receiver(fake, subscribed).types == []
    assert subscribed.notifications_mode == POLLING


def test_switching_off_goes_on_where_apple_refuses(
    subscribed: VppAccount, fake: FakeApple, settings
) -> None:
    settings.APPLE_NOTIFICATIONS = "off"
    fake.deliver = lambda *sent: None

    run = run_sync(subscribed)

    assert (run.outcome, subscribed.notifications_mode) == (SyncRun.Outcome.SUCCEEDED, POLLING)


def test_an_apple_that_forgets_what_is_left_out_ends_claimed_and_subscribed(
    public: VppAccount, fake: FakeApple
) -> None:
    fake.settings.guesses.omitted_config_fields_stay = False

    run_sync(public)
    run_sync(public, full=True)

    assert fake.location(public.uid).mdm_info["id"] == str(public.uuid)
    assert receiver(fake, public).url == own_url(public)
    assert state_of(public) == (ON, hash_of(receiver(fake, public).auth_token), "")


@pytest.mark.django_db(transaction=True)
def test_the_secret_is_committed_before_apple_tries_it(public: VppAccount, fake: FakeApple) -> None:
    """As Apple sees it: through another process with a connection of its own."""
    statuses: list[int] = []

    def elsewhere(*sent: object) -> int:
        def receive() -> None:
            statuses.append(deliver(*sent))
            connections.close_all()

        thread = threading.Thread(target=receive)
        thread.start()
        thread.join()
        return statuses[-1]

    fake.deliver = elsewhere

    run_sync(public)

    assert statuses == [200]
    assert public.notifications_mode == ON


def test_notifications_arrive_from_then_on(subscribed: VppAccount, fake: FakeApple) -> None:
    fake.purchase(subscribed.uid, "361285480", quantity=3)

    fake.run_due()

    assert list(Notification.objects.order_by("pk").values_list("kind", flat=True)) == [
        "TEST_NOTIFICATION",
        "ASSET_COUNT",
    ]


# --- shown ----------------------------------------------------------------------------------------


def mdm(account: VppAccount) -> str:
    return reverse("licensing:mdm", args=[account.organization_id])


def test_mdm_says_that_apple_notifies(
    subscribed: VppAccount, owner_client: Client, reader_client: Client
) -> None:
    for client in (owner_client, reader_client):
        assert "Notifications from Apple: on, last today" in text_of(client.get(mdm(subscribed)))


def test_mdm_says_why_it_polls(
    account: VppAccount, owner_client: Client, reader_client: Client, outsider_client: Client
) -> None:
    run_sync(account)
    reason = (
        "Apple sends notifications to https addresses only, and BASE_URL is "
        "http://127.0.0.1:8000. Set BASE_URL to the public https address of this server."
    )
    own = reverse("licensing:account_notifications", args=[account.organization_id, account.pk])

    for client in (owner_client, reader_client):
        assert f"Polling only : {reason}" in text_of(client.get(mdm(account)))
        assert f"Polling only: {reason}" in text_of(client.get(own))
    assert outsider_client.get(own).status_code == 404


def test_before_the_first_sync_nothing_is_promised(
    account: VppAccount, owner_client: Client
) -> None:
    assert "Notifications from Apple: not set up yet" in text_of(owner_client.get(mdm(account)))


def test_a_mailbox_full_of_nothing_is_no_subscription(
    public: VppAccount, fake: FakeApple, settings
) -> None:
    """Polling sends Apple nowhere: not one notification leaves it."""
    settings.APPLE_NOTIFICATIONS = "off"
    fake.deliver = sent = Mailbox()

    run_sync(public)
    fake.purchase(public.uid, "361285480", quantity=3)
    fake.advance(600)

    assert sent == []
