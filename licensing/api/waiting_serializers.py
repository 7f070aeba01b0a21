# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of waiting lists take and give."""

from __future__ import annotations

import re

from rest_framework import serializers

from licensing.api.batch_serializers import AssetKeySerializer, HoldersField
from licensing.batches.controls import HIGHEST
from organizations.api.serializers import WireSerializer

ITEM_ID = re.compile(r"[0-9]{1,18}")
NO_ID = "must be an id as …/waiting gives it: a text of digits."
STEPS = {"raise": 1, "lower": -1}


class WaitingItemSerializer(AssetKeySerializer):
    """Somebody who waits for a license. Either serialNumber or clientUserId is not null."""

    id = serializers.CharField(help_text="Also of the item in its batch.")
    vppAccountId = serializers.CharField()
    name = serializers.CharField(allow_null=True, help_text="Of the title.")
    serialNumber = serializers.CharField(allow_null=True)
    userId = serializers.CharField(allow_null=True)
    clientUserId = serializers.CharField(allow_null=True)
    place = serializers.IntegerField(help_text="In the queue of its title; the first is 1.")
    priority = serializers.IntegerField(
        help_text="The higher is served first, and of the same the one that was there first."
    )
    since = serializers.DateTimeField()
    batchId = serializers.CharField()
    createdBy = serializers.CharField(help_text="Who asked for the license.")


class ChooseWaitingSerializer(WireSerializer):
    """Either some of those who wait for the title, or everyone."""

    itemIds = HoldersField(ITEM_ID, NO_ID, required=False)
    everyone = serializers.BooleanField(default=False, help_text="Instead of itemIds.")


class MoveWaitingSerializer(ChooseWaitingSerializer):
    direction = serializers.ChoiceField(
        list(STEPS), help_text=f"The priority by one; it stays between -{HIGHEST} and {HIGHEST}."
    )


class TakenOffSerializer(WireSerializer):
    takenOff = serializers.IntegerField()


class QueueMovedSerializer(WireSerializer):
    moved = serializers.IntegerField()
