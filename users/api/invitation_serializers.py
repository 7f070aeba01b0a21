# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of invitation mails take and give."""

from __future__ import annotations

from django.conf import settings
from rest_framework import serializers

from organizations.api.serializers import WireSerializer
from users.services.invitation_settings import LONGEST_WORDING, MOST_DAYS

LANGUAGES = [code for code, _ in settings.PEOPLE_LANGUAGES]
MAILS = ["invitation", "reminder"]
FIRST = "Days from the invitation to the first reminder; null: there is none."
SECOND = "Days from the first reminder to the second; null: there is none."


class LogoSerializer(WireSerializer):
    """As it is shown in the mails, in pixels."""

    width = serializers.IntegerField()
    height = serializers.IntegerField()


class InvitationSettingsSerializer(WireSerializer):
    language = serializers.ChoiceField(
        LANGUAGES, help_text="Of the mails, for everybody who has no language of their own."
    )
    wording = serializers.CharField(
        allow_blank=True, help_text="What the organization says itself, above the button."
    )
    firstReminderDays = serializers.IntegerField(allow_null=True, help_text=FIRST)
    secondReminderDays = serializers.IntegerField(allow_null=True, help_text=SECOND)
    logo = LogoSerializer(allow_null=True)


class UpdateInvitationSettingsSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    fixed = frozenset({"logo"})

    language = serializers.ChoiceField(LANGUAGES, required=False)
    wording = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text=f"Plain text; at most {LONGEST_WORDING:,} characters.",
    )
    firstReminderDays = serializers.IntegerField(
        required=False, allow_null=True, help_text=f"1 to {MOST_DAYS}. {FIRST}"
    )
    secondReminderDays = serializers.IntegerField(
        required=False, allow_null=True, help_text=f"1 to {MOST_DAYS}. {SECOND}"
    )
    removeLogo = serializers.BooleanField(default=False)


class UploadInvitationSettingsSerializer(UpdateInvitationSettingsSerializer):
    """The same as a form, with the file of a logo."""

    fixed = frozenset()

    logo = serializers.FileField(
        required=False,
        allow_empty_file=True,  # refused in our own words
        help_text="PNG, JPEG, GIF or WebP, at most 5 MB; scaled down to 600 by 200 pixels.",
    )


class SampleSerializer(WireSerializer):
    """Which mail: without a field the first VPP account, the organization's language, an invitation."""

    vppAccountId = serializers.RegexField(
        r"\A[0-9]{1,18}\Z",
        required=False,
        error_messages={"invalid": "must be an id: digits only."},
        help_text="Of which VPP account; its name and address stand in the mail.",
    )
    language = serializers.ChoiceField(LANGUAGES, required=False)
    mail = serializers.ChoiceField(MAILS, default=MAILS[0])


class SampleMailSerializer(WireSerializer):
    """The mail as it would reach the admin as whom the key acts. Its link leads to a sample page."""

    sender = serializers.CharField(help_text="For example “North Campus <vpp@example.org>”.")
    replyTo = serializers.CharField()
    to = serializers.CharField()
    subject = serializers.CharField()
    text = serializers.CharField()
    html = serializers.CharField(help_text="With the logo inside.")


class TestMailSerializer(WireSerializer):
    to = serializers.CharField(help_text="The address of the admin as whom the key acts.")
    posted = serializers.BooleanField(
        help_text="False: the same test mail was posted less than a minute ago, and is not again."
    )
