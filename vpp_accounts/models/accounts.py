"""A VPP account: one location at Apple, opened by its service token."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from organizations import crypto
from organizations.models import Admin, Membership, Network, Organization
from vpp_accounts import stoken
from vpp_accounts.apple.types import ClientConfig
from vpp_accounts.models.sets import AllowedAdmins, AssignableNetworks, VppAccountQuerySet

EXPIRY_WARNING = timedelta(days=30)


class AccountState(models.TextChoices):
    NOT_VERIFIED = "not_verified", "Not verified"
    SYNCING = "syncing", "Syncing"
    IN_SYNC = "in_sync", "In sync"
    SYNC_FAILED = "sync_failed", "Sync failed"
    EXPIRING = "expiring", "Expiring"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked by Apple"
    CLAIMED = "claimed", "Claimed by another MDM"
    READ_ONLY = "read_only", "Read-only at Apple"


class Notifications(models.TextChoices):
    """How we hear of changes at Apple."""

    NOT_SET_UP = "", "Not set up yet"
    ON = "on", "Notifications"
    POLLING = "polling", "Polling only"


def crypto_context(account_uuid: uuid.UUID | str) -> str:
    """What an account's token is bound to, also after the account's removal."""
    return f"vpp_account:{account_uuid}"


class FormerClaim(models.Model):
    """The `mdmInfo.id` of a removed account: still on the location at Apple, and still ours.

    Its token stays, encrypted as it was, until a worker has switched the notifications off at Apple.
    """

    mdm_id = models.CharField(max_length=100, unique=True)
    released_at = models.DateTimeField(auto_now_add=True)
    organization = models.ForeignKey(Organization, models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=200, blank=True)
    token_ciphertext = models.TextField(blank=True)
    # Null once nothing is left to be done at Apple.
    next_attempt_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return self.mdm_id

    @property
    def stoken(self) -> str:
        """The removed account's token, for the one call that is left to make."""
        return crypto.decrypt(self.token_ciphertext, bound_to=crypto_context(self.mdm_id))


class VppAccount(models.Model):
    """One location at Apple (`uid`) in one organization.

    `uuid` is what we call ourselves at Apple (`mdmInfo.id`). The token's text is encrypted and
    bound to this row; it never leaves again in any page, answer, log, export, error or mail.
    """

    # States that stop all work with Apple until a person acts.
    STOPPED = (AccountState.EXPIRED, AccountState.REVOKED, AccountState.CLAIMED)

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="vpp_accounts")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Null until Apple has answered for the first time; then unique in the whole installation.
    uid = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001
    name = models.CharField(max_length=200)
    email = models.EmailField()

    token_ciphertext = models.TextField()
    token_hash = models.CharField(
        max_length=40
    )  # SHA-1 of the file's text, as Meraki's hashedToken
    token_org_name = models.CharField(max_length=200, blank=True)
    token_expires_at = models.DateTimeField()
    token_renewed_at = models.DateTimeField(default=timezone.now)

    location_name = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    default_platform = models.CharField(max_length=40, blank=True)
    website_url = models.URLField(blank=True)
    # Apple's address of an invitation, with a place for its code, as service/config said last.
    invitation_url = models.CharField(max_length=500, blank=True)

    state = models.CharField(
        max_length=12, choices=AccountState.choices, default=AccountState.NOT_VERIFIED
    )
    state_reason = models.CharField(max_length=500, blank=True)
    state_since = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    # When we last looked whether another MDM still holds the location.
    claim_checked_at = models.DateTimeField(null=True)
    # The other MDM that an admin agreed to displace; any other one still stops the work.
    take_over_from = models.CharField(max_length=100, blank=True)

    allowed_admins = models.CharField(
        max_length=8, choices=AllowedAdmins.choices, default=AllowedAdmins.ALL
    )
    named_admins = models.ManyToManyField(Admin, blank=True, related_name="+")
    allowed_networks = models.ManyToManyField(Network, blank=True, related_name="+")
    assignable_networks = models.CharField(
        max_length=4, choices=AssignableNetworks.choices, default=AssignableNetworks.ALL
    )
    assignable_network_list = models.ManyToManyField(Network, blank=True, related_name="+")

    # SHA-256 of the bearer that Apple sends with notifications. The new one counts beside the other
    # while Apple is being told of it, and longer where Apple's answer got lost.
    notification_secret_hash = models.CharField(max_length=64, blank=True)
    notification_new_secret_hash = models.CharField(max_length=64, blank=True)
    notifications_mode = models.CharField(
        max_length=8, choices=Notifications.choices, default=Notifications.NOT_SET_UP, blank=True
    )
    notifications_reason = models.CharField(max_length=500, blank=True)

    last_synced_at = models.DateTimeField(null=True)
    last_full_sync_at = models.DateTimeField(null=True)
    last_full_sync_seconds = models.PositiveIntegerField(null=True)
    last_force_synced_at = models.DateTimeField(null=True)
    next_sync_at = models.DateTimeField(default=timezone.now, db_index=True)
    # Asking again sooner would make Apple's block longer.
    apple_asks_to_wait_until = models.DateTimeField(null=True)
    assets_version = models.CharField(max_length=64, blank=True)
    assignments_version = models.CharField(max_length=64, blank=True)
    users_version = models.CharField(max_length=64, blank=True)
    unconfirmed_removals = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VppAccountQuerySet.as_manager()

    # What an admin may do with it; on rows that came `with_rights` only.
    is_open: bool
    is_manageable: bool
    is_managed: bool  # by anybody
    admin_names: list[str]
    network_names: list[str]
    assignable_names: list[str]

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def stoken(self) -> str:
        """The whole token text, for the Apple client and nobody else."""
        return crypto.decrypt(self.token_ciphertext, bound_to=self.crypto_context)

    @stoken.setter
    def stoken(self, text: str) -> None:
        self.token_ciphertext = crypto.encrypt(text, bound_to=self.crypto_context)

    @property
    def crypto_context(self) -> str:
        return crypto_context(self.uuid)

    @property
    def days_left(self) -> int:
        return (self.token_expires_at - timezone.now()).days

    @property
    def is_expiring(self) -> bool:
        return self.token_expires_at - timezone.now() <= EXPIRY_WARNING

    @property
    def is_stopped(self) -> bool:
        return self.state in self.STOPPED

    @property
    def claim_confirmed_at(self) -> datetime | None:
        """When Apple last said, since another MDM was noticed, who holds the location."""
        checked = self.claim_checked_at
        is_of_this_claim = (
            self.state == AccountState.CLAIMED and checked and checked > self.state_since
        )
        return checked if is_of_this_claim else None

    @property
    def takes_no_changes(self) -> bool:
        """Whether licenses and people cannot be changed at Apple until a person has acted."""
        return self.is_stopped or self.state == AccountState.READ_ONLY

    def adopt(self, config: ClientConfig) -> list[str]:
        """Take over what Apple says about the location; answers the fields to save."""
        self.uid = config.uid[:64]
        self.location_name = config.location_name[:200] or self.location_name
        self.country = config.country[:2].upper() or self.country
        self.default_platform = config.default_platform[:40] or self.default_platform
        self.website_url = config.website_url[:200] or self.website_url
        if config.token_expires_at and stoken.is_plausible(config.token_expires_at):
            self.token_expires_at = config.token_expires_at
        return [
            "uid",
            "location_name",
            "country",
            "default_platform",
            "website_url",
            "token_expires_at",
        ]

    def may_be_used_by(self, membership: Membership) -> bool:
        """Whether this admin may see the account's users and licenses."""
        return type(self).objects.filter(pk=self.pk).open_to(membership).exists()

    def may_be_managed_by(self, membership: Membership) -> bool:
        """Whether this admin may change the account's users and licenses."""
        return self.with_rights_of(membership).is_manageable

    def with_rights_of(self, membership: Membership) -> VppAccount:
        """Itself where it came with the rights, else the same row with them."""
        if "is_manageable" in vars(self):
            return self
        return type(self).objects.with_rights(membership).get(pk=self.pk)
