# ruff: noqa: N815  # the names are those on the wire
"""What the imports of owners take and give."""

from __future__ import annotations

from rest_framework import serializers

from organizations.api.import_serializers import (
    FileImportRowSerializer,
    FileImportSerializer,
    UploadSerializer,
    row_id,
)


class UploadOwnersSerializer(UploadSerializer):
    file = serializers.FileField(
        allow_empty_file=True,
        help_text="CSV, .xlsx or .xls with a header row: name, email, username, tags,"
        " managedAppleAccount, in any order. At most 20 MB and 100,000 rows.",
    )
    vppAccountId = row_id(
        "They become users of this VPP account, too, and are registered at Apple."
    )
    invite = serializers.BooleanField(
        default=False, help_text="Invite those who are new in the VPP account."
    )


class OwnerImportSerializer(FileImportSerializer):
    vppAccountId = serializers.CharField(allow_null=True)
    invite = serializers.BooleanField()
    registerBatchId = serializers.CharField(
        allow_null=True, help_text="The batch that registers the new users at Apple."
    )
    inviteBatchId = serializers.CharField(allow_null=True, help_text="The batch that invites them.")


class OwnerImportRowSerializer(FileImportRowSerializer):
    """As the file says it; an empty text where it says nothing."""

    name = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    username = serializers.CharField(allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    managedAppleAccount = serializers.CharField(allow_blank=True)
    ownerId = serializers.CharField(
        allow_null=True, help_text="The owner whom it is about; null where there is none yet."
    )
