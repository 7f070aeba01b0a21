"""What other rows say of a person, emptied: mails, invitations, batches, plans, files, news of
Apple, events for webhooks.

Call all of it in a transaction. What stays is what stands for nobody by itself: the ids under which
Apple knows them, and when something happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from licensing.holders import USER
from licensing.models import Batch, BatchItem, BatchPlan
from organizations.models import EventKind, OutgoingMail, Owner, WebhookEvent
from users.invitations.letters import KEY
from users.models import ImportRow, Invitation, VppUser
from vpp_accounts.apple.discreet import without_people
from vpp_accounts.models import Notification, VppAccount

NOBODY = "An erased person"
ERASED = "Erased on request."
BLANK: dict[str, Any] = dict.fromkeys(
    ("name", "email", "failure", "id_hash", "invite_code_ciphertext", "invite_code_digest"), ""
)


def empty(account: VppAccount, users: Sequence[VppUser], owner: Owner) -> None:
    """Everything in one account but what Apple has to be told of them."""
    names = {name for user in users for name in (user.name, str(user))}
    names |= {owner.name, owner.email} - {""}
    _forget_invitations(users)
    _empty_batches(account, users, names)
    _empty_notifications(account, users)
    _forget_events(account, users, names)
    VppUser.objects.filter(pk__in=[user.pk for user in users]).update(
        **BLANK, owner=None, tell_again=False, erased_at=timezone.now()
    )


def _forget_invitations(users: Sequence[VppUser]) -> None:
    """With their mails: the links lead nowhere from here on."""
    theirs = Invitation.objects.filter(user__in=users)
    OutgoingMail.objects.filter(mails_of(theirs.values_list("pk", flat=True))).delete()
    theirs.delete()


def mails_of(invitation_ids: Iterable[int]) -> Q:
    keys = (Q(key__startswith=f"{KEY}{pk}:") for pk in invitation_ids)
    return reduce(or_, keys, Q(pk=None))


def _empty_batches(account: VppAccount, users: Sequence[VppUser], names: set[str]) -> None:
    ours = {
        "organization": account.organization_id,
        "account": account,
        "holder_kind": USER,
        "holder__in": [user.client_user_id for user in users],
    }
    items = BatchItem.objects.filter(**ours)
    about_them = Batch.objects.filter(account=account, pk__in=items.values("batch"))
    about_them.filter(about__in=names).update(about=NOBODY)
    about_them.filter(_says("why", names)).update(why="")
    items.exclude(message="").update(message="")
    for user in users:
        BatchPlan.objects.filter(account=account, request__users=[user.pk]).delete()


def _says(column: str, names: set[str]) -> Q:
    """Anything that somebody wrote in their own words, too; an empty set says nothing."""
    return reduce(or_, (Q(**{f"{column}__icontains": name}) for name in names), Q(pk=None))


def _empty_notifications(account: VppAccount, users: Sequence[VppUser]) -> None:
    """Those that were never understood: of all others nothing is kept once they are handled."""
    told = Notification.objects.filter(account=account, handled_at=None)
    for user in users:
        about = told.alias(text=Cast("payload", TextField())).filter(
            text__contains=f'"{user.client_user_id}"'
        )
        for notification in about:
            notification.payload = without_people(notification.payload)
            notification.save(update_fields=["payload"])


def _forget_events(account: VppAccount, users: Sequence[VppUser], names: set[str]) -> None:
    """What webhooks were told, with what their receivers answered."""
    told = WebhookEvent.objects.filter(organization=account.organization_id)
    ids = [str(user.pk) for user in users]
    accepted = Q(kind=EventKind.USER_ASSOCIATED, payload__userId__in=ids)
    named = Q(kind=EventKind.BATCH_FINISHED, payload__about__in=sorted(names))
    told.filter(accepted | named).delete()


def empty_import_rows(owner: Owner) -> None:
    """In files of the last days. One that waits to be confirmed leaves them out."""
    theirs = Q(owner_id=owner.pk)
    if owner.email:
        theirs |= Q(email__iexact=owner.email)
    rows = ImportRow.objects.filter(theirs, organization=owner.organization_id)
    rows.update(
        **dict.fromkeys(("name", "email", "username", "tags", "managed_apple_account"), ""),
        verdict=ImportRow.Verdict.ERROR,
        message=ERASED,
        owner_id=None,
    )
