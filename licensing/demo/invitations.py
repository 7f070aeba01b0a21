"""How the demo's people came to their accounts: most accepted long ago, some have not yet."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from licensing.demo.tenant import DEMO
from organizations.models import Owner
from users.invitations import giving
from users.invitations.letters import BOUNCED
from users.models import Invitation, VppUser, VppUserQuerySet
from vpp_accounts.models import VppAccount

Status = VppUser.AppleStatus
SCHOOL_BEGAN = 80  # days ago, when most of them were invited
NO_SUCH_USER = f"{BOUNCED}: 550 5.1.1 No such user here"


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


@transaction.atomic
def invite_some(account: VppAccount) -> None:
    """Whoever is associated has accepted an invitation; of the others each is another story."""
    if Invitation.objects.filter(account=account).exists():
        return
    people = VppUser.objects.filter(account=account).exclude(owner=None).order_by("email")
    _accept_all(people.filter(apple_status=Status.ASSOCIATED))
    waiting = list(people.filter(apple_status=Status.REGISTERED))
    # With a Managed Apple Account they would need no invitation.
    Owner.objects.filter(vpp_users__in=waiting).update(managed_apple_account="")
    VppUser.objects.filter(pk__in=[user.pk for user in waiting]).update(registered_at=ago(95))
    for number, user in enumerate(waiting):
        _tell(account, user, chapter=number)


def _tell(account: VppAccount, user: VppUser, *, chapter: int) -> None:
    match chapter:
        case 0:  # invited just now: this mail is in the demo's inbox
            giving.mail(
                giving.give_out(by=DEMO, account=account, user_ids=[user.pk]), account=account
            )
        case 2:  # long ago, and the person has not looked
            _invite(account, user, days=12)
        case 3:  # too long ago, and the person has noticed
            expired = {"expires_at": ago(4), "opened_at": ago(1), "asked_again_at": ago(1)}
            _invite(account, user, days=94, **expired)
        case 4:  # at an address that does not exist
            _invite(account, user, days=5, sent_at=None, last_sent_at=None, bounced_at=ago(5))
            VppUser.objects.filter(pk=user.pk).update(failure=NO_SUCH_USER)
        case 5:  # the person has looked, and went no further
            _invite(account, user, days=3, opened_at=ago(2))
        case _:  # nobody has invited them yet
            pass


def _invite(account: VppAccount, user: VppUser, *, days: float, **fields: Any) -> None:
    at = ago(days)
    (invitation,) = giving.give_out(by=DEMO, account=account, user_ids=[user.pk])
    told = {"created_at": at, "sent_at": at, "last_sent_at": at, "mails": 1} | fields
    Invitation.objects.filter(pk=invitation.pk).update(**told)
    VppUser.objects.filter(pk=user.pk).update(invited_at=at)


def _accept_all(people: VppUserQuerySet) -> None:
    chance = random.Random(1)  # noqa: S311  the same story each time, and no secret
    users = list(people)
    for user in users:
        user.registered_at = user.invited_at = ago(SCHOOL_BEGAN)
        user.associated_at = ago(SCHOOL_BEGAN - chance.uniform(0.1, 20))
    VppUser.objects.bulk_update(users, ["registered_at", "invited_at", "associated_at"])
    invitations = Invitation.objects.bulk_create([_accepted(user) for user in users])
    for invitation in invitations:
        invitation.created_at = ago(SCHOOL_BEGAN)
    Invitation.objects.bulk_update(invitations, ["created_at"])


def _accepted(user: VppUser) -> Invitation:
    return Invitation(
        organization_id=user.organization_id,
        account_id=user.account_id,
        user=user,
        actor_kind=DEMO.kind,
        actor_name=DEMO.name,
        mails=1,
        sent_at=user.invited_at,
        last_sent_at=user.invited_at,
        opened_at=user.associated_at,
        went_on_at=user.associated_at,
        ended_at=user.associated_at,
        ending=Invitation.Ending.ACCEPTED,
    )
