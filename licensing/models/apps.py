"""A title bought, with Apple's counts."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps_catalog.models import App
from organizations.models import Membership, Organization
from vpp_accounts.models import VppAccount

UNLIMITED = 2147483647  # Apple's word for "no end": never do arithmetic with it


class LicensedAppQuerySet(models.QuerySet["LicensedApp"]):
    def visible_to(self, membership: Membership) -> LicensedAppQuerySet:
        accounts = VppAccount.objects.open_to(membership)
        return self.filter(organization=membership.organization_id, account__in=accounts)

    def present(self) -> LicensedAppQuerySet:
        """Those that Apple still lists."""
        return self.filter(gone_at=None)


class LicensedApp(models.Model):
    """An Apple asset: one adamId at one pricingParam in one VPP account.

    The four counts are Apple's, stored as sent; they need not add up.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="licensed_apps")
    app = models.ForeignKey(App, models.PROTECT, related_name="licensed_apps")
    adam_id = models.CharField(max_length=20)
    pricing_param = models.CharField(max_length=10)
    product_type = models.CharField(max_length=20)  # App or Book
    platforms = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    device_assignable = models.BooleanField(default=False)
    revocable = models.BooleanField(default=True)
    total_count = models.IntegerField(default=0)
    assigned_count = models.IntegerField(default=0)
    available_count = models.IntegerField(default=0)
    retired_count = models.IntegerField(default=0)
    counts_as_of = models.DateTimeField()
    # When our own writes last changed it; later than `counts_as_of`: to be read again, and so many
    # licenses were given out since that Apple's last word does not know of.
    touched_at = models.DateTimeField(null=True)
    unread_grants = models.PositiveIntegerField(default=0)
    # Apple's assignedCount less the assignments Apple listed, when both were last compared. A
    # different difference is how removals show that no notification told of.
    count_drift = models.IntegerField(default=0)
    # Fewer left than this raise a notice; null: as the organization's default says.
    low_threshold = models.PositiveIntegerField(null=True, blank=True)
    low_since = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    gone_at = models.DateTimeField(null=True)

    objects = LicensedAppQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "adam_id", "pricing_param"], name="asset_once_per_account"
            )
        ]
        indexes = [models.Index(fields=["organization", "adam_id"], name="titles_across_accounts")]

    def __str__(self) -> str:
        return f"{self.adam_id} {self.pricing_param}"

    @property
    def is_unlimited(self) -> bool:
        return self.total_count >= UNLIMITED

    @property
    def grants_since_read(self) -> int:
        """How many licenses we have given out that Apple's last count does not know of."""
        is_old = self.touched_at is not None and self.touched_at > self.counts_as_of
        return self.unread_grants if is_old else 0

    @property
    def is_book(self) -> bool:
        return self.product_type == "Book"

    @property
    def is_irrevocable(self) -> bool:
        return not self.revocable


class LicenseCount(models.Model):
    """A title's counts at the end of one day: what history and forecast are made of."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    licensed_app = models.ForeignKey(LicensedApp, models.CASCADE, related_name="history")
    day = models.DateField()
    total_count = models.IntegerField()
    assigned_count = models.IntegerField()
    available_count = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["licensed_app", "day"], name="one_count_per_day")
        ]

    def __str__(self) -> str:
        return f"{self.licensed_app_id} on {self.day}"
