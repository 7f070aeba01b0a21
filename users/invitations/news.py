"""What becomes of invitations: their mails, and the people's own steps."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from organizations.models import OutgoingMail
from users import hooks
from users.invitations.letters import BOUNCED, invitation_of, key_of, take_back
from users.models import Invitation, VppUser

Status, Ending = VppUser.AppleStatus, Invitation.Ending
NOT_SENT = "Retired before the mail was sent."


@transaction.atomic
def note_mails(mails: Iterable[OutgoingMail]) -> None:
    """Mails that the mail server took, or that were given up; others than invitations are skipped."""
    ours = [mail for mail in mails if invitation_of(mail)]
    if not ours:
        return
    now = timezone.now()
    about = Invitation.objects.filter(pk__in={invitation_of(mail) for mail in ours})
    # The people first, as all do who change both: or two of them wait for each other.
    people = VppUser.objects.filter(pk__in=about.values("user")).order_by("pk")
    list(people.select_for_update(no_key=True).values_list("pk"))
    sent = about.filter(pk__in={invitation_of(mail) for mail in ours if mail.sent_at})
    sent.update(sent_at=Coalesce("sent_at", now), last_sent_at=now, bounced_at=None)
    # What became of an earlier mail says nothing once another was written.
    given_up = {mail.key: mail.error for mail in ours if not mail.sent_at}
    outcomes = [(each, given_up.get(key_of(each), "")) for each in about.select_related("user")]
    for invitation, error in outcomes:
        if error:
            _note_failure(invitation.pk, error)
    hooks.invitations_mailed.send(Invitation, outcomes=outcomes)


def _note_failure(invitation_id: int, error: str) -> None:
    bounced = timezone.now() if error.startswith(BOUNCED) else None
    Invitation.objects.filter(pk=invitation_id).update(bounced_at=bounced)
    users = VppUser.objects.filter(invitations=invitation_id, apple_status=Status.REGISTERED)
    users.update(failure=error[:300])


def note_steps(account_id: int, client_user_ids: Collection[str] | None = None) -> None:
    """End the open invitations of people who have accepted or were retired meanwhile.

    Call it after their status has changed; without ids all of the account are looked at.
    """
    open_ = Invitation.objects.open().filter(account=account_id)
    if client_user_ids is not None:
        open_ = open_.filter(user__client_user_id__in=client_user_ids)
    over = timezone.now()
    accepted = Q(user__apple_status=Status.ASSOCIATED)
    retired = Q(user__apple_status__in=[Status.RETIRED, Status.DELETED])
    for condition, ending in ((accepted, Ending.ACCEPTED), (retired, Ending.RETIRED)):
        ended = open_.filter(condition).update(ended_at=over, ending=ending, asked_again_at=None)
        if ended and ending == Ending.RETIRED:
            ours = Invitation.objects.filter(account=account_id, ending=ending, ended_at=over)
            take_back(ours, why=NOT_SENT)
