"""How admins of an organization sign in through their own directory, and who tries to get in."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from organizations import crypto
from organizations.models.tenant import Organization


class IdentityProvider(models.Model):
    """An organization's single sign-on. It vouches for admins of this organization only.

    Its uuid stands in the addresses of sign-in; it cannot be guessed, and it is no secret.
    """

    class Kind(models.TextChoices):
        OIDC = "oidc", "OpenID Connect"
        SAML = "saml", "SAML 2.0"

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="identity_providers"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=4, choices=Kind.choices)
    name = models.CharField(max_length=100)  # on the button: “Sign in with …”
    is_enabled = models.BooleanField(default=True)
    # Whom it may vouch for: addresses at these domains; empty, any address of its admins.
    email_domains = ArrayField(models.CharField(max_length=253), default=list, blank=True)

    # OpenID Connect
    issuer = models.URLField(max_length=500, blank=True)
    client_id = models.CharField(max_length=200, blank=True)
    client_secret_ciphertext = models.TextField(blank=True)
    # Nobody at the provider chooses their own address: it need not say that it is verified.
    manages_addresses = models.BooleanField(default=False)

    # SAML 2.0
    entity_id = models.CharField(max_length=500, blank=True)
    sign_in_url = models.URLField(max_length=500, blank=True)
    certificate = models.TextField(blank=True)  # of the provider: public
    email_attribute = models.CharField(max_length=200, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    # When somebody last came in through it as it is set up now; before that it cannot be required.
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def crypto_context(self) -> str:
        return f"identity_provider:{self.uuid}"

    @property
    def client_secret(self) -> str:
        if not self.client_secret_ciphertext:
            return ""
        return crypto.decrypt(self.client_secret_ciphertext, bound_to=self.crypto_context)

    @client_secret.setter
    def client_secret(self, text: str) -> None:
        self.client_secret_ciphertext = (
            crypto.encrypt(text, bound_to=self.crypto_context) if text else ""
        )


class SignInFailure(models.Model):
    """Wrong passwords or codes for one login from one network address, while they matter.

    The login is kept as a digest, since people type passwords into that field.
    """

    login_digest = models.CharField(max_length=64)
    address = models.GenericIPAddressField()
    failures = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    waits_until = models.DateTimeField(null=True, blank=True)  # before it, nothing is tried

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["login_digest", "address"], name="one_count_per_login_and_address"
            )
        ]

    def __str__(self) -> str:
        return f"{self.failures} from {self.address}"
