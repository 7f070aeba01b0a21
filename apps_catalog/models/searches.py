"""Searches in Apple's store: asked by a page, answered by a worker."""

from __future__ import annotations

import uuid

from django.db import models

from organizations.models import Membership, Organization


class StoreSearchQuerySet(models.QuerySet["StoreSearch"]):
    def visible_to(self, membership: Membership) -> StoreSearchQuerySet:
        return self.filter(organization=membership.organization_id)


class StoreSearch(models.Model):
    """One question to the store of one country. The answer is kept for an hour, and shared."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    term = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    platform = models.CharField(max_length=10)
    results = models.JSONField(default=list)
    problem = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True)

    objects = StoreSearchQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["organization", "platform", "country", "term", "-asked_at"],
                name="searches_again",
            ),
            models.Index(fields=["asked_at"], name="searches_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.term} ({self.country})"
