"""Every task, with work waiting in two organizations, as the role that sees only one at a time.

A task that forgot to say in whose organization it works would find nothing to do, and fail nowhere
else. A new task without a line in `WORK` fails here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from celery.app.task import Task
from django.db.models import Model
from django.test import TestCase
from django.utils import timezone

from apps_catalog.channels import events, inbox
from apps_catalog.models import (
    App,
    ChannelCommand,
    ChannelEvent,
    ChannelSettings,
    Deployment,
    Installation,
    SimulatedDevice,
    StoreSearch,
)
from licensing import batches
from licensing.models import Automation, AutomationChange, Batch, BatchItem, LicensedApp, Reclaim
from organizations import audit
from organizations.devices import importing
from organizations.models import (
    ApiKey,
    Device,
    IdentityProvider,
    Organization,
    OutgoingMail,
    SignInFailure,
)
from tests import factories, saml_provider
from tests.draining import BY, synced
from tests.nanomdm_stub import NanoMdmStub
from users import imports
from users.models import Invitation, InvitationSettings, PeopleImport
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.catalogue import CATALOGUE
from vpp_accounts.models import AccountState, Alarm, FormerClaim, Notification, VppAccount
from vpp_dashboard.celery import EVERY, app

pytestmark = pytest.mark.django_db
OURS = ("licensing.", "users.", "apps_catalog.", "vpp_accounts.", "organizations.")
DAY = timedelta(days=1)


@dataclass
class Place:
    """One of the two organizations, with an account that Apple knows."""

    organization: Organization
    account: VppAccount
    title: str  # an Adam ID that no other place has
    fake: FakeApple
    row: dict[str, Any] = field(default_factory=dict)  # of a task about one row

    def about(self, **row: Any) -> None:
        self.row = row

    @property
    def here(self) -> dict[str, Any]:
        return {"organization": self.organization}

    @property
    def at_account(self) -> dict[str, Any]:
        return {"organization": self.organization, "account": self.account}


Look = Callable[[], Any]
WORK: dict[str, tuple[Callable[[Place], Look], Any]] = {}


def work(*tasks: str, done: Any) -> Callable[[Callable[[Place], Look]], Callable[[Place], Look]]:
    """`arrange` makes work for these tasks and answers how to look; `done` is what is seen then."""

    def note(arrange: Callable[[Place], Look]) -> Callable[[Place], Look]:
        WORK.update(dict.fromkeys(tasks, (arrange, done)))
        return arrange

    return note


def gone(row: Model) -> Look:
    return lambda: type(row)._default_manager.filter(pk=row.pk).exists()


def value(row: Model, name: str) -> Look:
    return lambda: type(row)._default_manager.values_list(name, flat=True).get(pk=row.pk)


def is_written_to(place: Place) -> Look:
    return lambda: OutgoingMail.objects.filter(organization=place.organization).exists()


def made_before(row: Model, name: str, days: int) -> Model:
    type(row)._default_manager.filter(pk=row.pk).update(**{name: timezone.now() - days * DAY})
    return row


# --- Syncs and what Apple tells -------------------------------------------------------------------


@work("licensing.tasks.start_due_syncs", done=1)
def titles_to_read(place: Place) -> Look:
    place.fake.purchase(place.account.uid, place.title, quantity=3)
    made_before(place.account, "next_sync_at", 1)
    return lambda: LicensedApp.objects.filter(account=place.account).count()


@work("licensing.tasks.run_sync", "licensing.tasks.requeue_lost_syncs", done=1)
def a_run_that_nobody_works_on(place: Place) -> Look:
    run = made_before(factories.SyncRunFactory(account=place.account), "created_at", 1)
    place.about(sync_run_id=run.pk)
    return titles_to_read(place)


@work("licensing.tasks.fetch_metadata", "licensing.tasks.refresh_stale_metadata", done=True)
def a_title_without_a_name(place: Place) -> Look:
    app = factories.AppFactory(adam_id=place.title, name="", kind="", platforms=[])
    factories.LicensedAppFactory(account=place.account, app=app)
    VppAccount.objects.filter(pk=place.account.pk).update(last_synced_at=timezone.now())
    place.about(account_id=place.account.pk)
    return lambda: bool(App.objects.get(pk=app.pk).name)


@work(
    "licensing.tasks.handle_notifications",
    "licensing.tasks.handle_waiting_notifications",
    done=True,
)
def a_notification(place: Place) -> Look:
    told = Notification.objects.create(
        **place.at_account, notification_id="n-1", kind="TEST_NOTIFICATION", payload={}
    )
    place.about(account_id=place.account.pk)
    return lambda: Notification.objects.filter(pk=told.pk, handled_at__isnull=False).exists()


# --- Automatic licensing --------------------------------------------------------------------------


@work("licensing.tasks.sweep_automation", done=["licensed"])
def an_app_for_a_device(place: Place) -> Look:
    """Which nobody has noticed."""
    network = factories.NetworkFactory(organization=place.organization)
    factories.DeviceFactory(organization=place.organization, network=network)
    app = factories.ManagedAppFactory(network=network, purchase_method="none")
    rows = Installation.objects.filter(managed_app=app)
    return lambda: list(rows.values_list("state", flat=True))


@work("licensing.tasks.run_automation", "licensing.tasks.ring_due_automations", done=["licensed"])
def a_scope_to_evaluate(place: Place) -> Look:
    look = an_app_for_a_device(place)
    AutomationChange.objects.create(organization=place.organization)
    Automation.objects.update_or_create(
        organization=place.organization, defaults={"due_at": timezone.now()}
    )
    place.about(organization_id=place.organization.pk)
    return look


# --- Batches --------------------------------------------------------------------------------------


@work("licensing.tasks.work_on_account", "licensing.tasks.ring_waiting_writers", done=["sent"])
def a_license_to_grant(place: Place) -> Look:
    place.fake.purchase(place.account.uid, place.title, quantity=3)
    titles = synced(place.account)
    wish = batches.wish_for(kind="grant", titles=[titles[place.title]], serials=["SERIAL1"])
    plan = batches.make_plan(by=BY, membership=None, account=place.account, wish=wish)
    batch = batches.start(by=BY, membership=None, plan=plan)
    place.about(account_id=place.account.pk)
    return lambda: list(BatchItem.objects.filter(batch=batch).values_list("state", flat=True))


@work("licensing.tasks.take_licenses_back", done=1)
def a_deleted_organization_that_wants_its_licenses_back(place: Place) -> Look:
    title = factories.LicensedAppFactory(account=place.account)
    factories.AssignmentFactory(licensed_app=title)
    _ask_deletion(place, takes_licenses_back=True)
    return lambda: Batch.objects.filter(account=place.account, kind="revoke").count()


@work("licensing.tasks.look_for_reclaims", "licensing.tasks.find_reclaims", done=1)
def a_license_of_a_device_that_left(place: Place) -> Look:
    title = factories.LicensedAppFactory(account=place.account)
    device = factories.DeviceFactory(**place.here, enrollment="none", unenrolled_at=timezone.now())
    factories.AssignmentFactory(licensed_app=title, holder=device.serial_number)
    place.about(organization_id=place.organization.pk)
    return lambda: Reclaim.objects.filter(account=place.account, state="found").count()


@work("licensing.tasks.ring_due_reclaims", "licensing.tasks.take_back_due", done="started")
def a_license_whose_grace_is_over(place: Place) -> Look:
    title = factories.LicensedAppFactory(account=place.account)
    held = factories.AssignmentFactory(licensed_app=title)
    due = Reclaim.objects.create(
        **place.at_account,
        licensed_app=title,
        holder_kind="device",
        holder=held.holder,
        cause="deleted",
        due_at=timezone.now() - DAY,
    )
    place.about(organization_id=place.organization.pk)
    return value(due, "state")


@work("licensing.tasks.forget_old_batches", done=False)
def an_old_batch(place: Place) -> Look:
    batch = factories.BatchFactory(account=place.account, state="finished")
    return gone(made_before(batch, "finished_at", 4000))


# --- Accounts -------------------------------------------------------------------------------------


@work("vpp_accounts.tasks.check_token_dates", done=AccountState.EXPIRED)
def a_token_that_has_ended(place: Place) -> Look:
    return value(made_before(place.account, "token_expires_at", 1), "state")


@work("vpp_accounts.tasks.raise_alarms", done=1)
def a_token_that_ends_soon(place: Place) -> Look:
    account = made_before(place.account, "token_expires_at", -5)
    VppAccount.objects.filter(pk=account.pk).update(state=AccountState.EXPIRING)
    return lambda: Alarm.objects.filter(account=place.account).count()


@work(
    "vpp_accounts.tasks.check_claimed_account",
    "vpp_accounts.tasks.check_claimed_accounts",
    done=True,
)
def a_location_that_another_mdm_took(place: Place) -> Look:
    VppAccount.objects.filter(pk=place.account.pk).update(state=AccountState.CLAIMED)
    place.about(account_id=place.account.pk)
    looked = VppAccount.objects.filter(pk=place.account.pk, claim_checked_at__isnull=False)
    return lambda: looked.exists()


@work("vpp_accounts.tasks.say_goodbye", "vpp_accounts.tasks.say_due_goodbyes", done=("", None))
def a_removed_account(place: Place) -> Look:
    former = FormerClaim.objects.create(
        **place.here,
        mdm_id=str(place.account.uuid),
        token_ciphertext=place.account.token_ciphertext,
        next_attempt_at=timezone.now(),
    )
    place.about(former_claim_id=former.pk)
    left = FormerClaim.objects.filter(pk=former.pk)
    return lambda: left.values_list("token_ciphertext", "next_attempt_at").get()


@work("vpp_accounts.tasks.forget_old_runs", done=False)
def an_old_run(place: Place) -> Look:
    run = factories.SyncRunFactory(account=place.account)
    return gone(made_before(run, "finished_at", 400))


@work("vpp_accounts.tasks.forget_old_notifications", done=False)
def an_old_notification(place: Place) -> Look:
    told = Notification.objects.create(
        **place.at_account, notification_id="n-1", kind="TEST", payload={}
    )
    return gone(made_before(told, "received_at", 4000))


# --- People ---------------------------------------------------------------------------------------


@work("users.tasks.work_on_import", "users.tasks.ring_waiting_imports", done="checked")
def a_file(place: Place) -> Look:
    begun = imports.start_import(
        by=BY, organization=place.organization, file_name="a.csv", content=b"email\na@example.org\n"
    )
    PeopleImport.objects.filter(pk=begun.pk).update(created_at=timezone.now() - DAY / 24)
    place.about(import_id=str(begun.pk))
    return value(begun, "state")


@work("users.tasks.forget_old_imports", done=False)
def an_old_file(place: Place) -> Look:
    return gone(made_before(factories.PeopleImportFactory(**place.here), "created_at", 400))


@work("users.tasks.remind_due", done=1)
def somebody_who_has_not_accepted(place: Place) -> Look:
    InvitationSettings.objects.create(**place.here, first_reminder_days=3)
    owner = factories.OwnerFactory(**place.here)
    invitation = factories.InvitationFactory(
        user__account=place.account, user__owner=owner, mails=1, sent_at=timezone.now() - 5 * DAY
    )
    Invitation.objects.filter(pk=invitation.pk).update(last_sent_at=timezone.now() - 5 * DAY)
    return value(invitation, "reminders")


# --- Searches in the store --------------------------------------------------------------------------


@work("apps_catalog.tasks.search_store", "apps_catalog.tasks.ring_waiting_searches", done=True)
def a_search_that_nobody_has_answered(place: Place) -> Look:
    asked = StoreSearch.objects.create(**place.here, term=place.title, country="US", platform="iOS")
    StoreSearch.objects.filter(pk=asked.pk).update(asked_at=timezone.now() - timedelta(minutes=1))
    place.about(search_id=str(asked.pk))
    answered = StoreSearch.objects.filter(pk=asked.pk, answered_at__isnull=False)
    return lambda: answered.exists()


@work("apps_catalog.tasks.forget_old_searches", done=False)
def an_old_search(place: Place) -> Look:
    asked = StoreSearch.objects.create(**place.here, term="old", country="US", platform="iOS")
    return gone(made_before(asked, "asked_at", 8))


# --- Devices --------------------------------------------------------------------------------------


@work(
    "organizations.tasks.work_on_device_import",
    "organizations.tasks.ring_waiting_device_imports",
    done="checked",
)
def a_file_with_devices(place: Place) -> Look:
    begun = importing.start_import(
        by=BY, organization=place.organization, file_name="a.csv", content=b"serial\nDMQ1\n"
    )
    place.about(import_id=str(begun.pk))
    return value(begun, "state")


@work("organizations.tasks.forget_old_device_imports", done=False)
def an_old_file_with_devices(place: Place) -> Look:
    begun = importing.start_import(
        by=BY, organization=place.organization, file_name="a.csv", content=b"serial\nDMQ1\n"
    )
    return gone(made_before(begun, "created_at", 400))


@work(
    "apps_catalog.tasks.run_deployment",
    "apps_catalog.tasks.ring_due_deployments",
    done="install_queued",
)
def an_app_that_needs_no_license(place: Place) -> Look:
    ChannelSettings.objects.create(**place.here, kind="simulated")
    device = factories.DeviceFactory(**place.here)
    factories.EnrollmentFactory(device=device)
    SimulatedDevice.objects.create(**place.here, device=device)
    app = factories.ManagedAppFactory(network=device.network, purchase_method="none")
    installation = factories.InstallationFactory(managed_app=app, device=device, state="licensed")
    Deployment.objects.create(**place.here, due_at=timezone.now())
    place.about(organization_id=place.organization.pk)
    return value(installation, "state")


@work(
    "apps_catalog.tasks.tick_simulated_fleet",
    "apps_catalog.tasks.tick_simulated_fleets",
    done=False,
)
def a_device_that_was_woken(place: Place) -> Look:
    device = factories.DeviceFactory(**place.here)
    woken = SimulatedDevice.objects.create(
        **place.here, device=device, is_awake=True, next_at=timezone.now()
    )
    place.about(organization_id=place.organization.pk)
    return value(woken, "is_awake")


@work("apps_catalog.tasks.hear_channel", "apps_catalog.tasks.hear_waiting_channels", done=True)
def a_device_that_enrolls(place: Place) -> Look:
    factories.NetworkFactory(**place.here)
    stub = NanoMdmStub()
    stub.device(1 if place.organization.name == "Here" else 2).authenticate()
    told = [events.read_head(body) for body in stub.webhook.bodies]
    inbox.store(place.organization.pk, "nanomdm", told)
    stub.close()
    place.about(organization_id=place.organization.pk)
    return lambda: Device.objects.filter(**place.here, name="Room 12").exists()


@work("apps_catalog.tasks.forget_old_channel_events", done=False)
def an_old_event_of_a_device(place: Place) -> Look:
    told = ChannelEvent.objects.create(
        **place.here, channel="nanomdm", event_id="1", topic="other", told_at=timezone.now()
    )
    return gone(made_before(told, "received_at", 8))


@work("apps_catalog.tasks.check_channel", "apps_catalog.tasks.check_channels", done=True)
def a_server_that_nobody_asked_yet(place: Place) -> Look:
    chosen = ChannelSettings.objects.create(**place.here, kind="nanomdm")
    place.about(organization_id=place.organization.pk)
    checked = ChannelSettings.objects.filter(pk=chosen.pk, checked_at__isnull=False)
    return lambda: checked.exists()


@work("apps_catalog.tasks.ask_devices", "apps_catalog.tasks.ask_all_devices", done=1)
def a_device_that_was_silent_for_days(place: Place) -> Look:
    device = factories.DeviceFactory(**place.here)
    factories.EnrollmentFactory(device=device, inventory_at=timezone.now() - 2 * DAY)
    place.about(organization_id=place.organization.pk)
    return lambda: ChannelCommand.objects.filter(device=device).count()


@work("apps_catalog.tasks.forget_old_commands", done=False)
def an_old_command(place: Place) -> Look:
    device = factories.DeviceFactory(**place.here)
    command = ChannelCommand.objects.create(
        **place.here, device=device, channel_id="A", request_type="DeviceInformation", state="done"
    )
    return gone(made_before(command, "created_at", 31))


# --- The organization -----------------------------------------------------------------------------


@work("organizations.tasks.send_mail", done=True)
def a_mail(place: Place) -> Look:
    mail = OutgoingMail.objects.create(**place.here, key="k", to="a@example.org", subject="S")
    return lambda: OutgoingMail.objects.filter(pk=mail.pk, sent_at__isnull=False).exists()


@work("organizations.tasks.send_webhooks", done=1)
def an_event_for_an_address_that_is_not_asked(place: Place) -> Look:
    webhook = factories.WebhookFactory(**place.here, url="http://169.254.169.254/")
    return value(factories.WebhookDeliveryFactory(webhook=webhook), "attempts")


@work("organizations.tasks.give_up_webhooks", done="failed")
def an_event_that_waits_for_days(place: Place) -> Look:
    webhook = factories.WebhookFactory(**place.here, stopped="disabled")
    delivery = factories.WebhookDeliveryFactory(webhook=webhook)
    return value(made_before(delivery, "created_at", 2), "state")


@work("organizations.tasks.forget_old_webhook_events", done=False)
def an_old_event(place: Place) -> Look:
    webhook = factories.WebhookFactory(**place.here)
    delivery = factories.WebhookDeliveryFactory(webhook=webhook)
    return gone(made_before(delivery.event, "at", 40))


@work("organizations.tasks.forget_old_records", done=False)
def an_old_mail(place: Place) -> Look:
    mail = OutgoingMail.objects.create(**place.here, key="k", to="a@example.org", subject="S")
    return gone(made_before(mail, "created_at", 400))


@work("organizations.tasks.expire_audit_events", done=False)
def an_event_that_is_kept_no_longer(place: Place) -> Look:
    Organization.objects.filter(pk=place.organization.pk).update(audit_kept_months=3)
    with time_machine.travel(timezone.now() - 400 * DAY):
        event = audit.record("network.added", by=BY, **place.here, target=place.organization)
    return gone(event)


@work("organizations.tasks.tell_of_expiring_keys", done=True)
def a_key_that_ends_soon(place: Place) -> Look:
    key, _ = ApiKey.objects.issue(
        admin=_full_admin(place), name="Key", expires_at=timezone.now() + 5 * DAY
    )
    made_before(key, "created_at", 300)
    return is_written_to(place)


@work("organizations.tasks.remind_of_certificates", done=True)
def a_certificate_that_ends_soon(place: Place) -> Look:
    _full_admin(place)
    ends_soon = saml_provider.certificate(saml_provider.KEY, timezone.now() + 5 * DAY)
    IdentityProvider.objects.create(
        **place.here, kind="saml", name="Directory", certificate=ends_soon
    )
    return is_written_to(place)


@work("organizations.tasks.remind_of_deletions", done=True)
def an_organization_that_is_gone_soon(place: Place) -> Look:
    _full_admin(place)
    _ask_deletion(place, deletes_at=timezone.now() + DAY / 2)
    return is_written_to(place)


@work("organizations.tasks.erase_deleted", done=False)
def an_organization_whose_time_is_over(place: Place) -> Look:
    _ask_deletion(place, deletes_at=timezone.now() - DAY)
    return gone(place.organization)


@work("organizations.tasks.forget_sign_ins", done=False)
def an_old_wrong_password(place: Place) -> Look:
    """Of nobody's organization: one for each place all the same."""
    long_ago = timezone.now() - 30 * DAY
    failure = SignInFailure.objects.create(
        login_digest=str(place.organization.pk),
        address="127.0.0.1",
        first_at=long_ago,
        last_at=long_ago,
    )
    return gone(failure)


def _full_admin(place: Place) -> Any:
    return factories.MembershipFactory(**place.here).admin


def _ask_deletion(place: Place, **values: Any) -> None:
    admin = _full_admin(place)
    asked = {"deletion_asked_at": timezone.now(), "deletion_asked_by": admin.email}
    asked |= {"deletes_at": timezone.now() + 30 * DAY} | values
    Organization.objects.filter(pk=place.organization.pk).update(**asked)


# --- The tests ------------------------------------------------------------------------------------


@pytest.fixture
def places(fake: FakeApple) -> list[Place]:
    return [
        _place(fake, name, title) for name, title in zip(("Here", "There"), CATALOGUE, strict=False)
    ]


def _place(fake: FakeApple, name: str, title: str) -> Place:
    location = fake.create_location(name=name, org_name=name, country="US")
    account = factories.VppAccountFactory(
        organization__name=name,
        name=name,
        uid=location.uid,
        location_name=name,
        token=location.issue_token(),
        next_sync_at=timezone.now() + DAY,
    )
    return Place(account.organization, account, title, fake)


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Task, dict[str, Any]]]:
    """What was rung for, to be heard by `hear`."""
    rung: list[tuple[Task, dict[str, Any]]] = []

    def ring(task: Task, args: Any = None, kwargs: Any = None, **options: Any) -> None:
        rung.append((task, kwargs or {}))

    monkeypatch.setattr(Task, "apply_async", ring)
    return rung


def hear(bells: list[tuple[Task, dict[str, Any]]]) -> None:
    """A worker hears each of them once, and what rings meanwhile is for another time."""
    for task, kwargs in bells[:]:
        with TestCase.captureOnCommitCallbacks(execute=True):
            task(**kwargs)


def tasks() -> list[str]:
    app.loader.import_default_modules()
    return sorted(name for name in app.tasks if name.startswith(OURS))


@pytest.mark.parametrize("name", tasks())
def test_it_finds_its_work_in_both_organizations(
    name: str, places: list[Place], bells: list[tuple[Task, dict[str, Any]]]
) -> None:
    assert name in WORK, f"{name}: arrange work for it above, and say what is to be seen then."
    arrange, done = WORK[name]
    looks = [arrange(place) for place in places]
    before = [look() for look in looks]
    bells.clear()

    with TestCase.captureOnCommitCallbacks(execute=True):
        for place in places if name not in EVERY else places[:1]:
            app.tasks[name](**({} if name in EVERY else place.row))
    hear(bells)

    assert done not in before
    assert [look() for look in looks] == [done, done]


def test_no_line_is_left_of_a_task_that_is_gone() -> None:
    assert sorted(WORK) == tasks()
