"""Who receives: the people registered at Apple, one record per VPP account."""

from __future__ import annotations

import hashlib

from django.db import models
from django.db.models import Q

from organizations import crypto
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
    name = models.CharField(max_length=200, blank=True)  # the owner's, for lists to be sorted by
    email = models.CharField(max_length=254, blank=True)
    apple_status = models.CharField(max_length=20, choices=AppleStatus.choices, blank=True)
    # What went wrong last, in a sentence: Apple refused to register or to change this person, or
    # the mail server their address.
    failure = models.CharField(max_length=300, blank=True)
    # Something was said of them while Apple was just being told of something else.
    tell_again = models.BooleanField(db_default=False, default=False)
    id_hash = models.CharField(max_length=64, blank=True)
    # Apple's code of the invitation, encrypted: whoever has it may become this person. With a digest,
    # so that a sync can tell whether it is another one.
    invite_code_ciphertext = models.TextField(blank=True)
    invite_code_digest = models.CharField(max_length=16, blank=True)

    first_seen_at = models.DateTimeField(auto_now_add=True)
    # When each step was seen; null where it was taken before we looked.
    registered_at = models.DateTimeField(null=True)
    invited_at = models.DateTimeField(null=True)
    associated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    # Their personal data were erased here. What Apple still tells of them is not written down again,
    # unless it is that somebody has registered them anew.
    erased_at = models.DateTimeField(null=True)

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
        indexes = [
            models.Index(fields=["organization", "name", "id"], name="users_by_name"),
            models.Index(fields=["account", "name", "id"], name="users_of_account_by_name"),
            models.Index(fields=["account", "email", "id"], name="users_of_account_by_email"),
            models.Index(
                fields=["account", "id_hash"], condition=~Q(id_hash=""), name="users_by_id_hash"
            ),
            models.Index(
                fields=["account", "invited_at"],
                condition=Q(apple_status="Registered", invited_at__isnull=False),
                name="users_invited",
            ),
            models.Index(fields=["account"], condition=~Q(failure=""), name="users_failed"),
            models.Index(fields=["account"], condition=Q(tell_again=True), name="users_to_tell"),
        ]

    def __str__(self) -> str:
        return self.email or self.client_user_id

    @property
    def is_retired(self) -> bool:
        return self.apple_status in (self.AppleStatus.RETIRED, self.AppleStatus.DELETED)

    @property
    def invite_code(self) -> str:
        """Empty where Apple gave none, has not told it yet, or has to tell it again."""
        try:
            return self.open_invite_code() if self.invite_code_ciphertext else ""
        except crypto.CannotDecrypt:  # the key was lost; pages go on without it
            return ""

    @invite_code.setter
    def invite_code(self, code: str) -> None:
        self.invite_code_digest = digest_of(code)
        self.invite_code_ciphertext = (
            crypto.encrypt(code, bound_to=self._crypto_context) if code else ""
        )

    def open_invite_code(self) -> str:
        return crypto.decrypt(self.invite_code_ciphertext, bound_to=self._crypto_context)

    @property
    def _crypto_context(self) -> str:
        return f"vpp_user:{self.account_id}:{self.client_user_id}"


def digest_of(invite_code: str) -> str:
    """128 random bits need no salt."""
    return hashlib.sha256(invite_code.encode()).hexdigest()[:16] if invite_code else ""
