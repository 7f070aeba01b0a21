# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of Reclaim take and give: what could be freed, and decisions about it."""

from __future__ import annotations

import re

from rest_framework import serializers

from licensing.api.batch_serializers import (
    AssetKeySerializer,
    BatchSerializer,
    HoldersField,
    PlanSerializer,
)
from licensing.models import Reclaim, ReclaimCause
from organizations.api.serializers import WireSerializer

RECLAIM_ID = re.compile(r"[0-9]{1,18}")
NO_ID = "must be an id as …/sm/reclaim gives it: a text of digits."


class ReclaimSerializer(AssetKeySerializer):
    """One license that could serve somebody else."""

    id = serializers.CharField()
    vppAccountId = serializers.CharField()
    name = serializers.CharField(allow_null=True, help_text="Of the title.")
    serialNumber = serializers.CharField(
        allow_null=True, help_text="Of the device that holds it; null where a user does."
    )
    clientUserId = serializers.CharField(allow_null=True)
    deviceName = serializers.CharField(
        allow_blank=True, help_text="As it was when this was found: the device may be deleted."
    )
    cause = serializers.ChoiceField(ReclaimCause.values)
    since = serializers.DateTimeField(help_text="Since when the cause is so.")
    state = serializers.ChoiceField(
        Reclaim.State.values,
        help_text="found: it could be freed; planned: it will be, at dueAt; started: a batch takes it"
        " back; undone: somebody keeps it; void: the reason is gone.",
    )
    waitsForDecision = serializers.BooleanField(
        help_text="So much would go at once that somebody decides first."
    )
    message = serializers.CharField(allow_null=True, help_text="Why it ended as it did.")
    foundAt = serializers.DateTimeField()
    dueAt = serializers.DateTimeField(allow_null=True, help_text="Null: nothing takes it back.")
    chosenBy = serializers.CharField(allow_null=True, help_text="Null: a rule.")
    changedAt = serializers.DateTimeField()
    changedBy = serializers.CharField(allow_null=True, help_text="Null: the product itself.")
    batchId = serializers.CharField(allow_null=True, help_text="The batch that takes it back.")


class CauseCountSerializer(WireSerializer):
    cause = serializers.ChoiceField(ReclaimCause.values)
    licenses = serializers.IntegerField()


class WaitingDecisionSerializer(AssetKeySerializer):
    vppAccountId = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    licenses = serializers.IntegerField(help_text="So many would be taken back; send it as shown.")
    assigned = serializers.IntegerField(help_text="So many of the title are assigned in all.")
    since = serializers.DateTimeField()


class ReclaimSummarySerializer(WireSerializer):
    licenses = serializers.IntegerField(help_text="So many could be freed.")
    devices = serializers.IntegerField(help_text="That hold them.")
    planned = serializers.IntegerField(help_text="So many of them will be taken back.")
    causes = CauseCountSerializer(many=True)
    worth = serializers.ListField(
        child=serializers.CharField(), help_text="At the store's prices, one for each currency."
    )
    pricesAsOf = serializers.DateTimeField(allow_null=True)
    asOf = serializers.DateTimeField(
        allow_null=True, help_text="When it was last looked for; null: never yet."
    )
    waitingForDecision = WaitingDecisionSerializer(many=True)


class ChooseReclaimsSerializer(WireSerializer):
    reclaimIds = HoldersField(
        RECLAIM_ID, NO_ID, help_text="Those that are no longer found or planned are passed over."
    )


class TakeReclaimsSerializer(ChooseReclaimsSerializer):
    dryRun = serializers.BooleanField(
        default=False,
        help_text="Answer with the plan only; it is started with its planId at the account's …/batches.",
    )


class ReclaimBatchSerializer(BatchSerializer):
    vppAccountId = serializers.CharField(help_text="Where the batch is followed.")


class ReclaimPlanSerializer(PlanSerializer):
    vppAccountId = serializers.CharField(help_text="Where the plan is started.")


class KeptSerializer(WireSerializer):
    kept = serializers.IntegerField()


class NewlyProtectedSerializer(WireSerializer):
    protected = serializers.IntegerField(help_text="So many that were not protected before.")


class LookingSerializer(WireSerializer):
    asOf = serializers.DateTimeField(
        allow_null=True, help_text="Of the last look; …/summary has a later one when it is done."
    )


class DecideReclaimSerializer(WireSerializer):
    allow = serializers.BooleanField(
        help_text="true: what waits of the title is taken back; false: it is kept."
    )
    shown = serializers.IntegerField(
        required=False,
        min_value=0,
        help_text="Needed with allow: for how many that is meant, as …/summary says it.",
    )


class ReclaimDecisionSerializer(WireSerializer):
    allowed = serializers.BooleanField()
    licenses = serializers.IntegerField(help_text="So many are taken back, or kept.")
