"""Giving invitations out: set-based, inside the transaction of whoever asks for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from organizations import audit
from organizations.audit import Actor
from users.invitations import letters
from users.models import Invitation, VppUser
from users.models.invitations import end_of_validity
from vpp_accounts.models import VppAccount

OF_MAIL = reduce(or_, (Q(failure__startswith=begin) for begin in letters.OF_MAIL))
# Who can be invited: Apple knows them, and has no Apple Account for them yet.
CAN_ACCEPT = Q(apple_status=VppUser.AppleStatus.REGISTERED)
NOT_SENT = "Withdrawn before the mail was sent."


def give_out(*, by: Actor, account: VppAccount, user_ids: Collection[int]) -> list[Invitation]:
    """An open invitation for each of these who can accept one: theirs, valid anew, or a new one."""
    users = VppUser.objects.filter(CAN_ACCEPT, account=account, pk__in=user_ids)
    ids = list(users.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    open_ = Invitation.objects.open().filter(user__in=ids)
    open_.update(expires_at=end_of_validity())
    asked = Invitation.objects.filter(user__in=ids).exclude(asked_again_at=None)
    asked.update(asked_again_at=None)
    have = set(open_.values_list("user", flat=True))
    Invitation.objects.bulk_create(
        [
            Invitation(
                organization_id=account.organization_id,
                account=account,
                user_id=user_id,
                actor_kind=by.kind,
                actor_id=by.id,
                actor_name=by.name[:254],
            )
            for user_id in ids
            if user_id not in have
        ],
        batch_size=2000,
    )
    users = VppUser.objects.filter(pk__in=ids)
    users.update(invited_at=timezone.now())
    users.filter(OF_MAIL).update(failure="")  # what Apple refused is as it was
    return list(open_.select_related("user__owner").order_by("user"))


def mail(invitations: Sequence[Invitation], *, account: VppAccount, reminder: bool = False) -> int:
    """Write to these people; answers to how many. Who has no address gets nothing."""
    reached = [each for each in invitations if letters.address_of(each.user)]
    ours = Invitation.objects.filter(pk__in=[each.pk for each in reached])
    ours.update(
        mails=F("mails") + 1,
        reminders=F("reminders") + int(reminder),
        bounced_at=None,
    )
    written = dict(ours.values_list("pk", "mails"))  # now that nobody else can count them up
    for each in reached:
        each.mails = written[each.pk]
    letters.post(reached, account=account, reminder=reminder)
    return len(reached)


@transaction.atomic
def withdraw(*, by: Actor, invitation: Invitation) -> bool:
    """Its links lead nowhere from here on; whether it was still open."""
    now = timezone.now()
    # The person first, as all do who change both: or two of them wait for each other.
    VppUser.objects.select_for_update(no_key=True).filter(pk=invitation.user_id).first()
    open_ = Invitation.objects.open().filter(pk=invitation.pk)
    if not open_.update(ended_at=now, ending=Invitation.Ending.WITHDRAWN, asked_again_at=None):
        return False
    letters.take_back(Invitation.objects.filter(pk=invitation.pk), why=NOT_SENT)
    VppUser.objects.filter(pk=invitation.user_id).update(invited_at=None)
    audit.record(
        "invitation.withdrawn",
        by=by,
        organization=invitation.organization,
        target=invitation.user,
    )
    return True


@transaction.atomic
def renew_link(*, by: Actor, invitation: Invitation) -> None:
    """Another link; whoever has an earlier one can do nothing with it any more."""
    open_ = Invitation.objects.open().filter(pk=invitation.pk)
    if open_.update(generation=F("generation") + 1, expires_at=end_of_validity()):
        invitation.refresh_from_db(fields=["generation", "expires_at"])
        audit.record(
            "invitation.link_renewed",
            by=by,
            organization=invitation.organization,
            target=invitation.user,
        )


def ask_again(invitation: Invitation) -> None:
    """The person wants a new link, whatever became of theirs; admins see it in the list."""
    newest = Invitation.objects.filter(user=invitation.user_id).order_by("-pk")[:1]
    Invitation.objects.filter(pk__in=newest.values("pk"), asked_again_at=None).update(
        asked_again_at=timezone.now()
    )
