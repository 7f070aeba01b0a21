"""How an organization writes to the people it invites, over REST."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api import parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, query
from organizations.api.parameters import BadParameter
from organizations.logo import LARGEST_UPLOAD
from organizations.mime import sender_of
from organizations.models import Organization
from organizations.refusals import Conflict
from users.api.invitation_serializers import (
    LANGUAGES,
    MAILS,
    InvitationSettingsSerializer,
    SampleMailSerializer,
    SampleSerializer,
    TestMailSerializer,
    UpdateInvitationSettingsSerializer,
    UploadInvitationSettingsSerializer,
)
from users.invitations.samples import sample, send_sample, with_logo_inside
from users.models import InvitationSettings
from users.services.invitation_settings import InvitationDetails, edit_settings, logo_of
from vpp_accounts.models import VppAccount

TAG = "Invitations"
FIELDS = {
    "language": "language",
    "wording": "wording",
    "firstReminderDays": "first_reminder_days",
    "secondReminderDays": "second_reminder_days",
}


class NobodyInvites(Conflict):
    code = "no_vpp_account"

    def __init__(self) -> None:
        super().__init__("Invitations come from a VPP account, and there is none. Add one first.")


class InvitationSettingsApiView(OrganizationApiView):
    """How the organization writes is not a network's business."""

    organization_wide = True

    def account(self, wanted: str | int | None) -> VppAccount:
        """The one that is named, else the first."""
        accounts = VppAccount.objects.filter(organization=self.organization).order_by("name", "pk")
        found = (accounts if wanted is None else accounts.filter(pk=int(wanted))).first()
        if found:
            return found
        if wanted is None:
            raise NobodyInvites
        raise BadParameter("vppAccountId", "must be the id of a VPP account of this organization")

    def writing(self, language: str | None, mail: str) -> dict[str, Any]:
        """As the mail's writer takes them."""
        standard = InvitationSettings.of(self.organization.pk).language
        return {"language": language or standard, "reminder": mail == "reminder"}


class InvitationSettingsView(InvitationSettingsApiView):
    largest_body = LARGEST_UPLOAD + 64 * 1024  # what a form has around the file

    @operation(
        "getOrganizationSmInvitationSettings",
        "Show how people are written to",
        tag=TAG,
        answers={200: InvitationSettingsSerializer},
        description="Language, wording, logo and reminders of the mails that invite people.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(settings_json(self.organization))

    @operation(
        "updateOrganizationSmInvitationSettings",
        "Change how people are written to",
        tag=TAG,
        body={
            "application/json": UpdateInvitationSettingsSerializer,
            "multipart/form-data": UploadInvitationSettingsSerializer,
        },
        answers={200: InvitationSettingsSerializer},
        description="Fields that are not sent stay as they are. A logo is sent as a form. Mails that"
        " wait to be sent are as they were written.",
    )
    def put(self, request: Request, **path: str) -> Response:
        is_form = isinstance(request.data, QueryDict)
        takes = (
            UploadInvitationSettingsSerializer if is_form else UpdateInvitationSettingsSerializer
        )
        given = takes.checked(request)
        details = details_of(given, InvitationSettings.of(self.organization.pk))
        edit_settings(by=self.actor, organization=self.organization, details=details)
        return Response(settings_json(self.organization))


class InvitationPreviewView(InvitationSettingsApiView):
    @operation(
        "getOrganizationSmInvitationSettingsPreview",
        "Show an invitation mail as it would be sent",
        tag=TAG,
        answers={200: SampleMailSerializer},
        parameters=[
            query("vppAccountId", "Of which VPP account; without it, the first by name."),
            query("language", "Without it, the organization's.", enum=LANGUAGES),
            query("mail", "Default invitation.", enum=MAILS),
        ],
        description="Addressed to the admin as whom the key acts; nothing is sent. Refused with 409 and"
        " the code no_vpp_account where there is no VPP account.",
    )
    def get(self, request: Request, **path: str) -> Response:
        language = parameters.choice(request, "language", LANGUAGES)
        mail = parameters.choice(request, "mail", MAILS)
        account = self.account(parameters.row_id(request, "vppAccountId"))
        letter = sample(account, self.admin, **self.writing(language, mail))
        return Response(
            {
                "sender": "{} <{}>".format(*sender_of(letter.from_name)),
                "replyTo": letter.headers["Reply-To"],
                "to": letter.to,
                "subject": letter.subject,
                "text": letter.text,
                "html": with_logo_inside(letter.html, self.organization),
            }
        )


class TestMailView(InvitationSettingsApiView):
    @operation(
        "sendOrganizationSmInvitationSettingsTestMail",
        "Send yourself a test mail",
        tag=TAG,
        body=SampleSerializer,
        answers={200: TestMailSerializer},
        description="To the admin as whom the key acts and nobody else; the same at most once a minute.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = SampleSerializer.checked(request)
        account = self.account(given.get("vppAccountId"))
        writing = self.writing(given.get("language"), given["mail"])
        posted = send_sample(account, self.admin, **writing)
        return Response({"to": self.admin.email, "posted": posted})


def details_of(given: dict[str, Any], ours: InvitationSettings) -> InvitationDetails:
    said = {field: given.get(name, getattr(ours, field)) for name, field in FIELDS.items()}
    upload: UploadedFile[bytes] | None = given.get("logo")
    return InvitationDetails(
        **said,
        logo=upload.read() if upload is not None else None,
        remove_logo=given["removeLogo"],
    )


def settings_json(organization: Organization) -> dict[str, Any]:
    ours, logo = InvitationSettings.of(organization.pk), logo_of(organization)
    said = {name: getattr(ours, field) for name, field in FIELDS.items()}
    return said | {"logo": {"width": logo.width, "height": logo.height} if logo else None}
