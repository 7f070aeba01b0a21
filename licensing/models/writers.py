"""Who may write at a location, and when there is something to write."""

from __future__ import annotations

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from licensing.models.batches import BatchItem, ItemState
from organizations.models import Organization
from vpp_accounts.models import VppAccount


class WriterQuerySet(models.QuerySet["Writer"]):
    def due(self) -> WriterQuerySet:
        """Those with something to do that nobody is doing."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        left_behind = Q(lease_until__lt=now)  # its worker died
        planned = BatchItem.objects.filter(account=OuterRef("account"), state=ItemState.PLANNED)
        unheard = Q(next_work_at=None) & Exists(planned)  # nobody could be called
        return self.filter(free & (Q(next_work_at__lte=now) | left_behind | unheard))


class Writer(models.Model):
    """The right to write at one location, which one worker has at a time."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.OneToOneField(VppAccount, models.CASCADE, related_name="writer")
    lease_until = models.DateTimeField(null=True)
    lease_token = models.PositiveIntegerField(default=0)
    # When there is something to do again; null: nothing until a batch or a license comes.
    next_work_at = models.DateTimeField(null=True, db_index=True)
    not_before = models.DateTimeField(null=True)  # Apple wants to be left alone until then
    paused_reason = models.CharField(max_length=500, blank=True)
    paused_since = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)  # in a row; they slow the next try

    objects = WriterQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Writer of {self.account_id}"
