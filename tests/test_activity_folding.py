"""The tab Activity where much happens: batches as one line, and what others changed at Apple."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from licensing import foreign
from licensing.models import Assignment, LicensedApp
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.conftest import signed_in
from tests.draining import begin, drain, synced
from tests.reading import text_of
from tests.test_activity import actions_in, rows_of, url
from tests.test_sync import KEYNOTE, PAGES
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

TAB = "vpp_activity"
ONE_LINE = ["batch.finished", "batch.started"]


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=10)
    return synced(account)


@pytest.fixture
def granted(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> dict[str, LicensedApp]:
    """A batch gave one title to two devices."""
    begin("grant", [titles[KEYNOTE]], serials=["SERIAL1", "SERIAL2"])
    drain(account, fake)
    return titles


def of_licenses(client: Client, organization: Organization, query: str = "") -> list[str]:
    """Events of batches and licenses, newest first."""
    found = actions_in(client, TAB, organization, query)
    return [action for action in found if action.startswith(("batch.", "assignment."))]


# --- Batches as one line ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ONE_LINE),
        (
            "&each=Y",
            ["batch.finished", "assignment.granted", "assignment.granted", "batch.started"],
        ),
        ("&action=assignment.", ["assignment.granted"] * 2),
        ("&action=batch.", ONE_LINE),
        ("&q=serial1", ["assignment.granted"]),
        ("&q=SERIAL", []),
        (f"&title={KEYNOTE}", ["assignment.granted"] * 2),
        (f"&title={PAGES}", []),
        ("&account={account}", ONE_LINE),
        ("&account={account}&each=nonsense", ONE_LINE),
        ("&who=system", ONE_LINE),
        ("&who=outside", []),
    ],
)
def test_a_batch_is_one_line_unless_its_licenses_are_asked_for(
    owner_client: Client,
    account: VppAccount,
    granted: dict[str, LicensedApp],
    query: str,
    expected: list[str],
) -> None:
    query = query.format(account=account.pk)

    assert of_licenses(owner_client, account.organization, query) == expected


def test_the_line_of_a_batch_leads_to_its_page(
    owner_client: Client, account: VppAccount, granted: dict[str, LicensedApp]
) -> None:
    batch_id = AuditEvent.objects.get(action="batch.finished").target_id
    page = reverse("licensing:batch_detail", args=[account.organization_id, batch_id])

    assert f'href="{page}"' in owner_client.get(url(TAB, account.organization)).content.decode()


def test_the_overview_is_not_filled_by_one_grant(
    owner_client: Client, account: VppAccount, granted: dict[str, LicensedApp]
) -> None:
    page = text_of(owner_client.get(reverse("licensing:overview", args=[account.organization_id])))

    assert "Batch finished" in page
    assert "SERIAL1" not in page


def test_batches_of_a_closed_account_are_not_told(
    account: VppAccount, granted: dict[str, LicensedApp], organization: Organization
) -> None:
    VppAccount.objects.filter(pk=account.pk).update(allowed_admins="named")
    client = signed_in(factories.MembershipFactory(organization=organization).admin)

    assert of_licenses(client, organization, "&each=Y") == []


# --- What others changed ------------------------------------------------------------------------------


def changed_by_others(fake: FakeApple, account: VppAccount) -> None:
    """Somebody gives two licenses in Apple's portal and takes one back; the next sync finds it."""
    fake.assign(account.uid, KEYNOTE, serial_numbers=["THEIRS1", "THEIRS2"])
    fake.unassign(account.uid, KEYNOTE, serial_numbers=["SERIAL1"])
    synced(account)


def shows(client: Client, organization: Organization) -> bool:
    page = client.get(reverse("licensing:settings", args=[organization.pk]))
    return "changed outside of this dashboard" in text_of(page)


def test_what_others_changed_is_told_on_every_page_with_a_link_to_it(
    fake: FakeApple, owner_client: Client, account: VppAccount, granted: dict[str, LicensedApp]
) -> None:
    organization = account.organization
    assert not shows(owner_client, organization)  # our own batch is nobody else's

    changed_by_others(fake, account)

    page = owner_client.get(reverse("licensing:settings", args=[organization.pk]))
    assert (
        "3 licenses were changed outside of this dashboard in the last 24 hours"
        " (Example Schools North)."
    ) in text_of(page)
    (found,) = page.context["frame"].notices
    query = found.url.partition("?")[2]
    assert found.url.startswith(url(TAB, organization))
    shown = actions_in(owner_client, TAB, organization, f"&{query}")
    assert sorted(shown) == ["assignment.found", "assignment.found", "assignment.gone"]


def test_the_notice_ends_after_a_day(
    fake: FakeApple, account: VppAccount, granted: dict[str, LicensedApp], owner: Any
) -> None:
    changed_by_others(fake, account)

    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1)):
        assert not shows(signed_in(owner), account.organization)


def test_the_notice_goes_when_it_was_seen_and_comes_with_the_next_change(
    fake: FakeApple,
    owner_client: Client,
    reader_client: Client,
    account: VppAccount,
    granted: dict[str, LicensedApp],
) -> None:
    organization = account.organization
    seen = reverse("licensing:foreign_changes_seen", args=[organization.pk])
    changed_by_others(fake, account)

    answer = reader_client.post(seen, headers={"Referer": f"http://testserver{seen}../"})

    assert answer.headers["Location"] == f"http://testserver{seen}../"
    assert (shows(reader_client, organization), shows(owner_client, organization)) == (False, True)
    fake.assign(account.uid, PAGES, serial_numbers=["THEIRS3"])
    synced(account)
    assert "1 license was changed outside" in text_of(
        reader_client.get(reverse("licensing:settings", args=[organization.pk]))
    )


@pytest.mark.parametrize("referer", ["https://evil.example/", "//evil.example", "javascript:1", ""])
def test_having_seen_it_leads_nowhere_else(
    owner_client: Client, organization: Organization, referer: str
) -> None:
    seen = reverse("licensing:foreign_changes_seen", args=[organization.pk])

    answer = owner_client.post(seen, headers={"Referer": referer})

    assert answer.headers["Location"] == url(TAB, organization)


def test_the_notice_is_for_those_who_may_see_the_licenses(
    fake: FakeApple,
    outsider_client: Client,
    account: VppAccount,
    granted: dict[str, LicensedApp],
    organization: Organization,
) -> None:
    changed_by_others(fake, account)
    VppAccount.objects.filter(pk=account.pk).update(allowed_admins="named")
    client = signed_in(factories.MembershipFactory(organization=organization).admin)

    assert not shows(client, organization)
    seen = reverse("licensing:foreign_changes_seen", args=[organization.pk])
    assert outsider_client.post(seen).status_code == 404


def test_very_many_changes_are_not_counted_to_the_end(
    owner_client: Client, account: VppAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "MOST_COUNTED", 2)
    title = factories.LicensedAppFactory(account=account)
    for _ in range(3):
        AuditEvent.objects.create(
            organization=account.organization,
            actor_kind="apple",
            actor_name="Apple",
            action="assignment.found",
            target_kind="licensedapp",
            target_id=title.pk,
        )

    page = owner_client.get(reverse("licensing:settings", args=[account.organization_id]))

    assert "More than 2 licenses were changed outside of this dashboard" in text_of(page)


def test_what_another_mdm_granted_can_be_asked_for(
    fake: FakeApple, owner_client: Client, account: VppAccount, granted: dict[str, LicensedApp]
) -> None:
    """A location that was taken over tells whose the licenses were that are found then."""
    changed_by_others(fake, account)
    fake.claim(account.uid, {"id": "other", "name": "Other MDM", "metadata": ""})
    fake.assign(account.uid, PAGES, serial_numbers=["OTHERS1"])
    VppAccount.objects.filter(pk=account.pk).update(take_over_from="other")
    account.refresh_from_db()

    synced(account)

    assert Assignment.objects.get(holder="OTHERS1").origin == Assignment.Origin.OTHER_MDM
    answer = owner_client.get(f"{url(TAB, account.organization)}?format=csv&who=other_mdm")
    assert [(row["Action"], row["Change"]) for row in rows_of(answer)] == [
        ("assignment.found", "Device OTHERS1; Granted by another MDM")
    ]
