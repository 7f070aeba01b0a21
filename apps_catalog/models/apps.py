"""What can be deployed: the store's metadata of a title in one country."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class App(models.Model):
    """A title of the store as one country's storefront describes it.

    Shared by all organizations. Missing metadata (custom, delisted, other region) is a normal
    state: the row is there, `name` is empty, and the title is listed with its Adam ID.
    """

    adam_id = models.CharField(max_length=20)
    country = models.CharField(max_length=2)
    name = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=30, blank=True)  # Apple's word: iosSoftware, ebook, …
    bundle_id = models.CharField(max_length=255, blank=True)
    seller = models.CharField(max_length=300, blank=True)
    genre = models.CharField(max_length=100, blank=True)
    platforms = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    minimum_os = models.CharField(max_length=20, blank=True)
    version = models.CharField(max_length=50, blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    price_text = models.CharField(max_length=30, blank=True)
    icon_url = models.URLField(max_length=500, blank=True)
    store_url = models.URLField(max_length=500, blank=True)
    is_custom = models.BooleanField(default=False)
    metadata_as_of = models.DateTimeField(null=True)
    metadata_asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["adam_id", "country"], name="app_once_per_country")
        ]

    def __str__(self) -> str:
        return self.name or f"Adam ID {self.adam_id}"
