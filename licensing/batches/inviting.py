"""Invitations on their way: the engine's step of mail, in which nothing is asked of Apple.

    planned -> sent        Apple has registered the person: the mail is written and waits to go out
               |-> succeeded   the mail server took it
               `-> failed      it did not, in its own words
    planned -> skipped     has accepted meanwhile, or nobody knows an address any more
            -> failed      Apple refused to register the person

What became of a mail is read from its own row, whoever brings the news: the hook of the mails, or a
turn of the engine where that was lost.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from licensing.batches.reasons import RETIRED_MEANWHILE, Reason
from licensing.batches.tallies import actor_of, tally
from licensing.batches.work import Work
from licensing.models import Batch, BatchItem, BatchKind, BatchState, ItemState
from organizations.bulk import returned
from organizations.models import OutgoingMail, Owner
from users.invitations.giving import give_out, mail
from users.invitations.letters import KEY
from users.invitations.news import note_mails
from users.models import Invitation, VppUser
from users.states import RETIRED
from vpp_accounts.models import VppAccount

AT_A_TIME = 500  # people in one transaction
LOOK = 5000  # items that are looked at together
PAUSE = 5.0  # seconds between two looks at all of them
LOOK_AGAIN = timedelta(minutes=5)  # for news of mails, and of people, that nobody brought
FORGOTTEN = "What became of the mail is not known any more. Send the invitation again."

ITEMS, PEOPLE = BatchItem._meta.db_table, VppUser._meta.db_table
Status = VppUser.AppleStatus

Item = tuple[int, int, str]  # id, batch, clientUserId
Decided = tuple[int, int, int, ItemState, str]  # id, batch, the person's id, what becomes of it
NOBODY = (0, Status.DELETED.value, False, False, False)  # of whom there is nothing left


class Invitee(NamedTuple):
    """What decides whether somebody who is to be invited can be, by now."""

    apple_status: str
    has_failed: bool
    has_code: bool
    has_address: bool


def plan_mail(person: Invitee) -> tuple[ItemState, str]:
    """What becomes of an invitation that is planned; it stays so until Apple has registered the person."""
    if person.apple_status in RETIRED:
        return ItemState.CANCELLED, RETIRED_MEANWHILE
    if person.apple_status == Status.ASSOCIATED:
        return ItemState.SKIPPED, Reason.ACCEPTED.sentence
    if person.has_failed and not person.apple_status:
        return ItemState.FAILED, Reason.REGISTRATION_FAILED.sentence
    if not person.has_address:
        return ItemState.SKIPPED, Reason.NO_ADDRESS.sentence
    return (ItemState.SENT if person.has_code else ItemState.PLANNED), ""


def send_next(work: Work) -> None:
    """Write to the next people who can be invited by now, now and then while Apple is at work."""
    if time.monotonic() - work.invited_at >= PAUSE:
        _look_on(work)


def send_all(work: Work) -> None:
    """Write to everybody who can be invited by now."""
    work.invited_up_to = 0
    while _look_on(work):
        work.show()


def _look_on(work: Work) -> bool:
    """Look at the next items, from the first to the last; whether there are more."""
    place = {"account": work.account.pk, "after": work.invited_up_to}
    window = returned(_WINDOW, place)
    due = [pk for pk, *_, state, _ in _decided(work.account, window) if state != ItemState.PLANNED]
    if due:
        _settle_these(work, due[:AT_A_TIME])
        work.invited_up_to = due[:AT_A_TIME][-1]
        return True
    work.invited_up_to = window[-1][0] if window else 0
    work.invited_at = work.invited_at if window else time.monotonic()
    return bool(window)


def _settle_these(work: Work, item_ids: list[int]) -> None:
    """One transaction: nobody can change these people or cancel their items meanwhile."""
    account, now = work.account, timezone.now()
    with work.hold.transaction():
        people = VppUser.objects.filter(account=account, client_user_id__in=_holders(item_ids))
        list(people.select_for_update(no_key=True).order_by("pk").values_list("pk"))
        rows = returned(_STILL, {"ids": item_ids})
        users: defaultdict[int, list[int]] = defaultdict(list)
        outcomes: defaultdict[tuple[ItemState, str], list[int]] = defaultdict(list)
        for item_id, batch_id, user_id, state, message in _decided(account, rows):
            if state == ItemState.SENT:
                users[batch_id].append(user_id)
            outcomes[state, message].append(item_id)
        outcomes.pop((ItemState.PLANNED, ""), None)  # they have to wait after all
        _write(account, users)
        for (state, message), ids in outcomes.items():
            items = BatchItem.objects.filter(pk__in=ids)
            items.update(state=state, message=message, changed_at=now)
    work.touched |= {batch_id for _, batch_id, _ in rows}


def _write(account: VppAccount, users: Mapping[int, list[int]]) -> None:
    batches = Batch.objects.filter(pk__in=users)
    for batch in batches.order_by("pk"):
        given = give_out(by=actor_of(batch), account=account, user_ids=users[batch.pk])
        mail(given, account=account)
    # Whatever holds up the work at Apple, these go on.
    batches.filter(state=BatchState.PAUSED).update(state=BatchState.RUNNING, reason="")


def _holders(item_ids: list[int]) -> list[str]:
    return list(BatchItem.objects.filter(pk__in=item_ids).values_list("holder", flat=True))


def _decided(account: VppAccount, items: Sequence[Item]) -> Iterator[Decided]:
    """The items with their person's id, and what becomes of them."""
    wanted = {"account": account.pk, "holders": [holder for _, _, holder in items]}
    people = {holder: facts for holder, *facts in returned(_PEOPLE, wanted)}
    for item_id, batch_id, holder in items:
        user_id, *facts = people.get(holder, NOBODY)
        yield (item_id, batch_id, user_id, *plan_mail(Invitee(*facts)))


def settle(account_id: int, holders: Sequence[str]) -> set[int]:
    """What the mail server made of their mails, as far as it is known; answers the batches."""
    news = {"account": account_id, "holders": list(holders), "now": timezone.now()}
    return {batch_id for (batch_id,) in returned(_SETTLE, news)}


def settle_all(account_id: int) -> set[int]:
    """The same of everybody who was written to, should nobody have brought news."""
    holders = [holder for (holder,) in returned(_ON_THE_WAY, {"account": account_id})]
    parts = [holders[start : start + LOOK] for start in range(0, len(holders), LOOK)]
    for part in parts:
        over = returned(_OVER, {"account": account_id, "holders": part})
        note_mails(OutgoingMail.objects.filter(pk__in=[pk for (pk,) in over]))
    return {batch_id for part in parts for batch_id in settle(account_id, part)}


def hear_of_mails(invitations: Iterable[Invitation]) -> None:
    """Mails of these are over: sent, or given up."""
    holders: defaultdict[int, list[str]] = defaultdict(list)
    for invitation in invitations:
        holders[invitation.account_id].append(invitation.user.client_user_id)
    for account_id, ids in holders.items():
        tally(settle(account_id, ids))


def look_again_at(account_id: int) -> datetime | None:
    """When to look after invitations that are under way, should nobody bring news; None without any."""
    under_way = BatchItem.objects.filter(
        account=account_id,
        kind=BatchKind.INVITE,
        licensed_app=None,
        state__in=(ItemState.PLANNED, ItemState.SENT),
    )
    return timezone.now() + LOOK_AGAIN if under_way.exists() else None


# All states of open items, since that is what the index of a person's items is about.
_INVITES = f"""
    account_id = %(account)s AND licensed_app_id IS NULL
    AND kind = '{BatchKind.INVITE}' AND state IN ('planned', 'sent', 'waiting')
"""

_WINDOW = f"""
    SELECT id, batch_id, holder FROM {ITEMS}
    WHERE {_INVITES} AND state = '{ItemState.PLANNED}' AND id > %(after)s
    ORDER BY id LIMIT {LOOK}
"""  # noqa: S608  table names are the models'

_STILL = f"""
    SELECT id, batch_id, holder FROM {ITEMS}
    WHERE id = ANY(%(ids)s) AND state = '{ItemState.PLANNED}'
    ORDER BY id FOR UPDATE
"""  # noqa: S608

_ON_THE_WAY = f"""
    SELECT holder FROM {ITEMS} WHERE {_INVITES} AND state = '{ItemState.SENT}'
"""  # noqa: S608

# By their names as one array, and no join with the items: PostgreSQL, which has not counted rows that
# are new, would look through all of them for each.
_PEOPLE = f"""
    SELECT person.client_user_id, person.id, person.apple_status, person.failure <> '',
           person.apple_status = '{Status.REGISTERED}' AND person.invite_code_digest <> '',
           coalesce(nullif(owner.email, ''), person.email) <> ''
    FROM {PEOPLE} AS person
    LEFT JOIN {Owner._meta.db_table} AS owner ON owner.id = person.owner_id
    WHERE person.account_id = %(account)s AND person.client_user_id = ANY(%(holders)s)
"""  # noqa: S608

# The mail is the last one of the person's last invitation that was mailed at all; there is none where
# it was forgotten.
_TOLD = f"""
    WITH told AS (
        SELECT item.id, mail.id AS mail_id, mail.sent_at IS NOT NULL AS went,
               coalesce(mail.error, '{FORGOTTEN}') AS error
        FROM {ITEMS} AS item
        JOIN {PEOPLE} AS person
          ON person.account_id = item.account_id AND person.client_user_id = item.holder
        LEFT JOIN LATERAL (
            SELECT id, mails FROM {Invitation._meta.db_table} AS one
            WHERE one.user_id = person.id AND one.mails > 0
            ORDER BY id DESC LIMIT 1) AS invitation ON true
        LEFT JOIN {OutgoingMail._meta.db_table} AS mail
          ON mail.organization_id = item.organization_id
         AND mail.key = '{KEY}' || invitation.id || ':' || invitation.mails
        WHERE item.account_id = %(account)s AND item.licensed_app_id IS NULL
          AND item.kind = '{BatchKind.INVITE}' AND item.state IN ('planned', 'sent', 'waiting')
          AND item.state = '{ItemState.SENT}' AND mail.next_attempt_at IS NULL
          AND item.holder = ANY(%(holders)s) AND person.client_user_id = ANY(%(holders)s))
"""  # noqa: S608

_OVER = f"{_TOLD} SELECT mail_id FROM told WHERE mail_id IS NOT NULL"  # noqa: S608

_SETTLE = f"""
    {_TOLD}, settled AS (
        UPDATE {ITEMS} AS item
        SET state = CASE WHEN told.went THEN '{ItemState.SUCCEEDED}' ELSE '{ItemState.FAILED}' END,
            message = CASE WHEN told.went THEN '' ELSE left(told.error, 300) END,
            changed_at = %(now)s
        FROM told WHERE item.id = told.id AND item.state = '{ItemState.SENT}'
        RETURNING item.batch_id)
    SELECT DISTINCT batch_id FROM settled
"""  # noqa: S608
