"""Who receives: the people registered at Apple, one record per VPP account."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from organizations.models import Membership, Organization, Owner
from vpp_accounts.models import VppAccount


class VppUserQuerySet(models.QuerySet["VppUser"]):
    def visible_to(self, membership: Membership) -> VppUserQuerySet:
        accounts = VppAccount.objects.open_to(membership)
        return self.filter(organization=membership.organization_id, account__in=accounts)


class VppUser(models.Model):
    """A client user of Apple's, identified by the `clientUserId` that its MDM chose."""

    class AppleStatus(models.TextChoices):
        UNKNOWN = "", "Not registered yet"
        REGISTERED = "Registered", "Registered"
        ASSOCIATED = "Associated", "Associated"
        RETIRED = "Retired", "Retired"
        DELETED = "Deleted", "Deleted"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="vpp_users")
    owner = models.ForeignKey(
        Owner, models.SET_NULL, null=True, blank=True, related_name="vpp_users"
    )
    # Collated as the holders of licenses are: only then the database joins them by index.
    client_user_id = models.CharField(max_length=255, db_collation="C")
    email = models.CharField(max_length=254, blank=True)
    apple_status = models.CharField(max_length=20, choices=AppleStatus.choices, blank=True)
    # Why Apple refused to register this person, in a sentence.
    failure = models.CharField(max_length=300, blank=True)
    id_hash = models.CharField(max_length=64, blank=True)
    first_seen_at = models.DateTimeField(auto_now_add=True)

    objects = VppUserQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "client_user_id"], name="client_user_once_per_account"
            ),
            models.UniqueConstraint(
                fields=["account", "owner"],
                condition=Q(owner__isnull=False) & ~Q(apple_status__in=["Retired", "Deleted"]),
                name="one_active_user_per_account_and_owner",
            ),
        ]

    def __str__(self) -> str:
        return self.email or self.client_user_id
