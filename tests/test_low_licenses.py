"""Titles that run low: what counts as low, who is told, and that each is told once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse

from licensing import low
from licensing.counts import refresh_titles
from licensing.low.watching import Low, plan_low
from licensing.models import LicensedApp, LicensingSettings
from organizations.audit import Actor
from organizations.models import AuditEvent, Organization, OutgoingMail
from organizations.tasks import send_mail
from tests import factories
from tests.conftest import signed_in
from tests.draining import begin, drain, synced
from tests.reading import errors_of, text_of
from tests.test_sync import KEYNOTE, PAGES
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

THEN = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("available", "threshold", "since", "expected"),
    [
        (4, 5, None, Low.FELL),
        (5, 5, None, None),
        (0, 0, None, None),
        (-1, 0, None, Low.FELL),
        (4, 5, THEN, None),
        (5, 5, THEN, Low.RECOVERED),
        (4, None, THEN, Low.FORGOTTEN),
        (4, None, None, None),
        (None, 5, THEN, Low.FORGOTTEN),
        (None, 5, None, None),
    ],
)
def test_plan_low(
    available: int | None, threshold: int | None, since: datetime | None, expected: Low | None
) -> None:
    assert plan_low(available, threshold, since) is expected


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    """Ten of one title and three of another, each held by one device."""
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=3)
    for adam_id in (KEYNOTE, PAGES):
        fake.assign(account.uid, adam_id, serial_numbers=["SERIAL0"])
    return synced(account)


def url_of(title: LicensedApp) -> str:
    place = [title.organization_id, title.account_id, title.adam_id, title.pricing_param]
    return reverse("licensing:threshold", args=place)


def settings_url(organization: Organization) -> str:
    return reverse("licensing:settings", args=[organization.pk])


def low_titles(account: VppAccount) -> set[str]:
    rows = LicensedApp.objects.filter(account=account, low_since__isnull=False)
    return set(rows.values_list("adam_id", flat=True))


def news() -> list[tuple[str, dict | None]]:
    """The events of titles that ran low or recovered, oldest first."""
    events = AuditEvent.objects.filter(action__in=["title.low", "title.recovered"])
    return list(events.order_by("pk").values_list("action", "after"))


def mails() -> list[tuple[str, str]]:
    return list(OutgoingMail.objects.order_by("pk").values_list("to", "subject"))


# --- When ---------------------------------------------------------------------------------------------


def test_a_title_that_falls_below_its_threshold_is_told_once_until_it_recovers(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    low.set_threshold(by=by, licensed_app=titles[KEYNOTE], threshold=8)
    begin("grant", [titles[KEYNOTE]], serials=["SERIAL1", "SERIAL2"])
    drain(account, fake)
    synced(account)
    assert low_titles(account) == {KEYNOTE}
    assert news() == [("title.low", {"available": 7, "threshold": 8})]

    begin("revoke", [titles[KEYNOTE]], serials=["SERIAL1"])
    drain(account, fake)

    assert low_titles(account) == set()
    assert news()[1:] == [("title.recovered", {"available": 8, "threshold": 8})]


def test_the_organizations_default_is_for_titles_that_somebody_holds(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    fake.purchase(account.uid, "1000", quantity=2)
    fake.purchase(account.uid, "2000", unlimited=True, quantity=1)
    fake.assign(account.uid, "2000", serial_numbers=["SERIAL0"])
    synced(account)

    low.set_default(by=by, organization=account.organization, threshold=5)

    assert low_titles(account) == {PAGES}


def test_a_title_of_its_own_mind_follows_no_default(
    account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    low.set_threshold(by=by, licensed_app=titles[PAGES], threshold=0)

    low.set_default(by=by, organization=account.organization, threshold=100)

    assert low_titles(account) == {KEYNOTE}


def test_taking_the_threshold_away_forgets_and_tells_nothing(
    account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    low.set_threshold(by=by, licensed_app=titles[PAGES], threshold=5)

    low.set_threshold(by=by, licensed_app=titles[PAGES], threshold=None)

    assert low_titles(account) == set()
    assert [action for action, _ in news()] == ["title.low"]


def test_a_title_that_leaves_is_low_no_longer_and_has_not_recovered(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    stray = factories.LicensedAppFactory(account=account, app__country="US")
    low.set_threshold(by=by, licensed_app=stray, threshold=50)

    synced(account)

    assert low_titles(account) == set()
    assert [action for action, _ in news()] == ["title.low"]


def test_counts_that_are_read_between_syncs_are_compared_too(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    low.set_threshold(by=by, licensed_app=titles[PAGES], threshold=2)
    fake.assign(account.uid, PAGES, serial_numbers=["SERIAL1"])

    refresh_titles(account, [(PAGES, "STDQ")])

    assert low_titles(account) == {PAGES}


# --- Who is told --------------------------------------------------------------------------------------


def test_one_mail_tells_of_all_titles_that_fell_together(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], owner: object
) -> None:
    LicensingSettings.objects.create(organization=account.organization, low_threshold=9)
    for serial in ("SERIAL1", "SERIAL2"):
        fake.assign(account.uid, KEYNOTE, serial_numbers=[serial])

    synced(account)

    subject = "Example Schools North: 2 titles are low on licenses"
    assert mails() == [("vpp@example.org", subject), ("owner@example.org", subject)]
    send_mail()
    sent = {mail.to[0]: mail for mail in django_mail.outbox}
    assert "7 left of 10, notice below 9" in sent["owner@example.org"].body
    assert "2 left of 3, notice below 9" in sent["owner@example.org"].body
    assert f"?account={account.pk}&licenses=low" in sent["owner@example.org"].body
    assert "List-Unsubscribe" in sent["owner@example.org"].extra_headers


def test_the_mail_goes_to_those_who_may_see_the_licenses(
    account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    """Also a full admin is told of an account's state, but not of licenses closed to them."""
    organization = account.organization
    allowed = factories.MembershipFactory(organization=organization, access="read-only").admin
    factories.MembershipFactory(organization=organization, access="full", wants_alarms=False)
    account.allowed_admins = "named"
    account.save()
    account.named_admins.add(allowed)

    low.set_threshold(by=by, licensed_app=titles[PAGES], threshold=5)

    assert {to for to, _ in mails()} == {"vpp@example.org", allowed.email}


# --- On pages -----------------------------------------------------------------------------------------


def test_the_banner_leads_to_the_titles_that_are_low(
    owner_client: Client, account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    address = reverse("licensing:licensed_app_list", args=[account.organization_id])
    assert "low on licenses" not in text_of(owner_client.get(settings_url(account.organization)))

    low.set_threshold(by=by, licensed_app=titles[PAGES], threshold=5)

    page = owner_client.get(settings_url(account.organization))
    assert "1 title is low on licenses." in text_of(page)
    assert f'href="{address}?licenses=low"' in page.content.decode()
    shown = owner_client.get(f"{address}?licenses=low").content.decode()
    assert (PAGES in shown, KEYNOTE in shown) == (True, False)


def test_the_banner_is_for_those_who_may_see_the_licenses(
    owner_client: Client, account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    low.set_threshold(by=by, licensed_app=titles[PAGES], threshold=5)

    VppAccount.objects.filter(pk=account.pk).update(allowed_admins="named")

    assert "low on licenses" not in text_of(owner_client.get(settings_url(account.organization)))


def test_settings_keep_the_default(owner_client: Client, organization: Organization) -> None:
    page = owner_client.post(settings_url(organization), {"threshold": "5"}, follow=True)

    assert "The settings are saved." in text_of(page)
    assert low.default_threshold(organization) == 5
    event = AuditEvent.objects.get(action="vpp_settings.low_threshold_set")
    assert (event.actor_name, event.before, event.after) == (
        "owner@example.org",
        {"lowThreshold": None},
        {"lowThreshold": 5},
    )
    owner_client.post(settings_url(organization), {"threshold": ""})
    assert low.default_threshold(organization) is None


def test_threshold_keeps_a_titles_own(
    owner_client: Client, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    page = owner_client.post(url_of(titles[PAGES]), {"threshold": "2"}, follow=True)

    assert "The threshold of" in text_of(page)
    assert LicensedApp.objects.get(pk=titles[PAGES].pk).low_threshold == 2
    event = AuditEvent.objects.get(action="title.low_threshold_set")
    assert (event.before, event.after) == ({"lowThreshold": None}, {"lowThreshold": 2})


def test_saving_what_is_so_leaves_no_trace(
    owner_client: Client, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    owner_client.post(url_of(titles[PAGES]), {"threshold": ""})
    owner_client.post(settings_url(account.organization), {"threshold": ""})

    assert not AuditEvent.objects.filter(action__endswith="threshold_set").exists()


@pytest.mark.parametrize("nonsense", ["-1", "1000001", "9" * 5000, "five", "1.5", "\x00"])
def test_a_threshold_that_is_no_number_is_refused_in_words(
    owner_client: Client, organization: Organization, nonsense: str
) -> None:
    page = owner_client.post(settings_url(organization), {"threshold": nonsense})

    assert page.status_code == 200
    assert errors_of(page) != []
    assert low.default_threshold(organization) is None


def test_thresholds_are_looked_at_by_readers_and_hidden_from_outsiders(
    reader_client: Client,
    outsider_client: Client,
    account: VppAccount,
    titles: dict[str, LicensedApp],
) -> None:
    pages = (settings_url(account.organization), url_of(titles[PAGES]))

    for page in pages:
        assert "disabled" in reader_client.get(page).content.decode()
        assert reader_client.post(page, {"threshold": "5"}).status_code == 403
        assert outsider_client.get(page).status_code == 404
        assert outsider_client.post(page, {"threshold": "5"}).status_code == 404
    assert LicensedApp.objects.filter(low_threshold__isnull=False).count() == 0
    assert low.default_threshold(account.organization) is None


def test_a_title_of_a_closed_account_has_no_threshold_page(
    account: VppAccount, titles: dict[str, LicensedApp], organization: Organization
) -> None:
    VppAccount.objects.filter(pk=account.pk).update(allowed_admins="named")
    client = signed_in(factories.MembershipFactory(organization=organization).admin)

    assert client.get(url_of(titles[PAGES])).status_code == 404
    assert client.post(url_of(titles[PAGES]), {"threshold": "5"}).status_code == 404
