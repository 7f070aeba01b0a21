"""Deleting an organization: asked for, undone, and what happens at Apple meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client, TestCase
from django.utils import timezone

from licensing import tasks as licensing_tasks
from licensing.batches import taking_back
from licensing.models import Batch, BatchItem, LicensedApp
from organizations import closing
from organizations.audit import Actor
from organizations.models import AuditEvent, Organization, OutgoingMail
from organizations.refusals import Refusal
from organizations.tasks import erase_deleted, remind_of_deletions
from tests.api.conftest import client_of
from tests.conftest import signed_in
from tests.draining import at_apple, begin, drain, synced
from tests.factories import AssignmentFactory, MembershipFactory, VppAccountFactory
from tests.notifying import address_of, deliver
from tests.reading import errors_of, text_of
from tests.signing_in import made_old
from tests.test_sync import KEYNOTE, run_sync
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import FormerClaim, VppAccount
from vpp_accounts.tasks import say_goodbye

NAME = "Example Schools"
BOOK = "1801147365"


def page_of(organization: Organization, below: str = "settings/delete/") -> str:
    return f"/organizations/{organization.pk}/{below}"


def delete(client: Client, organization: Organization, **posted: object) -> Any:
    told = {"typed_name": NAME, **posted}
    with TestCase.captureOnCommitCallbacks(execute=True):
        return client.post(page_of(organization), told)


def undo(client: Client, organization: Organization) -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return client.post(page_of(organization, "deleted/"))


def subjects() -> list[tuple[str, str]]:
    return list(OutgoingMail.objects.order_by("pk").values_list("to", "subject"))


# --- Asking ---------------------------------------------------------------------------------------


def test_it_closes_at_once_and_can_be_undone_for_30_days(
    organization: Organization, owner_client: Client, owner: Any
) -> None:
    now = timezone.now()

    answer = delete(owner_client, organization)
    shown = owner_client.get(answer["Location"])
    elsewhere = owner_client.get(page_of(organization, "mdm/"))

    organization.refresh_from_db()
    days = (organization.deletes_at - now).days
    assert (answer.status_code, answer["Location"]) == (302, page_of(organization, "deleted/"))
    assert (organization.is_open, days, organization.takes_licenses_back) == (False, 30, False)
    assert f"Example Schools is deleted {owner.email} deleted it" in text_of(shown)
    assert (elsewhere.status_code, page_of(organization, "deleted/")) == (
        403,
        address_in(elsewhere),
    )
    event = AuditEvent.objects.get(action="organization.deletion_asked")
    assert (event.actor_name, event.after) == (
        owner.email,
        {"goneForGood": organization.deletes_at.isoformat(), "takesLicensesBack": False},
    )


def address_in(answer: Any) -> str:
    return answer.content.decode().split('class="btn btn-primary w-100"')[1].split('"')[1]


def test_undoing_opens_it_again(
    organization: Organization, owner_client: Client, owner: Any
) -> None:
    delete(owner_client, organization)

    answer = undo(owner_client, organization)

    organization.refresh_from_db()
    assert (answer.status_code, organization.is_open) == (302, True)
    assert (organization.deletes_at, organization.deletion_asked_by) == (None, "")
    assert owner_client.get(page_of(organization, "settings/")).status_code == 200
    assert owner_client.get(page_of(organization, "deleted/")).status_code == 302
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["organization.deletion_asked", "organization.deletion_undone"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Type the name of the organization to delete it."),
        ("example schools", f"That is not the organization's name. Type “{NAME}” exactly."),
    ],
)
def test_the_name_has_to_be_typed(
    organization: Organization, owner_client: Client, typed: str, sentence: str
) -> None:
    answer = delete(owner_client, organization, typed_name=typed)

    organization.refresh_from_db()
    assert (answer.status_code, errors_of(answer), organization.is_open) == (200, [sentence], True)


def test_asking_twice_is_asking_once(organization: Organization, by: Actor) -> None:
    first = closing.ask_deletion(by=by, organization=organization, typed_name=NAME)
    second = closing.ask_deletion(by=by, organization=organization, typed_name=NAME)

    assert first.deletes_at == second.deletes_at
    assert AuditEvent.objects.count() == 1


def test_nothing_to_undo_and_too_late(organization: Organization, by: Actor) -> None:
    with pytest.raises(Refusal, match="is not deleted: there is nothing to undo"):
        closing.undo_deletion(by=by, organization=organization)
    closing.ask_deletion(by=by, organization=organization, typed_name=NAME)

    with (
        time_machine.travel(timezone.now() + timedelta(days=30, minutes=1)),
        pytest.raises(Refusal, match="The days to undo it are over"),
    ):
        closing.undo_deletion(by=by, organization=organization)


def test_it_needs_a_recent_sign_in(organization: Organization, owner_client: Client) -> None:
    owner_client.get(page_of(organization, "settings/"))
    made_old(owner_client)

    answers = [owner_client.get(page_of(organization)), delete(owner_client, organization)]

    organization.refresh_from_db()
    assert organization.is_open
    assert {each["Location"].split("?")[0] for each in answers} == {"/accounts/reauthenticate/"}


@pytest.mark.parametrize("below", ["settings/delete/", "deleted/"])
def test_only_full_admins_find_the_pages(
    organization: Organization, reader_client: Client, outsider_client: Client, below: str
) -> None:
    network_admin = signed_in(MembershipFactory(organization=organization, access="none").admin)
    clients = (reader_client, network_admin, outsider_client)

    answers = [
        (client.get(page_of(organization, below)), client.post(page_of(organization, below)))
        for client in clients
    ]

    codes = [[answer.status_code for answer in pair] for pair in answers]
    assert codes == [[403, 403], [403, 403], [404, 404]]


def test_a_reader_of_a_deleted_organization_is_told_when_it_ends(
    organization: Organization, owner_client: Client, reader_client: Client
) -> None:
    delete(owner_client, organization)

    answer = reader_client.get(page_of(organization, "deleted/"))

    organization.refresh_from_db()
    end = f"{organization.deletes_at:%-d %b %Y}"
    assert answer.status_code == 403
    assert f"will be gone for good on {end}. Until then a full admin can undo that." in text_of(
        reader_client.get(page_of(organization))
    )


# --- Mail -----------------------------------------------------------------------------------------


def test_full_admins_are_mailed_at_once_and_7_days_and_1_day_before(
    organization: Organization, owner: Any, reader: Any, by: Actor
) -> None:
    second = MembershipFactory(organization=organization, admin__email="second@example.org").admin
    begun = timezone.now()
    closing.ask_deletion(by=by, organization=organization, typed_name=NAME)
    posted = []

    for day in (1, 22, 23.5, 24, 29.2, 29.6, 31):
        with time_machine.travel(begun + timedelta(days=day)):
            posted.append(remind_of_deletions())

    end = f"{begun + timedelta(days=30):%-d %b %Y}"
    told = [
        f"{NAME} is deleted on {end}",
        f"{NAME} is gone for good in 7 days",
        f"{NAME} is gone for good tomorrow",
    ]
    assert posted == [0, 0, 2, 0, 2, 0, 0]
    assert subjects() == [(to, subject) for subject in told for to in (owner.email, second.email)]


# --- At Apple -------------------------------------------------------------------------------------


@pytest.fixture
def subscribed(settings, account: VppAccount, fake: FakeApple) -> VppAccount:
    settings.BASE_URL = "https://vpp.example.org"
    settings.APPLE_NOTIFICATIONS = "auto"
    fake.deliver = deliver
    run_sync(account)
    return account


def told_apple(fake: FakeApple, account: VppAccount) -> tuple[str, tuple[str, ...]]:
    subscription = fake.location(account.uid).subscription
    return subscription.url or "", tuple(subscription.types)


def test_notifications_end_and_undoing_brings_them_back(
    subscribed: VppAccount, fake: FakeApple, owner_client: Client
) -> None:
    organization = subscribed.organization
    before = told_apple(fake, subscribed)

    delete(owner_client, organization)
    say_goodbye(former_claim_id=FormerClaim.objects.get().pk)
    meanwhile = told_apple(fake, subscribed)
    tokens = list(FormerClaim.objects.values_list("token_ciphertext", flat=True))
    undo(owner_client, organization)
    run_sync(subscribed)

    assert before[0].endswith(address_of(subscribed))
    assert (meanwhile[1], tokens) == ((), [""])
    assert told_apple(fake, subscribed) == before
    assert not FormerClaim.objects.exists()
    holder = fake.location(subscribed.uid).mdm_info
    assert holder["id"] == str(subscribed.uuid)


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, BOOK, quantity=5, product_type="Book", revocable=False)
    fake.assign(account.uid, KEYNOTE, serial_numbers=["S1", "S2", "S3"])
    return synced(account)


def test_what_is_not_sent_is_cancelled_and_licenses_stay(
    account: VppAccount, titles: dict[str, LicensedApp], fake: FakeApple, owner_client: Client
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=[f"T{n}" for n in range(9)])

    delete(owner_client, account.organization)
    licensing_tasks.ring_waiting_writers()
    licensing_tasks.work_on_account(account_id=account.pk)

    batch.refresh_from_db()
    assert (batch.state, batch.cancelled, batch.pending) == ("cancelled", 9, 0)
    assert set(batch.items.values_list("message", flat=True)) == {taking_back.CANCELLED}
    assert at_apple(fake, account) == {(KEYNOTE, serial) for serial in ("S1", "S2", "S3")}


def test_the_page_says_what_can_be_taken_back(
    account: VppAccount, titles: dict[str, LicensedApp], owner_client: Client
) -> None:
    VppAccountFactory(
        organization=account.organization, name="Closed to me", allowed_admins="named"
    )
    VppAccountFactory(organization=account.organization, name="Expired", state="expired")

    text = text_of(owner_client.get(page_of(account.organization)))

    assert "VPP account Can be taken back Permanent" in text
    assert "Example Schools North 3 0" in text
    assert f"Closed to me {taking_back.NOT_YOURS} not yours to see" in text
    assert "Expired Expired none of 0 0" in text
    assert "All of them 3 0" in text


def test_every_license_is_taken_back_where_that_is_asked(
    account: VppAccount,
    titles: dict[str, LicensedApp],
    fake: FakeApple,
    owner_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake.purchase(account.uid, "361304891", quantity=5)
    fake.assign(account.uid, "361304891", serial_numbers=["S1", "S2"])
    run_sync(account, full=True)
    monkeypatch.setattr(taking_back, "AT_A_TIME", 2)  # each title by itself

    delete(owner_client, account.organization, take_licenses_back="on")
    number = licensing_tasks.take_licenses_back()
    again = licensing_tasks.take_licenses_back()
    drain(account, fake)

    begun = Batch.objects.filter(why=taking_back.WHY).order_by("pk")
    assert [(b.kind, b.actor_name, b.about, b.succeeded, b.state) for b in begun] == [
        ("revoke", "owner@example.org", "All licenses of 1 title", number, "finished")
        for number in (3, 2)
    ]
    assert (number, again, at_apple(fake, account)) == (2, 0, set())
    account.organization.refresh_from_db()
    assert not account.organization.takes_licenses_back


def test_taking_back_goes_on_where_it_was_interrupted(
    account: VppAccount, titles: dict[str, LicensedApp], by: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing.ask_deletion(
        by=by, organization=account.organization, typed_name=NAME, take_licenses_back=True
    )
    monkeypatch.setattr(taking_back, "wake", interrupted)
    with pytest.raises(KeyboardInterrupt):
        taking_back.begin_all()
    monkeypatch.undo()

    begun = taking_back.begin_all()

    assert (begun, BatchItem.objects.count(), Batch.objects.count()) == (1, 3, 1)


def test_an_account_whose_licenses_are_all_under_way_holds_up_no_other(
    account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    begin("revoke", [titles[KEYNOTE]], serials=["S1", "S2", "S3"])
    BatchItem.objects.update(attempts=1)
    other = AssignmentFactory(
        licensed_app__account__organization=account.organization,
        licensed_app__account__name="Zebra",
        licensed_app__revocable=True,
    )
    closing.ask_deletion(
        by=by, organization=account.organization, typed_name=NAME, take_licenses_back=True
    )

    begun = taking_back.begin_all()

    ours = Batch.objects.filter(why=taking_back.WHY)
    account.organization.refresh_from_db()
    assert (begun, list(ours.values_list("account", flat=True))) == (1, [other.account_id])
    assert account.organization.takes_licenses_back


def interrupted(account: VppAccount) -> None:
    raise KeyboardInterrupt


def test_only_what_the_admin_manages_is_taken_back(
    account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    VppAccount.objects.update(allowed_admins="named")

    closing.ask_deletion(
        by=by, organization=account.organization, typed_name=NAME, take_licenses_back=True
    )

    assert (taking_back.begin_all(), Batch.objects.count()) == (0, 0)


def test_undoing_ends_the_taking_back_that_is_not_begun(
    account: VppAccount, titles: dict[str, LicensedApp], by: Actor
) -> None:
    organization = account.organization
    closing.ask_deletion(by=by, organization=organization, typed_name=NAME, take_licenses_back=True)
    closing.undo_deletion(by=by, organization=organization)

    assert (taking_back.begin_all(), Batch.objects.count()) == (0, 0)


def test_undoing_leaves_assigned_what_apple_was_not_asked_for(
    account: VppAccount, titles: dict[str, LicensedApp], fake: FakeApple, owner_client: Client
) -> None:
    held = at_apple(fake, account)
    delete(owner_client, account.organization, take_licenses_back="on")
    licensing_tasks.take_licenses_back()

    undo(owner_client, account.organization)
    drain(account, fake)

    messages = set(BatchItem.objects.values_list("message", flat=True))
    batch = Batch.objects.get()
    assert (batch.state, batch.cancelled, messages) == ("cancelled", 3, {taking_back.UNDONE})
    assert at_apple(fake, account) == held


# --- REST -----------------------------------------------------------------------------------------


def test_a_program_has_to_name_what_it_deletes(organization: Organization, owner: Any) -> None:
    api = client_of(owner)
    address = f"/organizations/{organization.pk}"

    answers = [api.delete(address), api.delete(f"{address}?confirm=Wrong")]
    deleted = api.delete(f"{address}?confirm=Example%20Schools")
    after = api.get(address)

    assert [each.status_code for each in (*answers, deleted, after)] == [400, 400, 204, 403]
    assert "send its name as ?confirm=…" in answers[0].json()["errors"][0]
    assert answers[1].json() == {
        "errors": [f"That is not the organization's name. Type “{NAME}” exactly."],
        "code": "name_not_typed",
    }
    assert "was deleted on" in after.json()["errors"][0]


def test_readers_and_read_only_keys_delete_nothing(
    organization: Organization, owner: Any, reader: Any, outsider: Any
) -> None:
    keys = [client_of(reader), client_of(owner, read_only=True), client_of(outsider)]

    codes = [
        key.delete(f"/organizations/{organization.pk}?confirm=Example%20Schools").status_code
        for key in keys
    ]

    organization.refresh_from_db()
    assert (codes, organization.is_open) == ([403, 403, 404], True)


def test_the_days_stand_still_while_it_is_suspended(organization: Organization, by: Actor) -> None:
    """Nobody could undo the deletion meanwhile."""
    closing.ask_deletion(by=by, organization=organization, typed_name=NAME)
    closing.suspend(by=by, organization=organization, reason="Bills.")
    Organization.objects.update(deletes_at=timezone.now())

    gone = erase_deleted()
    reminded = remind_of_deletions()
    resumed = closing.resume(by=by, organization=organization)

    days = (resumed.deletes_at - timezone.now()).days
    assert (gone, reminded, days) == (0, 0, 6)
