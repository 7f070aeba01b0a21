# ruff: noqa: N815  # the names are those on the wire
"""What inviting and retiring people takes and gives."""

from __future__ import annotations

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from licensing.api.batch_serializers import USER_ID, AvailableAfterSerializer, HoldersField
from licensing.batches.reasons import Reason
from organizations.api.serializers import WireSerializer


class PeopleRequestSerializer(WireSerializer):
    """With planId the people are the plan's, and need not be sent again."""

    userIds = HoldersField(
        USER_ID,
        "must be an id as …/users gives it: a text of digits.",
        required=False,
        help_text="Ids of …/users; needed without planId.",
    )
    why = serializers.CharField(
        required=False, allow_blank=True, max_length=300, help_text="Shown with the batch."
    )
    dryRun = serializers.BooleanField(default=False, help_text="Answer with the plan only.")
    planId = serializers.UUIDField(
        required=False, help_text="Start this plan, unless it would come out worse by now."
    )


class SkippedPersonSerializer(WireSerializer):
    userId = serializers.CharField(allow_null=True)
    clientUserId = serializers.CharField(allow_null=True, help_text="Null: no user of the account.")
    reason = serializers.ChoiceField([reason.value for reason in Reason])
    message = serializers.CharField()


class PeoplePlanSerializer(WireSerializer):
    planId = serializers.CharField()
    kind = serializers.CharField()
    skipped = SkippedPersonSerializer(many=True, help_text="The first thousand; the count has all.")
    skippedCount = serializers.IntegerField()
    skippedReasons = serializers.DictField(child=serializers.IntegerField())
    notRegistered = serializers.IntegerField(help_text="So many of them Apple does not know yet.")


class InvitePlanSerializer(PeoplePlanSerializer):
    """What would come of it now. Kept for a day to be started with its planId."""

    invite = serializers.IntegerField(help_text="So many get an invitation by mail.")
    invitedBefore = serializers.IntegerField(help_text="So many of them get it once more.")


class ReturningSerializer(AvailableAfterSerializer):
    returned = serializers.IntegerField()
    staying = serializers.IntegerField(help_text="They stay with the people for good.")


class RetirePlanSerializer(PeoplePlanSerializer):
    """What would come of it now. Kept for a day to be started with its planId."""

    retire = serializers.IntegerField(help_text="So many people are retired.")
    licensesReturned = serializers.IntegerField()
    booksStaying = serializers.IntegerField(
        help_text="Books and other permanent licenses that stay with the people for good."
    )
    peopleKeepingBooks = serializers.IntegerField()
    grantsDropped = serializers.IntegerField(
        help_text="Licenses that were planned or waited for, and no longer are."
    )
    invitationsEnded = serializers.IntegerField()
    leftSource = serializers.IntegerField(
        help_text="So many of them are no longer in the owners' source."
    )
    availableAfter = ReturningSerializer(many=True)


def got_worse(name: str, plan: WireSerializer) -> serializers.Serializer[dict[str, object]]:
    return inline_serializer(
        name,
        {
            "errors": serializers.ListField(child=serializers.CharField(), min_length=1),
            "code": serializers.CharField(),
            "plan": plan,
        },
    )


INVITE_GOT_WORSE = got_worse("InvitePlanGotWorse", InvitePlanSerializer())
RETIRE_GOT_WORSE = got_worse("RetirePlanGotWorse", RetirePlanSerializer())
