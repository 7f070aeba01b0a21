"""Redemption codes: the old way of distribution, deprecated by Apple."""

from __future__ import annotations

import uuid

from django.db import models

from apps_catalog.models.managed import ManagedApp, ManagedAppQuerySet
from organizations import crypto
from organizations.models import Membership, Organization, Owner


class CodeQuerySet(models.QuerySet["RedemptionCode"]):
    def visible_to(self, membership: Membership) -> CodeQuerySet:
        return self.filter(managed_app__in=ManagedApp.objects.visible_to(membership))


class RedemptionCode(models.Model):
    """One code of one order. Whoever reads it can redeem it, so it is sealed.

    unused -> handed_out -> redeemed; Apple tells nobody whether a code was redeemed, so people say.
    """

    class State(models.TextChoices):
        UNUSED = "unused", "Unused"
        HANDED_OUT = "handed_out", "Handed out"
        REDEEMED = "redeemed", "Redeemed"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    managed_app = models.ForeignKey(ManagedApp, models.CASCADE, related_name="codes")
    code_ciphertext = models.TextField()
    code_digest = models.CharField(max_length=64)  # keyed, so that a table of codes tells nothing
    last_letters = models.CharField(max_length=4)
    order = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.UNUSED)
    owner = models.ForeignKey(Owner, models.SET_NULL, null=True, blank=True, related_name="+")
    email = models.EmailField(blank=True)
    changed_by = models.CharField(max_length=254, blank=True)
    handed_out_at = models.DateTimeField(null=True)
    redeemed_at = models.DateTimeField(null=True)
    mail_problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "code_digest"], name="code_once_per_organization"
            )
        ]
        indexes = [models.Index(fields=["managed_app", "state", "id"], name="codes_by_state")]

    def __str__(self) -> str:
        return f"…{self.last_letters}"

    @property
    def crypto_context(self) -> str:
        return f"redemption code {self.organization_id} {self.code_digest}"

    @property
    def code(self) -> str:
        return crypto.decrypt(self.code_ciphertext, bound_to=self.crypto_context)

    @code.setter
    def code(self, text: str) -> None:
        """Its digest has to be there."""
        self.code_ciphertext = crypto.encrypt(text, bound_to=self.crypto_context)


class CodeImportQuerySet(models.QuerySet["CodeImport"]):
    def visible_to(self, membership: Membership) -> CodeImportQuerySet:
        apps: ManagedAppQuerySet = ManagedApp.objects.visible_to(membership)
        return self.filter(managed_app__in=apps)


class CodeImport(models.Model):
    """Apple's spreadsheet as it was uploaded, until somebody has confirmed what is in it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    managed_app = models.ForeignKey(ManagedApp, models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=200)
    rows_ciphertext = models.TextField()  # what was read, sealed: it is full of codes
    counts = models.JSONField(default=dict)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    finished_at = models.DateTimeField(null=True)

    objects = CodeImportQuerySet.as_manager()

    def __str__(self) -> str:
        return self.file_name

    @property
    def crypto_context(self) -> str:
        return f"code import {self.pk}"

    @property
    def rows(self) -> str:
        return crypto.decrypt(self.rows_ciphertext, bound_to=self.crypto_context)

    @rows.setter
    def rows(self, text: str) -> None:
        self.rows_ciphertext = crypto.encrypt(text, bound_to=self.crypto_context)
