"""Signing in as people do it: a passkey of a virtual device, an authenticator app, recovery codes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from organizations.models import Admin
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import too_wide, violations
from tests.signing_in import PASSWORD, code, with_app

LOOKS = [
    pytest.param("light", 1280, id="light"),
    pytest.param("dark", 1280, id="dark"),
    pytest.param("light", 390, id="telephone"),
]
Device = Callable[[Page], None]


@pytest.fixture
def device() -> Device:
    """Gives the browser of a page a device that makes passkeys and checks who holds it."""

    def plug_in(page: Page) -> None:
        cdp = page.context.new_cdp_session(page)
        cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    return plug_in


def sign_in(page: Page, admin: Admin) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(admin.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.goto("/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")


def examined(page: Page) -> list[str]:
    return violations(page) + too_wide(page)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_passkey_is_made_and_signs_in(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    device: Device,
    theme: str,
    width: int,
) -> None:
    page, wrong = open_page(theme=theme, width=width), {}
    device(page)
    sign_in(page, administrator)

    page.goto("/accounts/2fa/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("This laptop")
    wrong["add"] = examined(page)
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_text("Keep these codes now").wait_for()
    wrong["codes"] = examined(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("This laptop")).to_be_visible()
    wrong["second factor"] = examined(page)
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/organizations/**")
    sign_out(page)
    sign_in(page, administrator)
    page.get_by_role("button", name="Use a passkey").wait_for()
    wrong["second step"] = examined(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/organizations/**")

    assert {place: found for place, found in wrong.items() if found} == {}
    assert complaints == []


def test_a_passkey_that_does_not_come_is_told(open_page: OpenPage, administrator: Admin) -> None:
    page = open_page(administrator)
    page.goto("/accounts/2fa/passkeys/add/")
    page.evaluate(
        "() => { navigator.credentials.create ="
        " () => Promise.reject(new DOMException('no', 'NotAllowedError')) }"
    )

    page.get_by_role("button", name="Make the passkey").click()

    expect(page.get_by_role("alert").filter(has_text="Nothing was sent")).to_be_visible()
    expect(page.get_by_role("button", name="Make the passkey")).to_be_enabled()


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_an_app_is_added_and_its_code_signs_in(
    open_page: OpenPage, complaints: Complaints, administrator: Admin, theme: str, width: int
) -> None:
    page, wrong = open_page(theme=theme, width=width), {}
    with_app(administrator)
    sign_in(page, administrator)
    wrong["second step"] = examined(page)
    page.get_by_label("Code").fill(code())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/organizations/**")

    for path in ("2fa/", "2fa/app/remove/", "2fa/recovery-codes/", "2fa/recovery-codes/generate/"):
        page.goto(f"/accounts/{path}")
        wrong[path] = examined(page)
    page.goto("/accounts/2fa/app/remove/")
    page.get_by_role("button", name="Remove the app").click()
    page.wait_for_url("**/accounts/2fa/")
    for path in ("2fa/app/activate/", "sessions/", "", "reauthenticate/", "password/change/"):
        page.goto(f"/accounts/{path}")
        wrong[path] = examined(page)

    assert {place: found for place, found in wrong.items() if found} == {}
    assert complaints == []


def test_what_was_typed_can_be_seen_before_it_is_sent(
    open_page: OpenPage, complaints: Complaints, administrator: Admin
) -> None:
    page = open_page()
    page.goto("/accounts/login/")
    field = page.get_by_label("Password", exact=True)
    field.fill("a long")

    page.get_by_role("button", name="Show: Password").click()
    shown = field.get_attribute("type")
    page.get_by_role("button", name="Show: Password").click()

    assert (shown, field.get_attribute("type")) == ("text", "password")
    assert complaints == []


def test_without_javascript_one_signs_in_by_password_and_code(
    open_page: OpenPage, administrator: Admin
) -> None:
    with_app(administrator)
    page = open_page()
    page.route(re.compile(r"\.js"), lambda route: route.abort())
    sign_in(page, administrator)

    offered = page.get_by_role("button", name="Use a passkey").count()
    page.get_by_label("Code").fill(code())
    page.get_by_role("button", name="Sign in", exact=True).click()

    page.wait_for_url("**/organizations/**")
    assert offered == 0
