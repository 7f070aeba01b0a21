"""People in a real browser: the whole journey from “+ Add user” to a license, and how the pages look."""

import re
from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from organizations.models import Admin
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations
from tests.browser.test_every_page import LOOKS
from tests.draining import synced
from tests.people import days_ago, list_url, person
from users.models import VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

KEYNOTE = "361285480"
SOON = 30_000  # what a worker does, and what the page finds out by itself


@pytest.fixture
def inbox(settings: LazySettings, live_server: LiveServer, tmp_path: Path) -> None:
    """A demo: mails go to files, and are read on a page."""
    settings.DEMO_INBOX = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    settings.BASE_URL = live_server.url


@pytest.fixture
def lakeside(apple: FakeApple, administrator: Admin) -> VppAccount:
    apple.settings.event_delay_seconds = 0.2
    location = apple.create_location(name="Lakeside", org_name="Example Schools")
    apple.purchase(location.uid, KEYNOTE, quantity=2)
    account: VppAccount = factories.VppAccountFactory(
        organization=administrator.memberships.get().organization,
        name="Lakeside",
        uid=location.uid,
        token=location.issue_token(),
    )
    synced(account)
    return account


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=re.compile(name))


def test_from_add_user_to_a_license(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    lakeside: VppAccount,
    inbox: None,
    worker: None,
) -> None:
    people = list_url(lakeside.organization)
    page = open_page(administrator)
    page.goto(people)

    # Add.
    page.get_by_role("link", name="+ Add user").first.click()
    new = page.get_by_role("region", name="Somebody new")
    new.get_by_role("textbox", name=re.compile("^Name")).fill("Ada King")
    new.get_by_role("textbox", name="Email").fill("ada@lakeside.example")
    new.get_by_role("button", name="Add user").click()
    expect(page.get_by_text("Ada King is added to Lakeside")).to_be_visible()

    # Invite: boxes, the plan, the batch; the list learns of it by itself.
    page.goto(people)
    page.get_by_role("checkbox", name="Choose Ada King").check()
    page.get_by_role("button", name="Send invitation(s)").click()
    page.get_by_role("button", name="Send 1 invitation").click()
    page.wait_for_url("**/batches/**")
    page.goto(people)
    page.evaluate("window.neverReloaded = true")
    expect(row_of(page, "Ada King")).to_contain_text("Invited", timeout=SOON)
    page.get_by_role("checkbox", name="Choose Ada King").check()

    accept(open_page(), complaints)

    # Associated without a reload, and the box is still ticked.
    synced(lakeside)
    expect(row_of(page, "Ada King")).to_contain_text("Associated", timeout=SOON)
    expect(page.get_by_role("checkbox", name="Choose Ada King")).to_be_checked()
    expect(page.get_by_text("1 chosen")).to_be_visible()
    assert page.evaluate("window.neverReloaded") is True

    # Grant.
    page.get_by_role("link", name="Ada King").click()
    page.get_by_label("Another title").select_option(index=1)
    page.get_by_role("button", name="+ Grant license").click()
    page.get_by_role("button", name="Grant 1 license").click()
    page.wait_for_url("**/batches/**")
    expect(page.get_by_role("region", name="State")).to_contain_text("Finished", timeout=SOON)
    user = VppUser.objects.get()
    page.goto(
        f"/organizations/{user.organization_id}/manage/vpp/{user.account_id}/holders/user/{user.client_user_id}/"
    )

    happened = page.locator("#timeline li")
    expect(happened.first).to_contain_text("License granted")
    expect(happened.last).to_contain_text("Added")
    for what in ("Accepted", "Went on to Apple's page", "Invitation opened", "Invitation sent"):
        expect(happened.filter(has_text=what)).to_have_count(1)
    assert complaints == []


def accept(page: Page, complaints: Complaints) -> None:
    """As the invited person does, out of the mail."""
    page.goto("/demo/inbox/")
    page.get_by_role("link", name="Lakeside").first.click()
    with page.context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link").first.click()
    tab = opened.value
    complaints.watch(tab)
    tab.get_by_role("link", name="Continue on this device anyway").click()
    tab.get_by_label("Apple Account").fill("ada@icloud.example")
    tab.get_by_role("button", name="Accept").click()
    expect(tab.get_by_role("status")).to_contain_text("now receives apps and books")


def test_owners_are_found_while_one_types(
    open_page: OpenPage, complaints: Complaints, administrator: Admin
) -> None:
    organization = administrator.memberships.get().organization
    account = factories.VppAccountFactory(organization=organization, name="Lakeside")
    for number in range(30):
        factories.OwnerFactory(organization=organization, name=f"Person {number:02}")
    page = open_page(administrator, width=390)
    page.goto(f"/organizations/{organization.pk}/manage/vpp/users/add/")

    page.get_by_role("searchbox").fill("Person 29")
    expect(page.get_by_role("radio")).to_have_count(1)
    page.get_by_role("radio", name="Person 29").check()
    owners = page.get_by_role("region", name="From the owners")
    owners.get_by_role("button", name="Add user").click()

    expect(page.get_by_text("Person 29 is added to Lakeside")).to_be_visible()
    assert VppUser.objects.get(account=account).name == "Person 29"
    assert complaints == []


def a_crowd(account: VppAccount) -> VppUser:
    """Of every kind somebody, with long names and with everything that the page can warn of."""
    network = factories.NetworkFactory(organization=account.organization, name="Lakeside")
    long_name = "Maximiliane-Alexandra von Hohenberg-Wittelsbach"
    mail = "maximiliane.alexandra.hohenberg@students.lakeside-district.example.org"
    asking = person(account, long_name, "Registered", email=mail, invited_at=days_ago(9))
    factories.InvitationFactory(user=asking, asked_again_at=days_ago(1), sent_at=days_ago(9))
    shared = person(account, "Ada", id_hash="same", associated_at=days_ago(1))
    person(account, "Bo", id_hash="same", missing_since=days_ago(2))
    person(account, "Cy", "", failure="Apple refused: this Managed Apple Account does not exist.")
    person(account, "Di", "Retired")
    for number in range(11):
        factories.DeviceFactory(
            organization=account.organization,
            network=network,
            owner=shared.owner,
            name=f"iPad number {number} of Ada",
        )
    factories.AssignmentFactory(
        licensed_app__account=account, holder_kind="user", holder=shared.client_user_id
    )
    factories.OwnerFactory(organization=account.organization, name=long_name * 2, email="")
    return shared


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_pages_look_right_everywhere(
    open_page: OpenPage, complaints: Complaints, owner: Admin, theme: str, width: int
) -> None:
    organization = owner.memberships.get().organization
    account = factories.VppAccountFactory(organization=organization, name="Lakeside School")
    factories.VppAccountFactory(organization=organization, name="Hillside School")
    shown = a_crowd(account)
    asking = VppUser.objects.get(invitations__isnull=False)
    home = f"/organizations/{organization.pk}/manage/vpp"
    page = open_page(owner, theme=theme, width=width)

    addresses = [
        list_url(organization),
        list_url(organization, f"account={account.pk}"),
        list_url(organization, "q=nobody"),
        *(f"{home}/{account.pk}/holders/user/{u.client_user_id}/" for u in (shown, asking)),
        f"{home}/users/add/",
        f"{home}/users/add/?account={account.pk}",
        f"{home}/users/{shown.pk}/edit/",
        f"{home}/users/{asking.pk}/link/",
    ]
    wrong = {address: examined(page, address) for address in addresses}

    page.goto(addresses[1])
    expect(page.get_by_role("link", name="Ada", exact=True).first).to_be_visible()
    assert {address: found for address, found in wrong.items() if found} == {}
    assert complaints == []


def examined(page: Page, address: str) -> list[str]:
    page.goto(address)
    return violations(page) + too_wide(page) + scrolling_tables(page)
