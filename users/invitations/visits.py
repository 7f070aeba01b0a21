"""Somebody opens the link of an invitation: how things stand, and what is noted of it.

Opening a link, a preview or a HEAD request uses nothing up and ends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from django.utils import timezone

from organizations.models import Logo, Organization
from users.invitations import links
from users.invitations.writing import language_of
from users.models import Invitation, InvitationSettings, VppUser
from users.models.invitations import InvitationQuerySet
from vpp_accounts.models import VppAccount

Status, Ending = VppUser.AppleStatus, Invitation.Ending


class Stage(StrEnum):
    """What the page behind a link has to say."""

    OPEN = "open"
    TEST = "test"
    NOT_YET = "not_yet"  # Apple does not know the person yet
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    RETIRED = "retired"
    REPLACED = "replaced"  # there is a newer link
    GONE = "gone"  # there is no such invitation any more
    CLOSED = "closed"  # the organization is suspended or deleted: nothing of it is available


# Who comes so far with a link that leads nowhere may want a new one.
OVER = {Stage.ACCEPTED, Stage.EXPIRED, Stage.WITHDRAWN, Stage.RETIRED, Stage.REPLACED}


@dataclass
class Visit:
    """A link of ours, and what it leads to."""

    token: str
    stage: Stage
    invitation: Invitation | None = None
    account: VppAccount | None = None

    @property
    def organization(self) -> Organization | None:
        return self.account.organization if self.account else None

    @property
    def is_over(self) -> bool:
        return self.stage in OVER

    @property
    def accepted_at(self) -> datetime | None:
        if self.invitation is None:
            return None
        return self.invitation.ended_at or self.invitation.user.associated_at

    @property
    def apples_page(self) -> str:
        """Where an open invitation leads to."""
        if self.stage != Stage.OPEN or self.invitation is None:
            return ""
        return links.apples_page(self.invitation.account, self.invitation.user)

    @cached_property
    def logo(self) -> Logo | None:
        """Its size; the picture itself has an address of its own."""
        return Logo.objects.defer("png").filter(organization=self.organization).first()

    @cached_property
    def has_asked(self) -> bool:
        if self.invitation is None:
            return False
        return _theirs(self.invitation).exclude(asked_again_at=None).exists()

    @property
    def language(self) -> str:
        """In which we write to this person."""
        if self.account is None:
            return ""
        chosen = InvitationSettings.of(self.account.organization_id)
        return language_of(self.invitation.user, chosen) if self.invitation else chosen.language


def visit_of(token: str) -> Visit | None:
    """None where we did not make this link."""
    if account := links.sample_of(token):
        return _unless_closed(Visit(token, Stage.TEST, account=account))
    if not links.is_ours(token):
        return None
    invitation, is_newest = links.find(token)
    if invitation is None:
        return Visit(token, Stage.GONE)
    stage = _stage_of(invitation, is_newest=is_newest)
    return _unless_closed(Visit(token, stage, invitation, invitation.account))


def _unless_closed(visit: Visit) -> Visit:
    """In the place of every stage, so that nothing can be done with the link meanwhile."""
    if visit.organization and not visit.organization.is_open:
        visit.stage = Stage.CLOSED
    return visit


def note_opened(visit: Visit) -> None:
    """The page was looked at, for the first time."""
    if visit.stage in (Stage.OPEN, Stage.NOT_YET) and visit.invitation:
        _note(visit.invitation, "opened_at")


def note_went_on(visit: Visit) -> None:
    """They went on to Apple's page, for the first time; so they have seen ours, too."""
    if visit.stage == Stage.OPEN and visit.invitation:
        _note(visit.invitation, "opened_at")
        _note(visit.invitation, "went_on_at")


def _note(invitation: Invitation, field: str) -> None:
    if getattr(invitation, field) is None:
        still = Invitation.objects.filter(pk=invitation.pk, **{field: None})
        still.update(**{field: timezone.now()})


def _stage_of(invitation: Invitation, *, is_newest: bool) -> Stage:
    user = invitation.user
    is_associated = user.apple_status == Status.ASSOCIATED
    if invitation.ending == Ending.ACCEPTED and is_associated:
        return Stage.ACCEPTED
    if not is_newest or (not invitation.is_open and _theirs(invitation).open().exists()):
        return Stage.REPLACED
    if is_associated:
        return Stage.ACCEPTED
    # Who has accepted and is not tied any more was retired, whatever came after that.
    if invitation.ending in (Ending.ACCEPTED, Ending.RETIRED) or user.is_retired:
        return Stage.RETIRED
    if not invitation.is_open:
        return Stage.WITHDRAWN
    if invitation.is_expired:
        return Stage.EXPIRED
    return Stage.OPEN if user.invite_code else Stage.NOT_YET


def _theirs(invitation: Invitation) -> InvitationQuerySet:
    return Invitation.objects.filter(user=invitation.user_id)
