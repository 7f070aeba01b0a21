"""What an invited person sees, in a real browser: from the mail to Apple's page, and dead ends."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from organizations import outbox
from organizations.audit import Actor
from organizations.models import Organization
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import too_wide, violations
from tests.browser.test_every_page import LOOKS
from tests.factories import InvitationFactory, OwnerFactory, VppAccountFactory, VppUserFactory
from users.invitations import giving, links
from users.models import Invitation, VppUser
from vpp_accounts.apple.fake import FakeApple

BY = Actor.system("Test")


@pytest.fixture
def inbox(settings: LazySettings, live_server: LiveServer, tmp_path: Path) -> None:
    """A demo: mails go to files, and are read on a page."""
    settings.DEMO_INBOX = True
    settings.EMAIL_FILE_PATH = str(tmp_path)
    settings.BASE_URL = live_server.url


@pytest.fixture
def invited(apple: FakeApple, organization: Organization, settings: LazySettings) -> VppUser:
    """Ada, whom Apple knows and who has no Apple Account there yet."""
    location = apple.create_location(name="Lakeside School", org_name="Lakeside District")
    (ada,) = apple.add_users(
        location.uid, [{"clientUserId": "ada", "email": "ada@lakeside.example"}]
    )
    host = settings.APPLE_VPP_BASE_URL.removesuffix("/mdm/v2/")
    account = VppAccountFactory(
        organization=organization,
        name="Lakeside School",
        uid=location.uid,
        invitation_url=f"{host}{links.APPLES_PAGE.partition('apple.com')[2]}",
    )
    person = OwnerFactory(organization=organization, name="Ada", email="ada@lakeside.example")
    return VppUserFactory(
        account=account,
        owner=person,
        client_user_id="ada",
        email=person.email,
        apple_status="Registered",
        invite_code=ada.invite_code,
    )


def mailed(user: VppUser, settings: LazySettings) -> None:
    with transaction.atomic():
        sent = giving.give_out(by=BY, account=user.account, user_ids=[user.pk])
        giving.mail(sent, account=user.account)
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    outbox.send_due()


def test_from_the_mail_to_apple(
    open_page: OpenPage,
    complaints: Complaints,
    apple: FakeApple,
    inbox: None,
    invited: VppUser,
    settings: LazySettings,
) -> None:
    mailed(invited, settings)
    page = open_page()
    page.goto("/demo/inbox/")

    page.get_by_role("link", name="Lakeside School").click()
    with page.context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link").first.click()
    tab = opened.value
    complaints.watch(tab)
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Lakeside School invites you")
    tab.get_by_role("link", name="Continue on this device anyway").click()
    tab.get_by_label("Apple Account").fill("ada@icloud.example")
    tab.get_by_role("button", name="Accept").click()
    expect(tab.get_by_role("status")).to_contain_text("now receives apps and books from Lakeside")

    location = apple.location(invited.account.uid or "")
    assert [(user.status, user.apple_account) for user in location.users] == [
        ("Associated", "ada@icloud.example")
    ]
    invitation = Invitation.objects.get()
    assert None not in (invitation.opened_at, invitation.went_on_at)
    assert complaints == []


def test_an_apple_account_that_is_taken_is_said_on_apples_page(
    open_page: OpenPage, apple: FakeApple, invited: VppUser, inbox: None
) -> None:
    bob = {"clientUserId": "bob", "appleAccount": "ada@icloud.example"}
    apple.add_users(invited.account.uid or "", [bob])
    page = open_page()
    page.goto(links.url_of(InvitationFactory(user=invited)) + "/go")

    page.get_by_label("Apple Account").fill("ada@icloud.example")
    page.get_by_role("button", name="Accept").click()

    expect(page.get_by_role("status")).to_contain_text("already belongs to another user")
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
    assert violations(page) == []


def stages() -> dict[str, str]:
    """The address of each page that somebody may come to."""
    account = VppAccountFactory(name="Lakeside School", organization__name="Lakeside District")
    over = timezone.now() - timedelta(days=1)

    def link(**fields: object) -> str:
        user = VppUserFactory(account=account, apple_status="Registered", invite_code="0" * 32)
        return "/i/" + links.token_of(InvitationFactory(user=user, **fields))

    nobody = VppUserFactory(account=account, apple_status="")
    return {
        "open": link(),
        "test": "/i/" + links.sample_token(account),
        "not yet": "/i/" + links.token_of(InvitationFactory(user=nobody)),
        "accepted": link(ended_at=over, ending="accepted"),
        "asked": link(ended_at=over, ending="withdrawn", asked_again_at=over),
        "expired": link(expires_at=over),
        "unknown": "/i/unknown",
    }


@pytest.mark.parametrize(("theme", "width"), [*LOOKS, pytest.param("dark", 320, id="small")])
def test_every_page_of_an_invitation(
    open_page: OpenPage, complaints: Complaints, transactional_db: None, theme: str, width: int
) -> None:
    page = open_page(theme=theme, width=width)

    wrong = {name: trouble(page, address) for name, address in stages().items()}

    assert {name: found for name, found in wrong.items() if found} == {}
    # The console tells of pages that are not there any more; that is what they are about.
    assert [each for each in complaints if "status of 4" not in each] == []


def trouble(page: Page, address: str) -> list[str]:
    found = []
    for language in ("en", "de", "es"):
        page.goto(f"{address}?lang={language}")
        found += violations(page) + too_wide(page)
    return found


def test_asking_for_a_new_one_needs_no_script(
    browser: object, live_server: LiveServer, transactional_db: None
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(stages()["expired"])

    page.get_by_role("button", name="Ask for a new invitation").click()

    expect(page.get_by_role("status")).to_contain_text("You have asked for a new invitation.")
    assert Invitation.objects.filter(
        asked_again_at__gt=timezone.now() - timedelta(hours=1)
    ).exists()
    assert context.cookies() == []
    context.close()


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_inbox_of_a_demo(
    open_page: OpenPage,
    complaints: Complaints,
    inbox: None,
    invited: VppUser,
    settings: LazySettings,
    theme: str,
    width: int,
) -> None:
    mailed(invited, settings)
    page = open_page(theme=theme, width=width)

    page.goto("/demo/inbox/")
    wrong = violations(page) + too_wide(page)
    page.get_by_role("link", name="Lakeside School").click()
    page.frame_locator("iframe").get_by_role("link").first.wait_for()
    wrong += violations(page) + too_wide(page)

    assert (wrong, complaints) == ([], [])
