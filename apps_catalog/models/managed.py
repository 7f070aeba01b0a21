"""Apps that a network deploys: to which devices, with which licenses, and how."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models

from apps_catalog.models.apps import App
from organizations.models import Membership, Network, Organization
from organizations.scopes import Operator, Scope
from vpp_accounts.models import VppAccount


class ManagedPlatform(models.TextChoices):
    """Which app it is: one Adam ID may be an app for several platforms."""

    IOS = "iOS", "iOS App Store app"
    MACOS = "macOS", "macOS App Store app"
    TVOS = "tvOS", "tvOS App Store app"


class PurchaseMethod(models.TextChoices):
    """Where the license comes from. A free app's check box `Use VPP device license` is DEVICE."""

    DEVICE = "device", "VPP Device Assignment"
    USER = "user", "VPP app assignment"
    CODES = "codes", "Redemption codes (deprecated by Apple)"
    NONE = "none", "No VPP license"


class ManagedAppQuerySet(models.QuerySet["ManagedApp"]):
    def visible_to(self, membership: Membership) -> ManagedAppQuerySet:
        return self.filter(network__in=Network.objects.visible_to(membership))

    def writable_by(self, membership: Membership) -> ManagedAppQuerySet:
        return self.filter(network__in=Network.objects.writable_by(membership))


class ManagedApp(models.Model):
    """One app in one network.

    It is also the rule that grants and revokes: licenses given because of it carry its id
    (`Assignment.rule_id`), and only those are taken back because of it.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="managed_apps")
    network = models.ForeignKey(Network, models.CASCADE, related_name="managed_apps")
    app = models.ForeignKey(App, models.PROTECT, related_name="managed_apps")
    adam_id = models.CharField(max_length=20)
    platform = models.CharField(max_length=10, choices=ManagedPlatform.choices)

    scope_operator = models.CharField(
        max_length=10, choices=Operator.choices, default=Operator.NONE
    )
    scope_tag_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    purchase_method = models.CharField(
        max_length=6, choices=PurchaseMethod.choices, default=PurchaseMethod.DEVICE
    )

    installs_automatically = models.BooleanField(default=True)
    removes_with_mdm = models.BooleanField(default=True)  # with the management profile
    manages_unmanaged = models.BooleanField(default=False)  # takes over what a user installed
    keeps_up_to_date = models.BooleanField(default=False)
    is_removable = models.BooleanField(default=True)  # by the user
    removes_out_of_scope = models.BooleanField(default=True)

    grants_automatically = models.BooleanField(default=False)
    revokes_automatically = models.BooleanField(default=False)
    grace_days = models.PositiveSmallIntegerField(default=7, validators=[MaxValueValidator(365)])
    priority = models.SmallIntegerField(default=0)  # the higher is served first
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.CharField(max_length=254, blank=True)

    # What the last evaluation of the scope found; kept by licensing/automation.
    scope_digest = models.BinaryField(default=b"")
    in_scope = models.PositiveIntegerField(default=0)
    licensed = models.PositiveIntegerField(default=0)
    installed = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)  # for a license
    blocked = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=254, blank=True)

    objects = ManagedAppQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["network", "adam_id", "platform"], name="app_once_per_network"
            )
        ]
        indexes = [models.Index(fields=["organization", "adam_id"], name="managed_by_adam_id")]

    def __str__(self) -> str:
        return str(self.app)

    @property
    def scope(self) -> Scope:
        return Scope(Operator(self.scope_operator), tuple(self.scope_tag_ids))

    @property
    def needs_license(self) -> bool:
        return self.purchase_method in (PurchaseMethod.DEVICE, PurchaseMethod.USER)


class ManagedAppAccount(models.Model):
    """A VPP account that an app draws licenses from, in the order of `place`."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    managed_app = models.ForeignKey(ManagedApp, models.CASCADE, related_name="accounts")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="+")
    place = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["managed_app", "account"], name="account_once_per_managed_app"
            )
        ]
        ordering = ["place", "pk"]

    def __str__(self) -> str:
        return f"{self.managed_app_id} from {self.account_id}"
