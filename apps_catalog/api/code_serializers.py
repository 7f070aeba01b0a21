# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of redemption codes take and give."""

from __future__ import annotations

from rest_framework import serializers

from apps_catalog.models import RedemptionCode
from organizations.api.serializers import WireSerializer

MOST_IDS = 10_000


def ids(what: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.RegexField(
            r"\A[0-9]{1,18}\Z", error_messages={"invalid": "must be an id: digits only."}
        ),
        max_length=MOST_IDS,
        help_text=what,
    )


class CodeSerializer(WireSerializer):
    """A redemption code, without the code itself."""

    id = serializers.CharField()
    appId = serializers.CharField()
    state = serializers.ChoiceField(
        RedemptionCode.State.values,
        help_text="Apple tells nobody whether a code was redeemed: a person or a later sheet says so.",
    )
    lastLetters = serializers.CharField(help_text="Of the code, to tell it from others.")
    order = serializers.CharField(allow_null=True, help_text="Apple's number of the order.")
    ownerId = serializers.CharField(allow_null=True)
    ownerName = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True, help_text="Where the code was sent to.")
    handedOutAt = serializers.DateTimeField(allow_null=True)
    redeemedAt = serializers.DateTimeField(
        allow_null=True, help_text="When it was said to be redeemed."
    )
    mailProblem = serializers.CharField(allow_null=True, help_text="Why its mail failed.")
    changedBy = serializers.CharField(allow_null=True)
    importedAt = serializers.DateTimeField()


class ShownCodeSerializer(CodeSerializer):
    code = serializers.CharField(
        allow_null=True, help_text="In the first answer alone; null where a request is repeated."
    )


class CodeCountsSerializer(WireSerializer):
    total = serializers.IntegerField()
    unused = serializers.IntegerField()
    handedOut = serializers.IntegerField()
    redeemed = serializers.IntegerField()
    notSent = serializers.IntegerField(help_text="Of those handed out: the mail failed.")
    lacking = serializers.IntegerField(
        help_text="Devices in scope whose owner has no code; 0 where the app is not distributed by"
        " codes."
    )
    importedAt = serializers.DateTimeField(allow_null=True, help_text="The newest of them.")
    asOf = serializers.DateTimeField()


class CodeIdsSerializer(WireSerializer):
    codeIds = ids("Ids of codes of the app; those for which it means nothing are passed over.")


class ChangedCodesSerializer(WireSerializer):
    changed = serializers.IntegerField(help_text="How many codes were changed.")


class RecipientSerializer(WireSerializer):
    id = serializers.CharField(help_text="Of the owner.")
    name = serializers.CharField(allow_blank=True)
    email = serializers.CharField()
    hasCode = serializers.BooleanField(help_text="One of this app, redeemed or not.")


class HandOutSerializer(WireSerializer):
    ownerIds = ids("Who is to get one code each.")


class PassedOverSerializer(WireSerializer):
    ownerId = serializers.CharField()
    reason = serializers.ChoiceField(["hasCode", "noRecipient"])
    message = serializers.CharField()


class HandedOutSerializer(WireSerializer):
    codes = CodeSerializer(many=True)
    skipped = PassedOverSerializer(many=True)


class CodeSheetSerializer(WireSerializer):
    file = serializers.FileField(
        allow_empty_file=True,  # the reader says what an empty one lacks
        help_text="Apple's spreadsheet of an order (.xls), or a table as .xlsx or .csv; at most 2 MB.",
    )


class CodeColumnSerializer(WireSerializer):
    column = serializers.IntegerField(
        min_value=0, help_text="In which the codes stand; 0 is the first."
    )


class MalformedRowSerializer(WireSerializer):
    row = serializers.IntegerField(help_text="As a spreadsheet counts.")
    reason = serializers.CharField()


class CodePreviewSerializer(WireSerializer):
    """What confirming would do."""

    column = serializers.IntegerField(
        allow_null=True,
        help_text="Where the codes stand; null where nobody can tell: say it by PUT.",
    )
    columns = serializers.ListField(
        child=serializers.IntegerField(), help_text="Those in which anything stands."
    )
    order = serializers.CharField(allow_null=True)
    adamId = serializers.CharField(allow_null=True, help_text="The app that the sheet names.")
    isForAnotherApp = serializers.BooleanField()
    codes = serializers.IntegerField(help_text="In the sheet.")
    new = serializers.IntegerField(help_text="Would be added.")
    unused = serializers.IntegerField(help_text="Of the new ones.")
    known = serializers.IntegerField(help_text="Are here already.")
    redeemed = serializers.IntegerField(help_text="In the sheet, as it says.")
    newlyRedeemed = serializers.IntegerField(
        help_text="Codes of ours that would be marked as redeemed."
    )
    examples = serializers.ListField(child=serializers.CharField(), help_text="Masked.")
    malformedCount = serializers.IntegerField()
    malformed = MalformedRowSerializer(many=True, help_text="The first of them.")


class CodeImportCountsSerializer(WireSerializer):
    added = serializers.IntegerField()
    known = serializers.IntegerField()
    redeemed = serializers.IntegerField()
    malformed = serializers.IntegerField()


class CodeImportSerializer(WireSerializer):
    """A sheet that waits to be confirmed; it is forgotten after seven days."""

    id = serializers.CharField()
    appId = serializers.CharField()
    fileName = serializers.CharField(allow_blank=True)
    createdAt = serializers.DateTimeField()
    createdBy = serializers.CharField()
    finishedAt = serializers.DateTimeField(allow_null=True)


class CodeImportDetailSerializer(CodeImportSerializer):
    preview = CodePreviewSerializer(allow_null=True, help_text="Null once it is confirmed.")
    counts = CodeImportCountsSerializer(allow_null=True, help_text="Null until it is confirmed.")
