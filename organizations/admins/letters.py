"""The mail that invites an admin. It says the same to those who are known here and to others."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils import formats

from organizations import outbox
from organizations.admins.links import url_of
from organizations.admins.rights import facts
from organizations.admins.states import expires_at
from organizations.models import Membership
from organizations.outbox import Letter
from organizations.signin import single


def post(membership: Membership) -> None:
    outbox.post_keyed(
        organization=membership.organization, letters=[(key_of(membership), letter(membership))]
    )


def give_up(membership: Membership) -> None:
    """A mail that has not gone out yet would invite to nothing."""
    outbox.give_up(
        organization_id=membership.organization_id,
        keys=[key_of(membership)],
        why="The invitation was withdrawn.",
    )


def key_of(membership: Membership) -> str:
    moment = membership.invited_at
    return f"admin_invitation:{membership.pk}:{moment.isoformat() if moment else ''}"


def letter(membership: Membership) -> Letter:
    organization = membership.organization
    subject = f"Invitation to {organization.name} on VPP Dashboard"
    context = {
        "subject": subject,
        "organization": organization,
        "invited_by": membership.invited_by,
        "told": told(membership),
        "single_sign_on": sign_in_url(membership) != "",
        "link": url_of(membership),
        "until": formats.date_format(
            expires_at(membership).astimezone(organization.zone), "j M Y H:i"
        ),
        "zone": organization.zone,
    }
    text, html = (
        render_to_string(f"mail/admin_invitation.{kind}", context) for kind in ("txt", "html")
    )
    return Letter(membership.admin.email, subject, text, html)


def sign_in_url(membership: Membership) -> str:
    """Where they must sign in, and thereby accept; empty where a password does."""
    organization = membership.organization
    return single.sign_in_url(organization) if organization.requires_single_sign_on else ""


def told(membership: Membership) -> list[tuple[str, str]]:
    """What they may do, in words."""
    given = facts(membership)
    lines = [
        ("Organization access", membership.get_access_display()),
        ("Networks", ", ".join(given["networks"])),
        ("Networks tagged", ", ".join(given["networkTags"])),
    ]
    return [(label, text) for label, text in lines if text]
