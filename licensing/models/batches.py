"""A batch: one intention carried out at Apple, item by item, and the writes that it takes.

    item:  planned -> sent -> succeeded | failed
             |  ^      |-> planned   nothing was done, or nobody knows: it is sent again
             |  |      `-> waiting   no license was left after all
             |  `---- waiting        a license is free again
             `-> cancelled           as is what waits
           skipped                   decided when the batch began, with the reason

Each transition is one conditional statement over many items (licensing/batches/).
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from licensing.models.apps import LicensedApp
from licensing.models.assignments import Assignment
from licensing.models.operations import AppleOperation
from organizations.models import AuditEvent, Membership, Organization
from vpp_accounts.models import VppAccount


class BatchKind(models.TextChoices):
    GRANT = "grant", "Grant"
    REVOKE = "revoke", "Revoke"
    REGISTER = "register", "Register"
    RETIRE = "retire", "Retire"
    INVITE = "invite", "Invite"
    UPDATE = "update", "Update"


class BatchState(models.TextChoices):
    PLANNED = "planned", "Starting"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"


class ItemState(models.TextChoices):
    PLANNED = "planned", "Pending"
    SENT = "sent", "Sent to Apple"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    WAITING = "waiting", "Waiting for a license"
    SKIPPED = "skipped", "Skipped"
    CANCELLED = "cancelled", "Cancelled"


# Those that may still change something at Apple: one of them at most per title and holder.
OPEN_ITEMS = (ItemState.PLANNED, ItemState.SENT, ItemState.WAITING)


class OfAccount(models.QuerySet):  # type: ignore[type-arg]
    def visible_to(self, membership: Membership) -> OfAccount:
        """What concerns licenses is for those who may manage them."""
        accounts = VppAccount.objects.open_to(membership)
        return self.filter(organization=membership.organization_id, account__in=accounts)


class BatchPlan(models.Model):
    """What would come of a grant or a revoke, as it was shown; kept a day to be confirmed.

    `request` holds the titles and holders as they were resolved, `summary` what was shown.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=BatchKind.choices)
    request = models.JSONField()
    summary = models.JSONField()
    created_by = models.BigIntegerField(null=True)  # the admin; None: a rule
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    # One confirmation makes one batch, however often the button is pressed.
    batch = models.ForeignKey("Batch", models.SET_NULL, null=True, related_name="+")

    objects = OfAccount.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Batch(models.Model):
    """One intention: who asked, for what, how far it is. The counts are those of its items."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="batches")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="batches")
    kind = models.CharField(max_length=8, choices=BatchKind.choices)
    state = models.CharField(max_length=9, choices=BatchState.choices, default=BatchState.PLANNED)
    reason = models.CharField(max_length=500, blank=True)  # why it is paused or ended early
    # "all" licenses of its holders: what came after the plan goes too.
    everything = models.BooleanField(default=False)
    priority = models.SmallIntegerField(default=0)  # the higher is served first

    actor_kind = models.CharField(max_length=10, choices=AuditEvent.ActorKind.choices)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=254)
    why = models.CharField(max_length=300, blank=True)  # the page, the rule, the program
    about = models.CharField(max_length=300, blank=True)  # "Keynote to 40 devices"
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="retries")

    planned = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)  # writes at Apple that carried its items

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = OfAccount.as_manager()

    COUNTED = ("planned", "sent", "succeeded", "failed", "waiting", "skipped", "cancelled")
    UNFINISHED = (BatchState.PLANNED, BatchState.RUNNING, BatchState.PAUSED)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="batches_newest_first"),
            models.Index(
                fields=["account"], condition=Q(finished_at=None), name="batches_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    @property
    def total(self) -> int:
        return sum(getattr(self, name) for name in self.COUNTED)

    @property
    def pending(self) -> int:
        return self.planned + self.sent

    @property
    def percent(self) -> int:
        return (self.total - self.pending) * 100 // self.total if self.total else 100

    @property
    def is_unfinished(self) -> bool:
        return self.state in self.UNFINISHED


class BatchItemQuerySet(OfAccount):
    def waiting_in(self, account: VppAccount) -> BatchItemQuerySet:
        """Those who wait for a license of this account."""
        return self.filter(account=account, state=ItemState.WAITING)

    def to_send(self, account: VppAccount) -> BatchItemQuerySet:
        return self.filter(account=account, state=ItemState.PLANNED)


class BatchItem(models.Model):
    """One license and one holder of a batch; `licensed_app` is null where people are registered.

    Keys without database constraints: a hundred thousand rows would pay for them one by one.
    """

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    account = models.ForeignKey(
        VppAccount, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    batch = models.ForeignKey(
        Batch, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="items"
    )
    licensed_app = models.ForeignKey(
        LicensedApp,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="batch_items",
    )
    kind = models.CharField(max_length=8, choices=BatchKind.choices)
    holder_kind = models.CharField(max_length=6, choices=Assignment.HolderKind.choices)
    holder = models.CharField(max_length=255, db_collation="C")
    state = models.CharField(max_length=9, choices=ItemState.choices)
    priority = models.SmallIntegerField(default=0)
    error_number = models.IntegerField(null=True)
    message = models.CharField(max_length=300, blank=True)
    operation = models.ForeignKey(
        AppleOperation,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="items",
    )
    attempts = models.PositiveSmallIntegerField(default=0)  # how often it was sent
    # Each refusal that Apple does not explain sends its items in smaller requests.
    caution = models.PositiveSmallIntegerField(default=0)
    changed_at = models.DateTimeField(default=timezone.now)

    objects = BatchItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["licensed_app", "holder_kind", "holder"],
                condition=Q(state__in=OPEN_ITEMS, licensed_app__isnull=False),
                name="one_open_item_per_title_and_holder",
            ),
            models.UniqueConstraint(
                fields=["account", "kind", "holder"],
                condition=Q(state__in=OPEN_ITEMS, licensed_app__isnull=True),
                name="one_open_item_per_person_and_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "id"], include=["state"], name="items_of_a_batch"),
            models.Index(
                fields=["account", "-priority", "id"],
                condition=Q(state=ItemState.PLANNED),
                name="items_to_send",
            ),
            models.Index(
                fields=["account"], condition=Q(state=ItemState.WAITING), name="items_waiting"
            ),
            models.Index(
                fields=["licensed_app", "-priority", "id"],
                condition=Q(state=ItemState.WAITING),
                name="items_in_a_queue",
            ),
            models.Index(
                fields=["operation"],
                condition=Q(operation__isnull=False),
                name="items_of_an_operation",
            ),
            models.Index(fields=["organization", "holder"], name="items_of_a_holder"),
            models.Index(
                fields=["licensed_app", "holder_kind", "holder"],
                condition=Q(state=ItemState.FAILED),
                name="failed_items_of_a_title",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.licensed_app_id} {self.holder}: {self.state}"
