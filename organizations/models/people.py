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
        return self.filter(admin=admin).select_related("organization", "admin")


class Membership(models.Model):
    """What one admin may do in one organization."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    admin = models.ForeignKey(Admin, models.CASCADE, related_name="memberships")
    access = models.CharField(max_length=10, choices=OrganizationAccess.choices)
    wants_alarms = models.BooleanField(default=True)  # mail about VPP accounts in trouble
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["admin", "organization"], name="one_membership_per_organization"
            )
        ]

    def __str__(self) -> str:
        return f"{self.admin} in {self.organization}: {self.access}"

    @property
    def can_write(self) -> bool:
        return self.access == OrganizationAccess.FULL

    @property
    def sees_organization(self) -> bool:
        return self.access != OrganizationAccess.NONE


class NetworkAccess(models.Model):
    """The right of an admin in one network, beside what the organization grants."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="network_accesses")
    network = models.ForeignKey(Network, models.CASCADE, related_name="accesses")
    can_write = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "network"], name="one_access_per_membership_and_network"
            )
        ]

    def __str__(self) -> str:
        return f"{self.membership_id} in network {self.network_id}"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> ApiKeyQuerySet:
        now = timezone.now()
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, admin__is_active=True
        )

    def issue(
        self,
        *,
        admin: Admin,
        name: str,
        read_only: bool = False,
        expires_at: datetime | None = None,
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
        )
        return key, text


class ApiKey(models.Model):
    """Lets a program act as its admin. 160 random bits, so a plain hash keeps it safe."""

    admin = models.ForeignKey(Admin, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    read_only = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.GenericIPAddressField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()
