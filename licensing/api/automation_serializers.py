# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of automatic licensing take and give."""

from __future__ import annotations

from rest_framework import serializers

from organizations.api.serializers import WireSerializer


class HeldAppSerializer(WireSerializer):
    """An app whose rule would take back so many licenses that a person decides first."""

    networkId = serializers.CharField()
    appId = serializers.CharField(help_text="Decide at /networks/{networkId}/sm/apps/{appId}.")
    adamId = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    revokes = serializers.IntegerField(help_text="So many licenses would be taken back.")
    assigned = serializers.IntegerField(help_text="So many of the title are assigned in all.")
    holders = serializers.ListField(
        child=serializers.CharField(),
        help_text="The first of them: serial numbers, or clientUserIds.",
    )
    since = serializers.DateTimeField()
    asOf = serializers.DateTimeField(help_text="When it was last counted.")


class AutomationSerializer(WireSerializer):
    paused = serializers.BooleanField()
    pausedAt = serializers.DateTimeField(allow_null=True)
    pausedBy = serializers.CharField(allow_null=True)
    lastSweepAt = serializers.DateTimeField(
        allow_null=True, help_text="When everything was last looked at; null: never yet."
    )
    lastSweepSeconds = serializers.FloatField(allow_null=True, help_text="How long that took.")
    waitingForDecision = HeldAppSerializer(many=True)


class DecideSerializer(WireSerializer):
    allow = serializers.BooleanField(
        help_text="true: what waits is taken back; false: whom it is about keep theirs for good."
    )


class DecisionSerializer(WireSerializer):
    allowed = serializers.BooleanField()
    revokes = serializers.IntegerField(help_text="So many licenses it was about.")
    decidedAt = serializers.DateTimeField()
    decidedBy = serializers.CharField()
