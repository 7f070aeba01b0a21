"""Counts read again out of a sync's turn: the newest word of Apple's stays, whoever asked."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from licensing import sync
from licensing.counts import refresh_titles
from licensing.models import LicenseCount, LicensedApp
from organizations.audit import Actor
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.meanwhile import MovingApple
from vpp_accounts import connections
from vpp_accounts.apple.errors import AppleError
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.wire import Request
from vpp_accounts.models import AccountState, SyncRun, VppAccount
from vpp_accounts.runs import request_sync

TITLES = [str(361285480 + number) for number in range(7)]
KEYS = [(title, "STDQ") for title in TITLES]
FIRST, SECOND = KEYS[:2]


@pytest.fixture
def apple(db: None) -> Iterator[MovingApple]:
    moving = MovingApple()
    with connections.use_fake(moving):
        yield moving


def run_sync(account: VppAccount, *, full: bool = False) -> SyncRun | None:
    run = request_sync(
        by=Actor.system("Test"), account=account, trigger=SyncRun.Trigger.COMMAND, full=full
    )
    finished = sync.run(sync_run_id=run.pk)
    account.refresh_from_db()
    return finished


@pytest.fixture
def synced(apple: MovingApple, organization: Organization) -> VppAccount:
    """Seven titles with ten licenses each."""
    location = apple.create_location(name="North", org_name="Example Schools", country="US")
    for title in TITLES:
        apple.purchase(location.uid, title, quantity=10)
    account = factories.VppAccountFactory(
        organization=organization, uid=location.uid, country="US", token=location.issue_token()
    )
    run_sync(account)
    apple.journal.clear()
    return account


def asked(apple: FakeApple) -> list[dict[str, str]]:
    return [entry.query for entry in apple.journal if entry.path.endswith("/assets")]


def available(account: VppAccount) -> dict[str, int]:
    titles = LicensedApp.objects.filter(account=account)
    return dict(titles.values_list("adam_id", "available_count"))


def test_a_few_titles_are_asked_for_by_name(synced: VppAccount, apple: MovingApple) -> None:
    apple.purchase(synced.uid, FIRST[0], quantity=5)
    apple.purchase(synced.uid, TITLES[6], quantity=5)
    before = LicensedApp.objects.get(adam_id=TITLES[6]).counts_as_of

    refresh_titles(synced, [FIRST, SECOND])

    assert asked(apple) == [
        {"adamId": TITLES[0], "pricingParam": "STDQ"},
        {"adamId": TITLES[1], "pricingParam": "STDQ"},
    ]
    assert available(synced) == dict.fromkeys(TITLES, 10) | {TITLES[0]: 15}
    assert LicensedApp.objects.filter(counts_as_of__gt=before).count() == 2


def test_many_titles_are_read_in_one_list(synced: VppAccount, apple: MovingApple) -> None:
    apple.purchase(synced.uid, FIRST[0], quantity=5)

    refresh_titles(synced, KEYS[:6])

    assert asked(apple) == [{}]
    assert available(synced) == dict.fromkeys(TITLES, 10) | {TITLES[0]: 15}


def test_the_titles_of_which_there_are_more_now_are_answered(
    synced: VppAccount, apple: MovingApple
) -> None:
    apple.purchase(synced.uid, FIRST[0], quantity=5)
    apple.purchase(synced.uid, SECOND[0], quantity=-5)

    risen = refresh_titles(synced, [FIRST, SECOND])

    assert [(title.adam_id, title.available_count) for title in risen] == [(TITLES[0], 15)]


def test_a_change_is_in_the_audit_log_and_in_todays_history(
    synced: VppAccount, apple: MovingApple
) -> None:
    apple.purchase(synced.uid, FIRST[0], quantity=5)

    refresh_titles(synced, [FIRST])

    event = AuditEvent.objects.get(action="title.changed")
    today = LicenseCount.objects.get(licensed_app__adam_id=TITLES[0])
    assert (event.before["total"], event.after["total"]) == (10, 15)
    assert (today.total_count, today.available_count) == (15, 15)


def test_nothing_changed_is_no_news(synced: VppAccount) -> None:
    risen = refresh_titles(synced, [FIRST])

    assert risen == []
    assert not AuditEvent.objects.filter(action="title.changed").exists()


def test_a_title_that_was_just_bought_shows_up(synced: VppAccount, apple: MovingApple) -> None:
    apple.purchase(synced.uid, "408709785", quantity=3)

    refresh_titles(synced, [("408709785", "STDQ")])

    assert available(synced)["408709785"] == 3
    assert AuditEvent.objects.filter(action="title.found").count() == len(TITLES) + 1


def test_a_title_that_apple_does_not_list_is_left_to_the_sync(
    synced: VppAccount, apple: MovingApple
) -> None:
    location = apple.location(synced.uid)
    del location.assets[next(iter(location.assets))]

    refresh_titles(synced, [FIRST])

    assert LicensedApp.objects.present().count() == len(TITLES)


def test_newer_counts_are_not_overwritten(synced: VppAccount, apple: MovingApple) -> None:
    apple.purchase(synced.uid, FIRST[0], quantity=5)
    newer = timezone.now() + timedelta(seconds=5)
    LicensedApp.objects.filter(adam_id=TITLES[0]).update(available_count=99, counts_as_of=newer)

    refresh_titles(synced, [FIRST])

    title = LicensedApp.objects.get(adam_id=TITLES[0])
    assert (title.available_count, title.counts_as_of) == (99, newer)


def test_a_sync_that_read_earlier_does_not_overwrite_what_was_refreshed(
    synced: VppAccount, apple: MovingApple
) -> None:
    apple.purchase(synced.uid, SECOND[0], quantity=1)

    def buy_and_refresh(request: Request) -> None:
        if request.path.endswith("/assets"):
            apple.after = lambda request: None
            apple.purchase(synced.uid, FIRST[0], quantity=5)
            refresh_titles(synced, [FIRST])

    apple.after = buy_and_refresh
    run_sync(synced)

    assert available(synced) == dict.fromkeys(TITLES, 10) | {TITLES[0]: 15, TITLES[1]: 11}


def test_a_title_found_by_both_is_there_once(synced: VppAccount, apple: MovingApple) -> None:
    apple.purchase(synced.uid, "408709785", quantity=3)

    def refresh(request: Request) -> None:
        if request.path.endswith("/assets"):
            apple.after = lambda request: None
            refresh_titles(synced, [("408709785", "STDQ")])

    apple.after = refresh
    run_sync(synced)

    assert LicensedApp.objects.filter(adam_id="408709785").count() == 1
    assert AuditEvent.objects.filter(action="title.found").count() == len(TITLES) + 1


def test_a_stopped_account_is_not_asked_about(synced: VppAccount, apple: MovingApple) -> None:
    synced.state = AccountState.CLAIMED

    assert refresh_titles(synced, [FIRST]) == []
    assert not asked(apple)


def test_an_apple_in_trouble_is_the_callers_to_know(synced: VppAccount, apple: MovingApple) -> None:
    apple.set_fault("maintenance_sync")

    with pytest.raises(AppleError):
        refresh_titles(synced, [FIRST])


def test_the_number_of_statements_does_not_depend_on_the_number_of_titles(
    synced: VppAccount, apple: MovingApple, django_assert_max_num_queries
) -> None:
    refresh_titles(synced, [FIRST])  # the organization's time zone is read once

    def statements(titles: list[str]) -> int:
        for title in titles:
            apple.purchase(synced.uid, title, quantity=1)
        with django_assert_max_num_queries(100) as queries:
            refresh_titles(synced, KEYS)
        return len(queries)

    assert statements(TITLES[:1]) == statements(TITLES)
