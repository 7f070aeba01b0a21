# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of batches take and give."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from licensing.batches.reasons import Reason
from licensing.models import BatchKind, BatchState, ItemState
from organizations.api.serializers import WireSerializer

MOST_HOLDERS = 100_000  # of each kind in one request
MOST_TITLES = 2000
HIGHEST_PRIORITY = 1000
KINDS = [BatchKind.GRANT.value, BatchKind.REVOKE.value]
REASONS = [reason.value for reason in Reason]
SERIAL_NUMBER = re.compile(r"[^\x00]{1,64}")
USER_ID = re.compile(r"[0-9]{1,18}")
HOLDERS = {"type": "array", "items": {"type": "string"}, "maxItems": MOST_HOLDERS}


@extend_schema_field(HOLDERS)
class HoldersField(serializers.Field[list[str], Any, list[str], Any]):
    """A list of texts. DRF's own list takes seconds for a hundred thousand of them."""

    def __init__(self, pattern: re.Pattern[str], problem: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pattern, self.problem = pattern, problem

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            raise serializers.ValidationError("must be a list of texts.")
        if len(data) > MOST_HOLDERS:
            raise serializers.ValidationError(
                f"takes at most {MOST_HOLDERS:,} at once; these are {len(data):,}. Send them in parts."
            )
        for place, text in enumerate(data):
            if not (isinstance(text, str) and self.pattern.fullmatch(text)):
                raise serializers.ValidationError({place: [self.problem]})  # type: ignore[dict-item]  # as DRF's lists do
        return data


class AssetKeySerializer(WireSerializer):
    adamId = serializers.RegexField(
        r"\A[0-9]{1,20}\Z", error_messages={"invalid": "must be digits only."}
    )
    pricingParam = serializers.RegexField(
        r"\A[A-Za-z]{1,10}\Z",
        default="STDQ",
        error_messages={"invalid": "must be letters only, for example STDQ."},
    )


class BatchRequestSerializer(WireSerializer):
    """What is asked for. With planId the rest is the plan's, and need not be sent again."""

    kind = serializers.ChoiceField(KINDS, required=False, help_text="Needed without planId.")
    assets = serializers.ListField(
        child=AssetKeySerializer(), required=False, max_length=MOST_TITLES
    )
    serialNumbers = HoldersField(
        SERIAL_NUMBER, "must be a serial number: a text of 1 to 64 characters.", required=False
    )
    userIds = HoldersField(
        USER_ID,
        "must be an id as …/users gives it: a text of digits.",
        required=False,
        help_text="Ids of …/users.",
    )
    priority = serializers.IntegerField(
        required=False,
        min_value=-HIGHEST_PRIORITY,
        max_value=HIGHEST_PRIORITY,
        help_text="The higher is sent and served first; 0 where it is not sent.",
    )
    everything = serializers.BooleanField(
        required=False, help_text="Revoke whatever these holders hold; instead of assets."
    )
    why = serializers.CharField(
        required=False, allow_blank=True, max_length=300, help_text="Shown with the batch."
    )
    dryRun = serializers.BooleanField(default=False, help_text="Answer with the plan only.")
    planId = serializers.UUIDField(
        required=False, help_text="Start this plan, unless it would come out worse by now."
    )
    confirmIrrevocable = serializers.BooleanField(
        default=False, help_text="Needed where licenses are given for good (books)."
    )


class SkippedSerializer(AssetKeySerializer):
    """Either serialNumber or userId is not null; an unknown client user has its own id only."""

    serialNumber = serializers.CharField(allow_null=True)
    userId = serializers.CharField(allow_null=True)
    clientUserId = serializers.CharField(allow_null=True)
    reason = serializers.ChoiceField(REASONS)
    message = serializers.CharField()


class AvailableAfterSerializer(AssetKeySerializer):
    available = serializers.IntegerField(allow_null=True, help_text="Null when unlimited.")


class PlanSerializer(WireSerializer):
    """What would come of it now. Kept for a day to be started with its planId."""

    planId = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    grant = serializers.IntegerField(help_text="So many get a license.")
    revoke = serializers.IntegerField(help_text="So many licenses are taken back.")
    alreadyHold = serializers.IntegerField(help_text="Of a grant: they hold a license already.")
    holdNone = serializers.IntegerField(help_text="Of a revoke: they hold no license.")
    waiting = serializers.IntegerField(help_text="They wait until a license is free.")
    noLongerWaiting = serializers.IntegerField(
        help_text="Of a revoke: they waited for a license and do so no longer."
    )
    skipped = SkippedSerializer(many=True, help_text="The first thousand; the count has all.")
    skippedCount = serializers.IntegerField()
    skippedReasons = serializers.DictField(child=serializers.IntegerField())
    availableAfter = AvailableAfterSerializer(many=True)
    irrevocable = serializers.IntegerField(help_text="So many licenses are given for good.")
    notAccepted = serializers.IntegerField(help_text="People who cannot use their license yet.")
    notRegistered = serializers.IntegerField(help_text="People who are registered at Apple first.")
    notInInventory = serializers.IntegerField(help_text="Serial numbers that no device here has.")


PLAN_GOT_WORSE = inline_serializer(
    "PlanGotWorse",
    {
        "errors": serializers.ListField(child=serializers.CharField(), min_length=1),
        "code": serializers.CharField(),
        "plan": PlanSerializer(help_text="As it is now; start it with its own planId."),
    },
)


class BatchCountsSerializer(WireSerializer):
    """pending and the others sum up to total."""

    total = serializers.IntegerField()
    pending = serializers.IntegerField(help_text="To be sent, or sent and not confirmed yet.")
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    waiting = serializers.IntegerField()
    skipped = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class BatchSerializer(WireSerializer):
    id = serializers.CharField()
    kind = serializers.ChoiceField(BatchKind.values)
    state = serializers.ChoiceField(
        BatchState.values,
        help_text="Finished once nothing is pending; who waits is served later all the same.",
    )
    reason = serializers.CharField(allow_blank=True, help_text="Why it is paused.")
    about = serializers.CharField(allow_blank=True)
    why = serializers.CharField(allow_blank=True)
    priority = serializers.IntegerField()
    everything = serializers.BooleanField()
    counts = BatchCountsSerializer()
    calls = serializers.IntegerField(help_text="Writes at Apple that it took so far.")
    createdAt = serializers.DateTimeField()
    createdBy = serializers.CharField()
    startedAt = serializers.DateTimeField(allow_null=True)
    finishedAt = serializers.DateTimeField(allow_null=True)
    retryOf = serializers.CharField(
        allow_null=True, help_text="The batch whose failures these are."
    )


class BatchItemSerializer(WireSerializer):
    """Either serialNumber or userId is not null; an unknown client user has its own id only."""

    id = serializers.CharField()
    adamId = serializers.CharField(allow_null=True, help_text="Null where only a user is meant.")
    pricingParam = serializers.CharField(allow_null=True)
    serialNumber = serializers.CharField(allow_null=True)
    userId = serializers.CharField(allow_null=True)
    clientUserId = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(ItemState.values)
    errorNumber = serializers.IntegerField(allow_null=True, help_text="Apple's.")
    message = serializers.CharField(allow_blank=True)
    changedAt = serializers.DateTimeField()
