"""Addresses of the people's part of the API, without trailing slashes (see vpp_dashboard)."""

from django.urls import path

from organizations.api.urls import ORGANIZATION
from users.api.imports import (
    CancelOwnerImportView,
    ConfirmOwnerImportView,
    OwnerImportRowsView,
    OwnerImportsView,
    OwnerImportView,
)
from users.api.invitation_settings import (
    InvitationPreviewView,
    InvitationSettingsView,
    TestMailView,
)
from users.api.owners import MergeOwnerView, OwnersView, OwnerView

OWNERS = f"{ORGANIZATION}/sm/owners"
OWNER = f"{OWNERS}/<row:ownerId>"
IMPORT = f"{OWNERS}/imports/<uuid:importId>"
INVITATIONS = f"{ORGANIZATION}/sm/invitationSettings"

urlpatterns = [
    path(OWNERS, OwnersView.as_view()),
    path(OWNER, OwnerView.as_view()),
    path(f"{OWNER}/merge", MergeOwnerView.as_view()),
    path(f"{OWNERS}/imports", OwnerImportsView.as_view()),
    path(IMPORT, OwnerImportView.as_view()),
    path(f"{IMPORT}/rows", OwnerImportRowsView.as_view()),
    path(f"{IMPORT}/confirm", ConfirmOwnerImportView.as_view()),
    path(f"{IMPORT}/cancel", CancelOwnerImportView.as_view()),
    path(INVITATIONS, InvitationSettingsView.as_view()),
    path(f"{INVITATIONS}/preview", InvitationPreviewView.as_view()),
    path(f"{INVITATIONS}/testMail", TestMailView.as_view()),
]
