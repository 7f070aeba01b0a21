"""Single sign-on in a real browser: our policy, cookies from another site, and how the pages look."""

from __future__ import annotations

import html
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import LazySettings
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from organizations.models import Admin, IdentityProvider, Organization
from tests import saml_provider as idp
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations
from tests.oidc_provider import OidcProvider, running
from tests.single_sign_on import oidc_row

LOOKS = [
    pytest.param("light", 1280, id="light"),
    pytest.param("dark", 1280, id="dark"),
    pytest.param("light", 390, id="telephone"),
]


@pytest.fixture(autouse=True)
def _ours(settings: LazySettings, live_server: LiveServer) -> None:
    settings.BASE_URL, settings.SSO_ALLOW_PRIVATE = live_server.url, True


def saml_row(organization: Organization, **fields: Any) -> IdentityProvider:
    return IdentityProvider.objects.create(
        organization=organization,
        kind="saml",
        name="Directory",
        entity_id=idp.ENTITY_ID,
        sign_in_url=idp.SIGN_IN_URL,
        certificate=idp.CERTIFICATE,
        **fields,
    )


def answer_by_itself(route: Route) -> None:
    """The provider's page, on its own site: a form that posts itself to us."""
    asked = idp.read_request(route.request.url)
    text = html.escape(idp.answer(idp.wording(asked)))
    form = (
        f'<form method="post" action="{asked.consumer_url}">'
        f'<input type="hidden" name="SAMLResponse" value="{text}"></form>'
        "<script>document.forms[0].submit()</script>"
    )
    route.fulfill(content_type="text/html", body=form)


def test_saml_brings_an_admin_in(
    open_page: OpenPage, complaints: Complaints, owner: Admin, organization: Organization
) -> None:
    row = saml_row(organization)
    page = open_page()
    page.route(f"{idp.SIGN_IN_URL}**", answer_by_itself)

    page.goto(f"/accounts/sso/{row.uuid}/")
    page.get_by_role("button", name="Sign in with Directory").click()

    page.wait_for_url(f"**/organizations/{organization.pk}/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert SocialAccount.objects.get().user == owner
    assert complaints == []


def test_openid_connect_brings_an_admin_in_from_another_site(
    open_page: OpenPage, complaints: Complaints, owner: Admin, organization: Organization
) -> None:
    with running() as provider:
        provider.issuer = provider.issuer.replace("127.0.0.1", "localhost")
        row = oidc_row(organization, provider)
        page = open_page()

        page.goto(f"/accounts/sso/{row.uuid}/")
        page.get_by_role("button", name="Sign in with Directory").click()

        page.wait_for_url(f"**/organizations/{organization.pk}/")
    assert SocialAccount.objects.get().user == owner
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_pages_are_accessible_silent_and_never_too_wide(
    open_page: OpenPage,
    complaints: Complaints,
    owner: Admin,
    organization: Organization,
    theme: str,
    width: int,
) -> None:
    row = saml_row(organization)
    oidc = oidc_row(organization, OidcProvider("https://idp.example.org"))
    SocialAccount.objects.create(provider=str(row.uuid), uid="x" * 80, user=owner)
    page = open_page(owner, theme=theme, width=width)
    inside = f"/organizations/{organization.pk}/sign-in/"
    addresses = [
        inside,
        f"{inside}providers/add/",
        f"{inside}providers/{row.pk}/",
        f"{inside}providers/{oidc.pk}/",
        f"{inside}providers/{row.pk}/delete/",
        f"{inside}providers/{row.pk}/test/result/",
        "/accounts/sso/",
        f"/accounts/sso/{row.uuid}/",
    ]

    wrong = {address: trouble for address in addresses if (trouble := examined(page, address))}

    assert wrong == {}
    assert complaints == []


def test_who_is_not_let_in_reads_why(
    open_page: OpenPage, owner: Admin, organization: Organization
) -> None:
    row = saml_row(organization)
    page = open_page(width=390)

    trouble = examined(page, f"/accounts/saml/{row.uuid}/finish/")

    expect(page.get_by_text("This sign-in was not begun in this browser")).to_be_visible()
    assert trouble == []


def examined(page: Page, address: str) -> list[str]:
    page.goto(address)
    return violations(page) + too_wide(page) + scrolling_tables(page)
