"""Admins, their memberships and their API keys."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property

from organizations.models.tenant import Network, Organization


class AdminManager(BaseUserManager["Admin"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> Admin:
        """Without a password the admin sets one through the link that they are sent."""
        admin = self.model(email=email.strip().lower(), **fields)
        admin.set_password(password)
        admin.save(using=self._db)
        return admin

    def get_by_natural_key(self, username: str | None) -> Admin:
        return self.get(email=(username or "").strip().lower())


class Admin(AbstractBaseUser):
    """A person who signs in; the e-mail address is the login. Rights come from memberships."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = AdminManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="admin_email_is_lower")
        ]

    def __str__(self) -> str:
        return self.name or self.email


class OrganizationAccess(models.TextChoices):
    FULL = "full", "Full"
    READ_ONLY = "read-only", "Read-only"
    NONE = "none", "None"  # networks only


class MembershipQuerySet(models.QuerySet["Membership"]):
    def of(self, admin: Admin) -> MembershipQuerySet:
        """What this admin may enter; an invitation that nobody has accepted opens nothing."""
        return self.accepted().filter(admin=admin).select_related("organization", "admin")

    def accepted(self) -> MembershipQuerySet:
        return self.filter(accepted_at__isnull=False)

    def accepted_in(self, membership: Membership) -> MembershipQuerySet:
        """The colleagues. Who is only invited may belong to others, whose business that is."""
        return self.accepted().filter(organization=membership.organization_id)

    def full(self) -> MembershipQuerySet:
        """Those who run the organization, and can still sign in."""
        return self.accepted().filter(access=OrganizationAccess.FULL, admin__is_active=True)


class Membership(models.Model):
    """What one admin may do in one organization."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    admin = models.ForeignKey(Admin, models.CASCADE, related_name="memberships")
    access = models.CharField(max_length=10, choices=OrganizationAccess.choices)
    wants_alarms = models.BooleanField(default=True)  # mail about VPP accounts in trouble
    created_at = models.DateTimeField(auto_now_add=True)
    # Null: invited, and not in yet.
    accepted_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    invited_at = models.DateTimeField(null=True, blank=True)
    invited_by = models.CharField(max_length=254, blank=True)
    # As whoever invited them called them; their own name is theirs to tell.
    invited_name = models.CharField(max_length=200, blank=True)
    last_active_at = models.DateTimeField(null=True, blank=True)  # in this organization
    # Who signed in before this moment signs in again: an admin has ended their sessions here.
    sign_in_again_after = models.DateTimeField(null=True, blank=True)
    # May sign in by password where single sign-on is required: for the day on which that is broken.
    may_skip_single_sign_on = models.BooleanField(default=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["admin", "organization"], name="one_membership_per_organization"
            )
        ]

    def __str__(self) -> str:
        """By the address alone: of somebody invited, an organization knows no more."""
        return self.admin.email

    @property
    def is_invited(self) -> bool:
        return self.accepted_at is None

    @property
    def can_write(self) -> bool:
        return self.access == OrganizationAccess.FULL

    @property
    def sees_organization(self) -> bool:
        return self.access != OrganizationAccess.NONE

    @property
    def written_networks(self) -> models.QuerySet[NetworkAccess, int]:
        """The ids of the networks given to them for writing, whatever the organization's access."""
        return self.network_accesses.filter(can_write=True).values_list("network", flat=True)

    @cached_property
    def can_write_somewhere(self) -> bool:
        return self.can_write or self.written_networks.exists()


class NetworkAccess(models.Model):
    """The right of an admin in one network, beside what the organization grants.

    With a `tag` it follows from a NetworkTagAccess, and is kept by organizations/network_tags.py.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="network_accesses")
    network = models.ForeignKey(Network, models.CASCADE, related_name="accesses")
    can_write = models.BooleanField(default=True)
    tag = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "network", "tag"],
                name="one_access_per_membership_network_and_tag",
            )
        ]

    def __str__(self) -> str:
        return f"{self.membership_id} in network {self.network_id}"


class NetworkTagAccess(models.Model):
    """The right of an admin in every network that carries a tag, whatever the case of its letters."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="tag_accesses")
    tag = models.CharField(max_length=100)
    can_write = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "membership", Lower("tag"), name="one_access_per_membership_and_tag"
            )
        ]

    def __str__(self) -> str:
        return f"{self.membership_id} in networks tagged {self.tag}"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> ApiKeyQuerySet:
        now = timezone.now()
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, admin__is_active=True
        )

    def opening(self, organization_id: int) -> ApiKeyQuerySet:
        """Those made for it, and those for whatever their admin may enter."""
        limits = Q(organization=None) | Q(organization=organization_id)
        return self.filter(limits)

    def issue(
        self,
        *,
        admin: Admin,
        name: str,
        read_only: bool = False,
        expires_at: datetime | None = None,
        organization: Organization | None = None,
    ) -> tuple[ApiKey, str]:
        """The key's row and its text. The text is shown once and stored nowhere."""
        text = secrets.token_hex(20)  # 40 hex digits, as Meraki's
        key = self.create(
            admin=admin,
            name=name,
            prefix=text[:8],
            digest=ApiKey.digest_of(text),
            read_only=read_only,
            expires_at=expires_at,
            organization=organization,
        )
        return key, text


class ApiKey(models.Model):
    """Lets a program act as its admin. 160 random bits, so a plain hash keeps it safe."""

    class State(models.TextChoices):
        USABLE = "usable", "Usable"
        EXPIRED = "expired", "Expired"
        REVOKED = "revoked", "Revoked"

    admin = models.ForeignKey(Admin, models.CASCADE, related_name="api_keys")
    # Null: it opens every organization of its admin.
    organization = models.ForeignKey(
        Organization, models.CASCADE, null=True, blank=True, related_name="+"
    )
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    read_only = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.GenericIPAddressField(null=True, blank=True)
    revoked_by = models.CharField(max_length=254, blank=True)
    expiry_told_at = models.DateTimeField(null=True, blank=True)  # by mail, once

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def state(self) -> ApiKey.State:
        """Of the key itself; the key of an admin who is barred opens nothing either."""
        if self.revoked_at:
            return self.State.REVOKED
        return self.State.EXPIRED if self.has_expired else self.State.USABLE

    @staticmethod
    def digest_of(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()
