"""A suspended organization: who is told what, what stands still, and how it goes on."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, TestCase
from django.utils import timezone

from licensing import tasks as licensing_tasks
from licensing.batches import sending, steps
from licensing.models import LicensedApp, Writer
from organizations.models import AuditEvent, Membership, Organization, OutgoingMail
from organizations.tasks import send_mail
from tests.api.conftest import client_of
from tests.draining import at_apple, begin, drain, synced
from tests.factories import (
    DeviceFactory,
    InvitationFactory,
    MembershipFactory,
    NetworkFactory,
    PeopleImportFactory,
)
from tests.notifying import SECRET, envelope, hash_of, post
from tests.reading import text_of
from tests.test_sync import KEYNOTE
from users.invitations import links
from users.models import Invitation, InvitationSettings
from users.tasks import remind_due, ring_waiting_imports, work_on_import
from vpp_accounts import tasks as account_tasks
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, Alarm, Notification, SyncRun, VppAccount

REASON = "The invoice of May is not paid."
WHY = (
    "This organization is suspended by the operator of this installation since"
    f" {{day}}: {REASON} Ask the operator to resume it."
)


def suspend(organization: Organization, reason: str = REASON) -> str:
    return command("suspend_organization", organization.pk, reason=reason)


def resume(organization: Organization) -> str:
    return command("resume_organization", organization.pk)


def command(name: str, *arguments: object, **options: object) -> str:
    out = io.StringIO()
    with TestCase.captureOnCommitCallbacks(execute=True):
        call_command(name, *map(str, arguments), stdout=out, **options)
    return out.getvalue().strip()


def why() -> str:
    return WHY.format(day=f"{timezone.now():%-d %b %Y}")


# --- The doors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["settings/", "networks/add/", "alarms/", "deleted/"])
def test_every_page_says_why_it_is_closed(
    organization: Organization, owner_client: Client, path: str, method: str
) -> None:
    suspend(organization)

    answer = getattr(owner_client, method)(f"/organizations/{organization.pk}/{path}")

    assert answer.status_code == 403
    assert f"Example Schools is closed {why()} Back to your organizations" in text_of(answer)
    assert "sidebar" not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


def test_a_part_of_a_page_asks_for_the_whole_page(
    organization: Organization, owner_client: Client
) -> None:
    suspend(organization)

    answer = owner_client.get(
        f"/organizations/{organization.pk}/running-work/", headers={"HX-Request": "true"}
    )

    assert (answer.status_code, answer["HX-Refresh"]) == (403, "true")


def test_who_does_not_belong_to_it_learns_nothing(
    organization: Organization, outsider_client: Client
) -> None:
    suspend(organization)

    assert outsider_client.get(f"/organizations/{organization.pk}/").status_code == 404


def test_a_key_is_told_in_a_sentence(organization: Organization, owner: Any, fake: Any) -> None:
    network = NetworkFactory(organization=organization)
    key = client_of(owner)
    suspend(organization)

    answers = [
        key.get(f"/organizations/{organization.pk}/networks"),
        key.send("PUT", f"/networks/{network.pk}", {"name": "New"}),
        key.get(f"/organizations/{organization.pk}/sm/vppAccounts"),
    ]

    told = (403, {"errors": [why()], "code": "organization_closed"})
    assert [(each.status_code, each.json()) for each in answers] == [told] * 3


def test_signing_in_goes_on_and_shows_which_one_is_closed(
    organization: Organization, owner: Any, client: Client
) -> None:
    MembershipFactory(admin=owner, organization__name="Second Schools")
    suspend(organization)

    told = {"login": owner.email, "password": "a long enough password"}
    home = client.post("/accounts/login/", told, follow=True)

    assert home.redirect_chain[-1][0] == "/organizations/"
    assert "Example Schools Full Suspended" in text_of(home)


def test_an_invitation_link_says_not_now(account: VppAccount, client: Client) -> None:
    invitation = InvitationFactory(user__account=account)
    page = f"/i/{links.token_of(invitation)}"
    suspend(account.organization)

    closed = client.get(page, headers={"User-Agent": "Mozilla/5.0"})
    asked = client.post(f"{page}/ask")

    assert (closed.status_code, asked.status_code) == (503, 302)
    assert "This invitation is not available now" in text_of(closed)
    invitation.refresh_from_db()
    assert (invitation.opened_at, invitation.asked_again_at) == (None, None)


# --- The operator ---------------------------------------------------------------------------------


def test_the_operator_closes_and_opens_it_and_both_are_recorded(organization: Organization) -> None:
    said = [suspend(organization, "Not paid"), resume(organization)]

    events = AuditEvent.objects.filter(organization=organization).order_by("pk")
    assert said == [
        f"organization {organization.pk} is suspended",
        f"organization {organization.pk} is resumed",
    ]
    assert list(events.values_list("action", "actor_kind", "actor_name", "after")) == [
        (
            "organization.suspended",
            "system",
            "Installation operator",
            {"reason": "Not paid."},
        ),
        ("organization.resumed", "system", "Installation operator", None),
    ]


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("suspend_organization", {"reason": " "}, "Say why in 1 to 300 characters"),
        ("suspend_organization", {"reason": "x" * 301}, "Say why in 1 to 300 characters"),
        ("resume_organization", {}, "It is not suspended."),
    ],
)
def test_the_operator_is_told_what_is_wrong(
    organization: Organization, name: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command(name, str(organization.pk), **options)

    assert not AuditEvent.objects.exists()


def test_an_organization_that_is_not_there_or_is_suspended_already(
    organization: Organization,
) -> None:
    suspend(organization)

    with pytest.raises(CommandError, match="It is suspended already: The invoice of May"):
        call_command("suspend_organization", str(organization.pk), reason="Again")
    with pytest.raises(CommandError, match="There is no organization 99999999"):
        call_command("suspend_organization", "99999999", reason="Gone")


def test_the_operator_lists_organizations_without_their_data(
    organization: Organization, owner: Any, outsider: Any, account: VppAccount
) -> None:
    DeviceFactory.create_batch(3, organization=organization)
    elsewhere = outsider.memberships.get().organization
    suspend(elsewhere)

    found = json.loads(command("list_organizations", json=True))
    table = command("list_organizations")

    told = [{**each, "created": "", "gone_at": each["gone_at"]} for each in found]
    assert told == [
        {
            "id": organization.pk,
            "name": "Example Schools",
            "created": "",
            "state": "open",
            "reason": "",
            "gone_at": None,
            "admins": 1,
            "accounts": 1,
            "devices": 3,
        },
        {
            "id": elsewhere.pk,
            "name": "Elsewhere",
            "created": "",
            "state": "suspended",
            "reason": REASON,
            "gone_at": None,
            "admins": 1,
            "accounts": 0,
            "devices": 0,
        },
    ]
    today = f"{timezone.now():%Y-%m-%d}"
    lines = [line.split() for line in table.splitlines()]
    assert lines == [
        ["id", "name", "created", "state", "admins", "accounts", "devices"],
        [str(organization.pk), "Example", "Schools", today, "open", "1", "1", "3"],
        [str(elsewhere.pk), "Elsewhere", today, "suspended", "1", "0", "0"],
    ]


def test_listing_costs_the_same_for_any_number(
    organization: Organization, django_assert_num_queries: Any
) -> None:
    MembershipFactory.create_batch(3)

    with django_assert_num_queries(4):
        command("list_organizations")


# --- Mail -----------------------------------------------------------------------------------------


def mails(organization: Organization) -> list[tuple[str, str, bool]]:
    rows = OutgoingMail.objects.filter(organization=organization).order_by("pk")
    return [(each.to, each.subject, each.sent_at is not None) for each in rows]


def test_only_the_mail_about_it_goes_out_and_the_others_follow(
    organization: Organization, owner: Any, reader: Any
) -> None:
    OutgoingMail.objects.create(
        organization=organization, key="any", to="person@example.org", subject="Invitation"
    )
    invited = MembershipFactory(organization=organization)
    Membership.objects.filter(pk=invited.pk).update(accepted_at=None)

    suspend(organization)
    send_mail()
    meanwhile = mails(organization)
    resume(organization)
    send_mail()

    suspended = (owner.email, "Example Schools is suspended", True)
    assert meanwhile == [("person@example.org", "Invitation", False), suspended]
    assert mails(organization) == [
        ("person@example.org", "Invitation", True),
        suspended,
        (owner.email, "Example Schools is no longer suspended", True),
    ]


# --- What stands still ----------------------------------------------------------------------------


@pytest.fixture
def keynote(fake: FakeApple, account: VppAccount) -> LicensedApp:
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    return synced(account)[KEYNOTE]


def test_no_sync_begins_and_resuming_makes_one_due_at_once(
    account: VppAccount, keynote: LicensedApp
) -> None:
    later = timezone.now() + timedelta(hours=5)
    suspend(account.organization)
    VppAccount.objects.update(next_sync_at=timezone.now())
    run = SyncRun.objects.create(
        organization=account.organization, account=account, trigger="manual"
    )

    licensing_tasks.start_due_syncs()
    licensing_tasks.run_sync(sync_run_id=run.pk)
    run.refresh_from_db()
    meanwhile = (run.started_at, SyncRun.objects.open().count())
    VppAccount.objects.update(next_sync_at=later)
    resume(account.organization)

    account.refresh_from_db()
    assert meanwhile == (None, 1)
    assert account.next_sync_at <= timezone.now()
    licensing_tasks.run_sync(sync_run_id=run.pk)
    run.refresh_from_db()
    assert run.outcome == SyncRun.Outcome.SUCCEEDED


def test_a_sync_under_way_is_taken_from_its_worker(account: VppAccount) -> None:
    run = SyncRun.objects.create(
        organization=account.organization,
        account=account,
        trigger="schedule",
        lease_until=timezone.now() + timedelta(seconds=30),
        phase="assignments",
    )

    suspend(account.organization)

    run.refresh_from_db()
    assert (run.outcome, run.message) == (
        "failed",
        "Stopped, because the organization was closed.",
    )


def test_a_batch_stands_still_and_goes_on(
    account: VppAccount, keynote: LicensedApp, fake: FakeApple
) -> None:
    batch = begin("grant", [keynote], serials=["S1", "S2"])
    suspend(account.organization)

    licensing_tasks.ring_waiting_writers()
    licensing_tasks.work_on_account(account_id=account.pk)
    meanwhile = (at_apple(fake, account), set(batch.items.values_list("state", flat=True)))
    resume(account.organization)
    writer = Writer.objects.get(account=account)

    assert meanwhile == (set(), {"planned"})
    assert writer.next_work_at <= timezone.now()
    drain(account, fake)
    assert at_apple(fake, account) == {(KEYNOTE, "S1"), (KEYNOTE, "S2")}


def test_a_worker_in_the_middle_of_a_batch_stops_at_its_next_step(
    account: VppAccount, keynote: LicensedApp, fake: FakeApple, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.settings.limits["maxAssets"] = fake.settings.limits["maxSerialNumbers"] = 1
    batch = begin("grant", [keynote], serials=["S1", "S2", "S3"])
    in_between(monkeypatch, lambda: suspend(account.organization))

    licensing_tasks.work_on_account(account_id=account.pk)

    batch.refresh_from_db()
    assert (batch.state, batch.reason) == ("paused", "The organization is suspended.")
    assert sorted(batch.items.values_list("state", flat=True)) == ["planned", "planned", "sent"]


def in_between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Once, after the first request was sent."""
    done: list[bool] = []

    def reached(place: str) -> None:
        if place == steps.ACCEPTED and not done:
            done.append(True)
            act()

    monkeypatch.setattr(sending.steps, "reached", reached)


def test_what_apple_tells_is_stored_and_read_later(account: VppAccount) -> None:
    VppAccount.objects.update(notification_secret_hash=hash_of(SECRET))
    suspend(account.organization)

    answer = post(account, envelope(account))
    licensing_tasks.handle_waiting_notifications()
    licensing_tasks.handle_notifications(account_id=account.pk)

    stored = Notification.objects.get(account=account)
    assert (answer.status_code, stored.handled_at, stored.attempts) == (200, None, 0)


def test_the_sweeps_leave_it_alone(account: VppAccount, keynote: LicensedApp) -> None:
    now, ago = timezone.now(), timezone.now() - timedelta(days=30)
    organization = account.organization
    VppAccount.objects.update(state=AccountState.CLAIMED, state_since=ago, token_expires_at=ago)
    people_import = PeopleImportFactory(organization=organization, state="applying")
    InvitationSettings.objects.create(organization=organization, first_reminder_days=1)
    invitation = InvitationFactory(user__account=account, sent_at=ago, last_sent_at=ago)
    suspend(organization)
    OutgoingMail.objects.all().delete()

    account_tasks.raise_alarms()
    account_tasks.check_claimed_accounts()
    account_tasks.check_claimed_account(account_id=account.pk)
    account_tasks.check_token_dates()
    licensing_tasks.refresh_stale_metadata()
    ring_waiting_imports()
    work_on_import(import_id=str(people_import.pk))
    remind_due()

    account.refresh_from_db()
    people_import.refresh_from_db()
    assert (Alarm.objects.count(), OutgoingMail.objects.count()) == (0, 0)
    assert (account.state, account.claim_checked_at) == (AccountState.CLAIMED, None)
    assert people_import.state == "applying"
    assert Invitation.objects.get(pk=invitation.pk).reminders == 0
    assert now <= Organization.objects.get(pk=organization.pk).suspended_at


def test_others_go_on(outsider: Any, account: VppAccount, keynote: LicensedApp) -> None:
    suspend(outsider.memberships.get().organization)
    VppAccount.objects.update(next_sync_at=timezone.now())

    licensing_tasks.start_due_syncs()

    assert SyncRun.objects.open().filter(account=account).count() == 1


def test_the_command_syncs_those_that_are_open(account: VppAccount, keynote: LicensedApp) -> None:
    suspend(account.organization)

    everything = command("sync_vpp", all=True, wait=True)
    with pytest.raises(CommandError, match="Not every account could be synced"):
        command("sync_vpp", account=account.pk, wait=True, stderr=io.StringIO())

    assert (everything, SyncRun.objects.open().count()) == ("", 0)
