"""Administrators in a browser: their pages, and the way of somebody new from the mail into the page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from organizations.admins import inviting
from organizations.admins.links import url_of
from organizations.admins.rights import AdminRights
from organizations.audit import Actor
from organizations.models import Admin, ApiKey, Membership
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.test_every_page import LOOKS, each_of, examined, only_trouble


def invite(owner: Admin) -> Membership:
    organization = owner.memberships.get().organization
    network = factories.NetworkFactory(organization=organization, name="Lakeside", tags=["west"])
    rights = AdminRights("read-only", {network.pk: True}, {"west": False})
    return inviting.invite(
        by=Actor.of_admin(owner), organization=organization, email="new@example.org", rights=rights
    )


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_pages_of_administrators(
    open_page: OpenPage, complaints: Complaints, owner: Admin, theme: str, width: int
) -> None:
    new = invite(owner)
    organization = new.organization
    sam = factories.MembershipFactory(organization=organization, admin__name="Sam Lee")
    factories.MembershipFactory(
        organization=organization,
        accepted_at=None,
        invited_at=timezone.now() - timedelta(days=9),
        last_active_at=None,
    )
    ApiKey.objects.issue(admin=sam.admin, name="Nightly export", organization=organization)
    ApiKey.objects.issue(admin=sam.admin, name="Everywhere")
    place = f"/organizations/{organization.pk}/"
    pages = ["admins/", "admins/add/", f"admins/{new.pk}/", f"admins/{new.pk}/remove/"]
    pages += [f"admins/{sam.pk}/", f"admins/{sam.pk}/edit/", f"admins/{sam.pk}/remove/", "leave/"]
    page = open_page(owner, theme=theme, width=width)

    wrong = examined(page, each_of(page, [place + each for each in pages]))

    assert only_trouble(wrong) == {}
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_pages_behind_the_link_of_an_invitation(
    open_page: OpenPage,
    complaints: Complaints,
    live_server: LiveServer,
    settings: LazySettings,
    owner: Admin,
    theme: str,
    width: int,
) -> None:
    settings.BASE_URL = live_server.url
    new = invite(owner)
    nobody, other = open_page(theme=theme, width=width), open_page(owner, theme=theme, width=width)

    wrong = examined(nobody, each_of(nobody, [url_of(new)]))
    wrong |= examined(other, each_of(other, [url_of(new)]))
    new.admin.set_password("a long enough password")
    new.admin.save()
    theirs = open_page(new.admin, theme=theme, width=width)
    wrong |= examined(theirs, each_of(theirs, [url_of(new), "/"]))

    assert only_trouble(wrong) == {}
    assert complaints == []


def test_from_the_mail_into_the_organization(
    open_page: OpenPage,
    complaints: Complaints,
    live_server: LiveServer,
    settings: LazySettings,
    owner: Admin,
) -> None:
    settings.BASE_URL = live_server.url
    new = invite(owner)
    page = open_page()

    page.goto(url_of(new))
    page.get_by_label("Your name").fill("Nora")
    page.get_by_role("textbox", name="Password", exact=True).fill("correct horse battery staple")
    page.get_by_role("textbox", name="Password again").fill("correct horse battery staple")
    page.get_by_role("button", name="Accept and sign in").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Example Schools")
    new.refresh_from_db()
    assert (new.is_invited, new.admin.name) == (False, "Nora")
    assert complaints == []
