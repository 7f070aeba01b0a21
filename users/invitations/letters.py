"""The mail of an invitation, in the person's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from organizations.models import OutgoingMail
from organizations.outbox import give_up, post_keyed
from users.invitations.links import url_of
from users.invitations.words import Person
from users.invitations.writing import Writer, language_of
from users.models import Invitation, InvitationSettings, VppUser
from vpp_accounts.models import VppAccount

KEY = "invitation:"
FEW = 40  # a class
BOUNCED = "The mail server refused this address"  # how the outbox begins such an error
OF_MAIL = ("The mail server", "This mail", "An error of ours")  # and any other of a mail


def address_of(user: VppUser) -> str:
    """Where mail reaches this person; empty where nobody knows."""
    return (user.owner.email if user.owner else "") or user.email


def key_of(invitation: Invitation) -> str:
    """Of the last mail that was written for it."""
    return f"{KEY}{invitation.pk}:{invitation.mails}"


def invitation_of(mail: OutgoingMail) -> int | None:
    """The invitation that a mail belongs to; None for any other mail."""
    return int(mail.key.split(":")[1]) if mail.key.startswith(KEY) else None


def post(invitations: Sequence[Invitation], *, account: VppAccount, reminder: bool) -> None:
    """Few of them go out at once; many let pass whatever else there is to be said."""
    is_bulk = len(invitations) > FEW
    chosen = InvitationSettings.of(account.organization_id)
    writer = Writer(account, chosen, reminder=reminder)
    letters = (
        (
            key_of(invitation),
            replace(
                writer.letter(
                    _person(invitation),
                    language=language_of(invitation.user, chosen),
                    until=invitation.expires_at,
                ),
                is_bulk=is_bulk,
            ),
        )
        for invitation in invitations
    )
    post_keyed(organization=account.organization, letters=letters)


def take_back(invitations: Iterable[Invitation], *, why: str) -> None:
    """Mails of these that are still to go out would lead nowhere."""
    keys: defaultdict[int, list[str]] = defaultdict(list)
    for invitation in invitations:
        keys[invitation.organization_id].append(key_of(invitation))
    for organization_id, theirs in keys.items():
        give_up(organization_id=organization_id, keys=theirs, why=why)


def _person(invitation: Invitation) -> Person:
    user = invitation.user
    name = user.owner.name if user.owner else user.name
    # Without a name of their own people are called by their address.
    return Person("" if "@" in name else name, address_of(user), url_of(invitation))
