# ruff: noqa: N815  # the names are those on the wire
"""What the import of people takes and gives."""

from __future__ import annotations

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from organizations.api.serializers import WireSerializer
from users.models import ImportRow


class ImportPeopleSerializer(WireSerializer):
    file = serializers.FileField(
        allow_empty_file=True,  # refused in our own words
        help_text="CSV or .xlsx with a header row: name, email, username, tags,"
        " managedAppleAccount, in any order. At most 20 MB and 100,000 rows.",
    )
    dryRun = serializers.BooleanField(default=False, help_text="A verdict per row, nothing more.")
    invite = serializers.BooleanField(default=False, help_text="Invite those who are new.")
    skipErrors = serializers.BooleanField(
        default=False, help_text="Leave rows with errors out in the place of refusing the file."
    )


# By verdict; a class of its own could not have a field `update`.
COUNTS = inline_serializer(
    "ImportCounts", {verdict: serializers.IntegerField() for verdict in ImportRow.Verdict.values}
)


class ImportRowSerializer(WireSerializer):
    row = serializers.IntegerField(help_text="The row's number in a spreadsheet.")
    verdict = serializers.ChoiceField(ImportRow.Verdict.values)
    message = serializers.CharField(
        allow_blank=True, help_text="What is wrong with the row, or what it changes."
    )
    email = serializers.CharField(allow_blank=True)
    userId = serializers.CharField(
        allow_null=True, help_text="The user of the account; null where there is none yet."
    )


class PeopleImportSerializer(WireSerializer):
    importId = serializers.UUIDField()
    counts = COUNTS
    notices = serializers.ListField(
        child=serializers.CharField(), help_text="For example which columns were not read."
    )
    registerBatchId = serializers.CharField(
        allow_null=True, help_text="The batch that registers the new users at Apple."
    )
    inviteBatchId = serializers.CharField(allow_null=True, help_text="The batch that invites them.")
    rows = ImportRowSerializer(many=True)
