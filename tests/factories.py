"""Rows for tests. Names are those of the models; traits name the interesting cases."""

import hashlib
from dataclasses import asdict
from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps_catalog.models import (
    App,
    ChannelCommand,
    Enrollment,
    Installation,
    ManagedApp,
    ManagedAppAccount,
)
from licensing.batches.planning import Summary, Wish
from licensing.models import Assignment, Batch, BatchItem, BatchPlan, LicenseCount, LicensedApp
from organizations.models import (
    Admin,
    Device,
    DeviceImport,
    DeviceImportRow,
    Membership,
    Network,
    NetworkAccess,
    Organization,
    Owner,
    Tag,
    TargetGroup,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
)
from organizations.webhooks.bodies import new_secret
from users.models import ImportRow, Invitation, PeopleImport, VppUser
from vpp_accounts.models import SyncRun, VppAccount


class OrganizationFactory(DjangoModelFactory):
    class Meta:
        model = Organization

    name = factory.Sequence("Organization {}".format)


class NetworkFactory(DjangoModelFactory):
    class Meta:
        model = Network

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence("School {}".format)


class AdminFactory(DjangoModelFactory):
    class Meta:
        model = Admin
        skip_postgeneration_save = True

    email = factory.Sequence("admin{}@example.com".format)
    name = factory.Sequence("Admin {}".format)
    password = factory.django.Password("a long enough password")


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    organization = factory.SubFactory(OrganizationFactory)
    admin = factory.SubFactory(AdminFactory)
    access = "full"
    last_active_at = factory.LazyFunction(timezone.now)  # else the first page notes it


class NetworkAccessFactory(DjangoModelFactory):
    class Meta:
        model = NetworkAccess

    organization = factory.SelfAttribute("membership.organization")
    membership = factory.SubFactory(MembershipFactory, access="none")
    network = factory.SubFactory(
        NetworkFactory, organization=factory.SelfAttribute("..organization")
    )


class TagFactory(DjangoModelFactory):
    class Meta:
        model = Tag

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence("tag-{}".format)
    kind = Tag.Kind.DEVICE


class OwnerFactory(DjangoModelFactory):
    class Meta:
        model = Owner

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence("Owner {}".format)
    email = factory.Sequence("person{}@example.org".format)


class DeviceFactory(DjangoModelFactory):
    class Meta:
        model = Device

    organization = factory.SubFactory(OrganizationFactory)
    network = factory.SubFactory(
        NetworkFactory, organization=factory.SelfAttribute("..organization")
    )
    serial_number = factory.Sequence("DMQ{:09d}".format)
    name = factory.Sequence("iPad {}".format)
    platform = "iPadOS"


class TargetGroupFactory(DjangoModelFactory):
    class Meta:
        model = TargetGroup

    organization = factory.SelfAttribute("network.organization")
    network = factory.SubFactory(NetworkFactory)
    name = factory.Sequence("Group {}".format)
    operator = "all"


class VppAccountFactory(DjangoModelFactory):
    class Meta:
        model = VppAccount

    organization = factory.SubFactory(OrganizationFactory)
    token = "not a real token"
    uid = factory.Sequence("9810602780891{:05d}".format)
    name = factory.Sequence("Account {}".format)
    email = "vpp@example.org"
    location_name = factory.Sequence("Location {}".format)
    country = "US"
    default_platform = "volumestore"
    token_org_name = "Example Schools"
    token_hash = factory.LazyAttribute(lambda o: hashlib.sha1(o.token.encode()).hexdigest())
    token_expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=300))
    claimed_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class, *args, token, **kwargs):
        account = model_class(**kwargs)
        account.stoken = token
        account.save()
        return account


class SyncRunFactory(DjangoModelFactory):
    class Meta:
        model = SyncRun

    account = factory.SubFactory(VppAccountFactory)
    organization = factory.SelfAttribute("account.organization")
    trigger = SyncRun.Trigger.MANUAL


class AppFactory(DjangoModelFactory):
    class Meta:
        model = App

    adam_id = factory.Sequence("4087{:05d}".format)
    country = "US"
    name = factory.Sequence("App {}".format)
    kind = "iosSoftware"
    platforms = ["iOS"]


class LicensedAppFactory(DjangoModelFactory):
    class Meta:
        model = LicensedApp

    account = factory.SubFactory(VppAccountFactory)
    organization = factory.SelfAttribute("account.organization")
    app = factory.SubFactory(AppFactory)
    adam_id = factory.SelfAttribute("app.adam_id")
    pricing_param = "STDQ"
    product_type = "App"
    platforms = ["iOS"]
    device_assignable = True
    revocable = True
    total_count = 10
    assigned_count = 4
    available_count = 6
    counts_as_of = factory.LazyFunction(timezone.now)


class LicenseCountFactory(DjangoModelFactory):
    class Meta:
        model = LicenseCount

    licensed_app = factory.SubFactory(LicensedAppFactory)
    organization = factory.SelfAttribute("licensed_app.organization")
    day = factory.LazyFunction(lambda: timezone.now().date())
    total_count = 10
    assigned_count = 4
    available_count = 6


class AssignmentFactory(DjangoModelFactory):
    class Meta:
        model = Assignment

    licensed_app = factory.SubFactory(LicensedAppFactory)
    account = factory.SelfAttribute("licensed_app.account")
    organization = factory.SelfAttribute("licensed_app.organization")
    holder_kind = "device"
    holder = factory.Sequence("DMQ{:09d}".format)
    since = factory.LazyFunction(timezone.now)


class BatchFactory(DjangoModelFactory):
    class Meta:
        model = Batch

    account = factory.SubFactory(VppAccountFactory)
    organization = factory.SelfAttribute("account.organization")
    kind = "grant"
    actor_kind = "admin"
    actor_name = "owner@example.org"


class BatchItemFactory(DjangoModelFactory):
    class Meta:
        model = BatchItem

    batch = factory.SubFactory(BatchFactory)
    account = factory.SelfAttribute("batch.account")
    organization = factory.SelfAttribute("batch.organization")
    kind = factory.SelfAttribute("batch.kind")
    holder_kind = "device"
    holder = factory.Sequence("DMQ{:09d}".format)
    state = "planned"


class VppUserFactory(DjangoModelFactory):
    class Meta:
        model = VppUser

    account = factory.SubFactory(VppAccountFactory)
    organization = factory.SelfAttribute("account.organization")
    client_user_id = factory.Faker("uuid4")
    email = factory.Sequence("person{}@example.org".format)
    apple_status = "Associated"


class InvitationFactory(DjangoModelFactory):
    """An open one, of a person whom Apple has a code for."""

    class Meta:
        model = Invitation

    user = factory.SubFactory(
        VppUserFactory,
        apple_status="Registered",
        invite_code=factory.Faker("hexify", text="^" * 32),
    )
    account = factory.SelfAttribute("user.account")
    organization = factory.SelfAttribute("account.organization")
    actor_kind = "admin"
    actor_name = "owner@example.org"


class BatchPlanFactory(DjangoModelFactory):
    """A plan that grants `title` to one serial number."""

    class Meta:
        model = BatchPlan

    class Params:
        title = factory.SubFactory(LicensedAppFactory)

    account = factory.SelfAttribute("title.account")
    organization = factory.SelfAttribute("account.organization")
    kind = "grant"
    request = factory.LazyAttribute(
        lambda plan: asdict(Wish("grant", titles=[plan.title.pk], serials=["SERIAL1"]))
    )
    summary = factory.LazyFunction(lambda: asdict(Summary(go=1)))


class PeopleImportFactory(DjangoModelFactory):
    """A file that was checked and found to hold one new person."""

    class Meta:
        model = PeopleImport

    organization = factory.SubFactory(OrganizationFactory)
    file_name = factory.Sequence("people-{}.csv".format)
    source = "csv"
    state = "checked"
    counts = factory.LazyFunction(
        lambda: (
            {"new": 1, "update": 0, "unchanged": 0, "error": 0, "missing": 0}
            | {"misses_many": False, "notices": []}
        )
    )
    actor_kind = "admin"
    actor_name = "owner@example.org"


class ImportRowFactory(DjangoModelFactory):
    class Meta:
        model = ImportRow

    people_import = factory.SubFactory(PeopleImportFactory)
    organization = factory.SelfAttribute("people_import.organization")
    number = factory.Sequence(lambda n: n + 2)
    name = factory.Sequence("Person {}".format)
    verdict = "new"


class DeviceImportFactory(DjangoModelFactory):
    """A file that was checked and found to hold one new device."""

    class Meta:
        model = DeviceImport

    organization = factory.SubFactory(OrganizationFactory)
    file_name = factory.Sequence("devices-{}.csv".format)
    state = "checked"
    counts = factory.LazyFunction(
        lambda: (
            {"new": 1, "update": 0, "unchanged": 0, "error": 0, "missing": 0}
            | {"misses_many": False, "notices": []}
        )
    )
    actor_kind = "admin"
    actor_name = "owner@example.org"


class DeviceImportRowFactory(DjangoModelFactory):
    class Meta:
        model = DeviceImportRow

    device_import = factory.SubFactory(DeviceImportFactory)
    organization = factory.SelfAttribute("device_import.organization")
    number = factory.Sequence(lambda n: n + 2)
    serial_number = factory.Sequence("NEW{}".format)
    verdict = "new"


class ManagedAppFactory(DjangoModelFactory):
    """An app of a network, for all its devices, from no account yet."""

    class Meta:
        model = ManagedApp

    organization = factory.SelfAttribute("network.organization")
    network = factory.SubFactory(NetworkFactory)
    app = factory.SubFactory(AppFactory)
    adam_id = factory.SelfAttribute("app.adam_id")
    platform = "iOS"
    scope_operator = "all"


class ManagedAppAccountFactory(DjangoModelFactory):
    class Meta:
        model = ManagedAppAccount

    organization = factory.SelfAttribute("managed_app.organization")
    managed_app = factory.SubFactory(ManagedAppFactory)
    account = factory.SubFactory(VppAccountFactory)


class InstallationFactory(DjangoModelFactory):
    class Meta:
        model = Installation

    organization = factory.SelfAttribute("managed_app.organization")
    managed_app = factory.SubFactory(ManagedAppFactory)
    device = factory.SubFactory(
        DeviceFactory, network=factory.SelfAttribute("..managed_app.network")
    )
    state = "planned"


class EnrollmentFactory(DjangoModelFactory):
    class Meta:
        model = Enrollment

    organization = factory.SelfAttribute("device.organization")
    device = factory.SubFactory(DeviceFactory)
    channel = "simulated"
    channel_id = factory.Sequence("00008030-{:016X}".format)
    is_enrolled = True
    enrolled_at = factory.LazyFunction(timezone.now)


class ChannelCommandFactory(DjangoModelFactory):
    class Meta:
        model = ChannelCommand

    device = factory.SubFactory(DeviceFactory)
    organization = factory.SelfAttribute("device.organization")
    channel_id = factory.Sequence("00008030-{:016X}".format)
    request_type = "DeviceInformation"


class WebhookFactory(DjangoModelFactory):
    class Meta:
        model = Webhook

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence("Service desk {}".format)
    url = "https://hooks.example.org/vpp"
    events = ["sync.finished"]
    secret = factory.LazyFunction(new_secret)
    created_by = "owner@example.org"


class WebhookDeliveryFactory(DjangoModelFactory):
    """Of an event of its own."""

    class Meta:
        model = WebhookDelivery

    webhook = factory.SubFactory(WebhookFactory)
    organization = factory.SelfAttribute("webhook.organization")

    @factory.lazy_attribute
    def event(self) -> WebhookEvent:
        return WebhookEvent.objects.create(
            organization=self.organization,
            kind="sync.finished",
            payload={"syncRunId": "1"},
            at=timezone.now(),
        )
