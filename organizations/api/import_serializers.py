# ruff: noqa: N815  # the names are those on the wire
"""What the imports of files take and give, whatever the files are about."""

from __future__ import annotations

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from organizations.api.serializers import WireSerializer
from organizations.models.imports import FileImport, FileImportRow


def row_id(help_text: str) -> serializers.RegexField:
    """An id that may be left out."""
    return serializers.RegexField(
        r"\A[0-9]{1,18}\Z",
        required=False,
        allow_null=True,
        error_messages={"invalid": "must be an id: digits only."},
        help_text=help_text,
    )


class UploadSerializer(WireSerializer):
    file = serializers.FileField(
        allow_empty_file=True,  # refused in our own words
        help_text="CSV, .xlsx or .xls, with a header row; at most 20 MB.",
    )
    wholeList = serializers.BooleanField(
        default=False,
        help_text="The file is the whole list: what came with an earlier file and is not in this one"
        " is flagged as missing. Nothing is deleted.",
    )


class ConfirmImportSerializer(WireSerializer):
    confirmMissing = serializers.BooleanField(
        default=False, help_text="Needed where needsConfirmMissing is true."
    )


# By verdict; a class written out could not have a field `update`.
CountsSerializer = type(
    inline_serializer(
        "FileImportCounts",
        {verdict: serializers.IntegerField() for verdict in FileImportRow.Verdict.values},
    )
)


class FileImportSerializer(WireSerializer):
    id = serializers.UUIDField()
    fileName = serializers.CharField()
    state = serializers.ChoiceField(
        FileImport.State.values,
        help_text="checking → checked → (confirm) applying → finished; failed: it cannot be read.",
    )
    problem = serializers.CharField(allow_null=True, help_text="Why the file cannot be read.")
    counts = CountsSerializer(
        allow_null=True, help_text="Rows by verdict; null until the file is read."
    )
    wholeList = serializers.BooleanField()
    missing = serializers.IntegerField(
        allow_null=True, help_text="How many a whole list lacks; null until the file is read."
    )
    needsConfirmMissing = serializers.BooleanField(
        help_text="So many are missing that confirming has to say confirmMissing."
    )
    notices = serializers.ListField(
        child=serializers.CharField(), help_text="For example which columns were not read."
    )
    createdBy = serializers.CharField(help_text="Who uploaded it, or else who confirmed it.")
    createdAt = serializers.DateTimeField()
    checkedAt = serializers.DateTimeField(allow_null=True)
    finishedAt = serializers.DateTimeField(allow_null=True)


class FileImportRowSerializer(WireSerializer):
    row = serializers.IntegerField(help_text="The row's number in a spreadsheet.")
    verdict = serializers.ChoiceField(FileImportRow.Verdict.values)
    message = serializers.CharField(
        allow_blank=True, help_text="What is wrong with the row, or what it changes."
    )


# --- Devices ----------------------------------------------------------------------------------------


class UploadDevicesSerializer(UploadSerializer):
    file = serializers.FileField(
        allow_empty_file=True,
        help_text="CSV, .xlsx or .xls with a header row: serialNumber, name, model, platform,"
        " osVersion, supervised, ownerEmail, tags, network, in any order. At most 20 MB and 200,000"
        " rows.",
    )
    networkId = row_id("Where new devices go whose row names no network.")


class DeviceImportSerializer(FileImportSerializer):
    networkId = serializers.CharField(allow_null=True)
    ownersAdded = serializers.IntegerField(
        allow_null=True,
        help_text="Owners who were made with their devices; null until it is finished.",
    )


class DeviceImportRowSerializer(FileImportRowSerializer):
    """As the file says it; an empty text where it says nothing."""

    serialNumber = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    platform = serializers.CharField(allow_blank=True)
    osVersion = serializers.CharField(allow_blank=True)
    supervised = serializers.BooleanField(allow_null=True, help_text="Null: nothing said.")
    ownerEmail = serializers.CharField(allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    network = serializers.CharField(allow_blank=True, help_text="By its name.")
    deviceId = serializers.CharField(
        allow_null=True, help_text="The device that it is about; null where there is none yet."
    )
