# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of the apps of all networks take and give."""

from __future__ import annotations

from rest_framework import serializers

from licensing.api.app_serializers import (
    AppPreviewSerializer,
    AppSerializer,
    CreateAppSerializer,
)
from organizations.api.serializers import WireSerializer

MOST_NETWORKS = 200
VERDICTS = ["added", "wouldBeAdded", "alreadyThere", "refused"]


class CreateAppsSerializer(CreateAppSerializer):
    networkIds = serializers.ListField(
        child=serializers.RegexField(
            r"\A[0-9]{1,18}\Z", error_messages={"invalid": "must be the id of a network."}
        ),
        min_length=1,
        max_length=MOST_NETWORKS,
    )
    dryRun = serializers.BooleanField(
        default=False, help_text="true answers what it would lead to, and adds nothing."
    )


class NetworkVerdictSerializer(WireSerializer):
    networkId = serializers.CharField()
    verdict = serializers.ChoiceField(VERDICTS)
    code = serializers.CharField(allow_null=True, help_text="Why it is refused, as a stable word.")
    message = serializers.CharField(allow_null=True, help_text="Why it is refused, as a sentence.")
    app = AppSerializer(
        allow_null=True, help_text="Null where it is refused, and where nothing was added."
    )
    preview = AppPreviewSerializer(allow_null=True, help_text="Where it would be added.")


class AddedAppsSerializer(WireSerializer):
    networks = NetworkVerdictSerializer(many=True, help_text="In the order of networkIds.")
