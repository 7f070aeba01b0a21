"""The frame around every page: navigation, banners, running work, times, and what it is made of."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.template import Context, Template
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains

from licensing.frame import Frame
from organizations.access import membership_or_404
from organizations.models import Admin, Organization
from tests.factories import (
    LicensedAppFactory,
    MembershipFactory,
    NetworkFactory,
    OrganizationFactory,
    SyncRunFactory,
    VppAccountFactory,
)
from tests.reading import text_of, words
from vpp_accounts.models import AccountState

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
# Mails have their style inside, since mail programs know no style sheet of ours.
PAGES = [path for path in TEMPLATES if path.parent.name != "mail"]
VENDOR = settings.BASE_DIR / "static" / "vendor"


def url(name: str, organization: Organization) -> str:
    return reverse(name, args=[organization.pk])


def frame_of(admin: Admin, organization: Organization, path: str = "/") -> Frame:
    request = RequestFactory().get(path)
    request.membership = membership_or_404(admin, organization.pk)  # type: ignore[attr-defined]
    return Frame(request)


# --- Navigation -----------------------------------------------------------------------------------


def test_the_navigation_has_the_specified_places_and_no_dead_links(
    owner: Admin, organization: Organization, owner_client: Client
) -> None:
    frame = frame_of(owner, organization)

    links = [e for group in frame.navigation for section in group.sections for e in section.entries]

    assert [entry.page.label for entry in links[:3]] == ["Overview", "MDM", "Networks"]
    answers = {entry.page.label: owner_client.get(entry.url, follow=True) for entry in links}
    assert {label: answer.status_code for label, answer in answers.items()} == dict.fromkeys(
        answers, 200
    )


def test_the_page_one_is_on_is_marked(owner: Admin, organization: Organization) -> None:
    below = f"/organizations/{organization.pk}/"

    marked = {
        path: [
            e.page.label
            for e in frame_of(owner, organization, below + path).entries
            if e.is_current
        ]
        for path in ("", "mdm/accounts/3/edit/", "networks/add/", "manage/vpp/1/apps/9/STDQ/")
    }

    assert marked == {
        "": ["Overview"],
        "mdm/accounts/3/edit/": ["MDM"],
        "networks/add/": ["Networks"],
        "manage/vpp/1/apps/9/STDQ/": ["VPP"],
    }


def test_admins_of_networks_see_no_entries_of_the_whole_organization(
    organization: Organization,
) -> None:
    admin = MembershipFactory(organization=organization, access="none").admin

    labels = [entry.page.label for entry in frame_of(admin, organization).entries]

    assert "Activity" not in labels
    assert "Networks" in labels


def test_the_switcher_lists_only_the_organizations_of_the_admin(
    owner: Admin, organization: Organization, owner_client: Client
) -> None:
    second = MembershipFactory(admin=owner, organization__name="Second Schools").organization
    OrganizationFactory(name="Somebody Else")
    owner_client.get(url("licensing:overview", second))

    page = owner_client.get(url("licensing:overview", organization)).content.decode()

    assert "Second Schools" in page
    assert "Somebody Else" not in page


# --- Banners --------------------------------------------------------------------------------------


def test_banners_come_most_urgent_first(owner: Admin, organization: Organization) -> None:
    for state in AccountState:
        VppAccountFactory(organization=organization, name=state.label, state=state)

    shown = [banner.words.state for banner in frame_of(owner, organization).banners]

    assert shown == [
        AccountState.EXPIRED,
        AccountState.REVOKED,
        AccountState.CLAIMED,
        AccountState.SYNC_FAILED,
        AccountState.EXPIRING,
        AccountState.READ_ONLY,
        AccountState.NOT_VERIFIED,
    ]


@pytest.mark.parametrize(
    ("state", "days", "expected"),
    [
        (AccountState.IN_SYNC, 200, []),
        (AccountState.IN_SYNC, 20, [AccountState.EXPIRING]),
        (AccountState.SYNCING, -1, [AccountState.EXPIRED]),
        (AccountState.SYNC_FAILED, 20, [AccountState.EXPIRING, AccountState.SYNC_FAILED]),
        (AccountState.EXPIRING, -1, [AccountState.EXPIRED]),
        (AccountState.REVOKED, 20, [AccountState.REVOKED]),
    ],
)
def test_no_state_hides_that_a_token_ends(
    owner: Admin, organization: Organization, state: AccountState, days: int, expected: list[Any]
) -> None:
    ends = timezone.now() + timedelta(days=days)
    VppAccountFactory(organization=organization, state=state, token_expires_at=ends)

    shown = [banner.words.state for banner in frame_of(owner, organization).banners]

    assert shown == expected


def test_a_banner_names_account_and_location_and_leads_to_the_fix(
    organization: Organization, owner_client: Client
) -> None:
    account = VppAccountFactory(
        organization=organization,
        name="North",
        location_name="Lakeside",
        state=AccountState.IN_SYNC,
        token_expires_at=timezone.now() + timedelta(days=12, hours=1),
    )

    page = owner_client.get(url("organizations:network_list", organization))

    assert "North (Lakeside) has a token that expires soon." in text_of(page)
    assert "12 days left." in text_of(page)
    assertContains(page, reverse("licensing:account_renew", args=[organization.pk, account.pk]))


def test_a_reader_is_told_who_can_fix_it(organization: Organization, reader_client: Client) -> None:
    account = VppAccountFactory(organization=organization, state=AccountState.REVOKED)

    page = reader_client.get(url("organizations:network_list", organization)).content.decode()

    assert "A full admin can fix this." in page
    assert reverse("licensing:account_renew", args=[organization.pk, account.pk]) not in page


def test_banners_of_another_organization_stay_there(
    organization: Organization, owner_client: Client
) -> None:
    VppAccountFactory(name="Their account", state=AccountState.EXPIRED)

    page = owner_client.get(url("organizations:network_list", organization)).content.decode()

    assert "Their account" not in page


# --- Running work ---------------------------------------------------------------------------------


def test_running_work_asks_again_only_while_something_runs(
    organization: Organization, reader_client: Client
) -> None:
    address = url("licensing:running_work", organization)

    idle = reader_client.get(address).content.decode()
    account = VppAccountFactory(organization=organization, name="North")
    SyncRunFactory(account=account, phase="assignments", done=5, total=20)
    busy = reader_client.get(address).content.decode()

    assert "every 3s" not in idle
    assert "every 3s" in busy
    assert "North: Reading assignments, page 5 of 20" in busy


def test_running_work_is_nobody_elses_business(
    organization: Organization, outsider_client: Client
) -> None:
    assert outsider_client.get(url("licensing:running_work", organization)).status_code == 404


# --- What a page costs ----------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_the_frame_costs_six_queries(
    organization: Organization,
    owner_client: Client,
    django_assert_num_queries: Any,
    rows: int,
) -> None:
    for _ in range(rows):
        account = VppAccountFactory(organization=organization, state=AccountState.REVOKED)
        SyncRunFactory(account=account)
        NetworkFactory(organization=organization)

    # Session, admin, membership; networks to choose from, banners, low titles, others' changes,
    # syncs, batches; and the page's one.
    with django_assert_num_queries(10):
        owner_client.get(url("organizations:network_list", organization))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_overview_costs_the_same_for_any_number_of_accounts(
    organization: Organization,
    owner_client: Client,
    django_assert_max_num_queries: Any,
    rows: int,
) -> None:
    for _ in range(rows):
        LicensedAppFactory(account=VppAccountFactory(organization=organization))

    with django_assert_max_num_queries(15):
        owner_client.get(url("licensing:overview", organization))


# --- Overview -------------------------------------------------------------------------------------


def test_the_overview_begins_with_three_steps(
    organization: Organization, owner_client: Client, reader_client: Client
) -> None:
    address = url("licensing:overview", organization)

    as_owner, as_reader = (
        client.get(address).content.decode() for client in (owner_client, reader_client)
    )

    add = url("licensing:account_add", organization)
    assert "Three steps to the first licenses" in as_owner
    assert (add in as_owner, add in as_reader) == (True, False)


def test_the_overview_has_the_numbers_of_the_list_of_all_accounts(
    organization: Organization, owner_client: Client
) -> None:
    north, south = VppAccountFactory.create_batch(2, organization=organization)
    for total, available in ((10, 4), (5, 0), (2147483647, 2147483647)):
        title = LicensedAppFactory(account=north, total_count=total, available_count=available)
        LicensedAppFactory(
            account=south, app=title.app, total_count=total, available_count=available
        )

    overview, listed = (
        text_of(owner_client.get(url(name, organization)))
        for name in ("licensing:overview", "licensing:licensed_app_list")
    )

    assert "Titles 3 3 apps, 0 books; each counted once" in overview
    assert "Licenses available 8 of 30, and 1 unlimited title" in overview
    assert "Titles with none left 1 nobody new can get them" in overview
    assert "Titles 3 3 apps, 0 books Total 30 and 1 unlimited title" in listed
    assert "Available 8 ready to assign None left 1" in listed


def test_who_is_not_among_the_allowed_admins_sees_the_account_but_no_numbers(
    organization: Organization, owner_client: Client
) -> None:
    account = VppAccountFactory(organization=organization, allowed_admins="named", name="North")
    LicensedAppFactory(account=account, total_count=987, available_count=987)

    page = owner_client.get(url("licensing:overview", organization)).content.decode()

    assert "North" in page
    assert "not yours to see" in page
    assert "987" not in page


# --- Times ----------------------------------------------------------------------------------------


@time_machine.travel("2026-11-12T20:00:00Z", tick=False)
@pytest.mark.parametrize(
    ("tag", "value", "shown"),
    [
        ("moment", datetime(2026, 11, 12, 19, 2, tzinfo=UTC), "today 14:02"),
        ("moment", datetime(2026, 11, 12, 4, 30, tzinfo=UTC), "yesterday 23:30"),
        ("moment", datetime(2026, 10, 1, 12, 0, tzinfo=UTC), "1 Oct 2026 08:00"),
        ("moment", None, "never"),
        ("as_of", datetime(2026, 11, 12, 19, 2, tzinfo=UTC), "as of 14:02"),
        ("as_of", datetime(2026, 11, 11, 19, 2, tzinfo=UTC), "as of yesterday 14:02"),
        ("as_of", None, "never read"),
        ("day", datetime(2026, 11, 12, 2, 0, tzinfo=UTC), "11 Nov 2026"),
        ("day", None, "never"),
    ],
)
def test_times_are_those_of_the_organization(
    tag: str, value: datetime | None, shown: str, owner: Admin, organization: Organization
) -> None:
    organization.time_zone = "America/New_York"
    organization.save()
    request = frame_of(owner, organization).request

    page = Template("{% load moments %}{% " + tag + " value %}").render(
        Context({"request": request, "value": value})
    )

    assert words(page) == shown


# --- Errors and looks ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_error_pages_need_no_database(name: str) -> None:
    page = get_template(f"{name}.html").render({})  # this test has no database: a query would fail

    assert "VPP Dashboard" in page
    assert 'href="/"' in page


def test_a_reader_is_told_which_right_is_missing(
    organization: Organization, reader_client: Client
) -> None:
    answer = reader_client.get(url("organizations:network_add", organization))

    assert answer.status_code == 403
    assert "This needs full access to Example Schools; yours is read-only." in text_of(answer)


def test_a_form_from_before_signing_in_is_answered_in_words(organization: Organization) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post("/accounts/login/", {"login": "a@example.org", "password": "b"})

    assert answer.status_code == 403
    assert "Please send that again" in answer.content.decode()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_templates_obey_the_strict_content_policy(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "inline script"
    assert not re.search(r"\sstyle=|<style\b", text), "inline style"
    assert not re.search(r"\s(on[a-z]+|hx-on[:\w-]*)=|javascript:", text), "inline handler"


def test_pages_are_served_with_the_strict_content_policy(client: Client, db: None) -> None:
    policy = client.get("/accounts/login/").headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_vendored_files_are_what_the_list_says() -> None:
    listed = {
        name: digest
        for package in json.loads((VENDOR / "vendored.json").read_text())
        for name, digest in package["files"].items()
    }

    there = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "vendored.json"
    }

    assert there == listed


def test_every_icon_in_use_is_in_the_sprite() -> None:
    sprite = (VENDOR / "tabler-icons" / "icons.svg").read_text()
    known = set(re.findall(r'<symbol id="([^"]+)"', sprite))

    used = {
        name for path in TEMPLATES for name in re.findall(r'{% icon "([^"]+)"', path.read_text())
    } | {
        name for path in TEMPLATES for name in re.findall(r'icon_name="([^"]+)"', path.read_text())
    }

    assert used - known == set()


@pytest.fixture
def _manifest(tmp_path: Path, settings: Any) -> None:
    """Production's hashed names for our own files, without the minutes that compression takes."""
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    hashed = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": hashed}}


@pytest.mark.usefixtures("_manifest")
def test_our_static_files_name_only_files_that_exist(tmp_path: Path) -> None:
    call_command("collectstatic", interactive=False, verbosity=0)

    assert list((tmp_path / "vendor" / "tabler").glob("tabler.min.*.css"))
