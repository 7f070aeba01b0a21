# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of holders that no inventory knows take and give."""

from __future__ import annotations

import re

from rest_framework import serializers

from licensing.api.batch_serializers import SERIAL_NUMBER, AssetKeySerializer, HoldersField
from licensing.tables.unknown_holders import Why
from organizations.api.serializers import WireSerializer

CLIENT_USER_ID = re.compile(r"[^\x00]{1,255}")


class UnknownCountSerializer(WireSerializer):
    vppAccountId = serializers.CharField()
    name = serializers.CharField()
    devices = serializers.IntegerField()
    users = serializers.IntegerField()


class UnknownCountsSerializer(WireSerializer):
    asOf = serializers.DateTimeField()
    isCapped = serializers.BooleanField(help_text="There are more, which were not counted.")
    vppAccounts = UnknownCountSerializer(many=True)


class UnknownHolderSerializer(WireSerializer):
    """Exactly one of serialNumber and clientUserId is not null."""

    serialNumber = serializers.CharField(allow_null=True)
    clientUserId = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True, help_text="As Apple has it.")
    licenses = serializers.IntegerField()
    assets = AssetKeySerializer(many=True, help_text="What they hold.")
    since = serializers.DateTimeField(
        help_text="When one of these licenses was first seen here; Apple keeps no times."
    )
    revocable = serializers.BooleanField(
        help_text="false: Apple's list of users does not have them, so that a batch cannot reach them."
    )
    reason = serializers.ChoiceField(
        list(Why), help_text="How they came to be unknown, as far as is known."
    )
    message = serializers.CharField(help_text="The reason as a sentence.")


class RevokeUnknownSerializer(WireSerializer):
    """Either serialNumbers or clientUserIds."""

    serialNumbers = HoldersField(
        SERIAL_NUMBER, "must be a serial number: a text of 1 to 64 characters.", required=False
    )
    clientUserIds = HoldersField(
        CLIENT_USER_ID, "must be a clientUserId: a text of 1 to 255 characters.", required=False
    )
    dryRun = serializers.BooleanField(
        default=False,
        help_text="Answer with the plan only; it is started with its planId at …/batches.",
    )
