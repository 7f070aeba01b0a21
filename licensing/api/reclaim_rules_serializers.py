# ruff: noqa: N815  # the names are those on the wire
"""What the rules of Reclaim, and those whom nothing is taken from, are on the wire."""

from __future__ import annotations

from rest_framework import serializers

from licensing.api.batch_serializers import AssetKeySerializer
from licensing.models import DepartureChoice, ReclaimCause
from licensing.reclaim.rules import MOST_DAYS
from organizations.api.serializers import WireSerializer

NO_DAYS = "Null: the cause needs no time."


class RuleSerializer(WireSerializer):
    cause = serializers.ChoiceField(ReclaimCause.values)
    takesBack = serializers.BooleanField(help_text="Whether it takes licenses back by itself.")
    days = serializers.IntegerField(
        allow_null=True, help_text=f"For how long it has to be so. {NO_DAYS}"
    )
    graceDays = serializers.IntegerField(help_text="How long after that the license is taken back.")


class UpdateRuleSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    cause = serializers.ChoiceField(ReclaimCause.values)
    takesBack = serializers.BooleanField(required=False)
    days = serializers.IntegerField(
        required=False, allow_null=True, help_text=f"0 to {MOST_DAYS}. {NO_DAYS}"
    )
    graceDays = serializers.IntegerField(required=False, help_text=f"0 to {MOST_DAYS}.")


class DepartureSerializer(WireSerializer):
    choice = serializers.ChoiceField(DepartureChoice.values)
    days = serializers.IntegerField(help_text="After how many, with the choice later.")


class UpdateDepartureSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    choice = serializers.ChoiceField(DepartureChoice.values, required=False)
    days = serializers.IntegerField(required=False, help_text=f"1 to {MOST_DAYS}.")


class RulesSerializer(WireSerializer):
    rules = RuleSerializer(many=True)
    departure = DepartureSerializer(
        help_text="What becomes of the licenses of a device that is deleted, wiped, unenrolled or"
        " moved: proposed where an admin does it, and done where nobody is asked."
    )


class PreviewRulesSerializer(WireSerializer):
    """Rules that are not sent are as they are saved."""

    rules = UpdateRuleSerializer(many=True, required=False)


class UpdateRulesSerializer(PreviewRulesSerializer):
    departure = UpdateDepartureSerializer(required=False)


class FoundByRuleSerializer(WireSerializer):
    cause = serializers.ChoiceField(ReclaimCause.values)
    licenses = serializers.IntegerField(help_text="So many it would find now.")
    devices = serializers.IntegerField(help_text="That hold them.")


class CandidateSerializer(AssetKeySerializer):
    """A license that a rule would find now."""

    vppAccountId = serializers.CharField()
    serialNumber = serializers.CharField()
    deviceName = serializers.CharField(allow_blank=True)
    since = serializers.DateTimeField(help_text="Since when the cause is so.")


class ProtectedSerializer(WireSerializer):
    """Exactly one of serialNumber and clientUserId is not null."""

    id = serializers.CharField()
    serialNumber = serializers.CharField(allow_null=True)
    clientUserId = serializers.CharField(allow_null=True)
    name = serializers.CharField(
        allow_blank=True, help_text="Of the device, or of the person where the key may see them."
    )
    adamId = serializers.CharField(allow_null=True, help_text="Null: protected for all titles.")
    reason = serializers.CharField(allow_blank=True)
    createdBy = serializers.CharField()
    createdAt = serializers.DateTimeField()


class ProtectSerializer(WireSerializer):
    holder = serializers.CharField(
        max_length=255,
        help_text="A serial number, or the e-mail address or clientUserId of a person.",
    )
    adamId = serializers.RegexField(
        r"\A[0-9]{1,20}\Z",
        required=False,
        error_messages={"invalid": "must be digits only."},
        help_text="Of this title only; all titles where it is not sent.",
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)
