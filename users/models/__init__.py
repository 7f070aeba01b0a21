"""People of VPP accounts, their invitations, and the files that they come from."""

from users.models.imports import ImportRow, PeopleImport
from users.models.invitations import Invitation, InvitationSettings
from users.models.people import VppUser, VppUserQuerySet

__all__ = [
    "ImportRow",
    "Invitation",
    "InvitationSettings",
    "PeopleImport",
    "VppUser",
    "VppUserQuerySet",
]
