"""People on their way to Apple: what is said of them, and reading back what Apple made of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from licensing.batches.plans import Sent
from licensing.batches.reasons import Reason
from licensing.batches.work import ListOfPeople, Work
from licensing.models import OPEN_ITEMS, Assignment, BatchItem, BatchKind, ItemState
from organizations.bulk import execute, returned
from users import records
from users.models import VppUser
from vpp_accounts.apple.chunks import ManageUsers, RequestUser
from vpp_accounts.apple.errors import VersionNotFound
from vpp_accounts.apple.types import ClientUser
from vpp_accounts.models import VppAccount

ONE_BY_ONE = 20  # people read by their ids; more are read with the list of those who changed
READ_AGAIN = timedelta(seconds=5)  # who is registered shows in that list a little later
ITEMS, ACCOUNTS = BatchItem._meta.db_table, VppAccount._meta.db_table
PEOPLE = VppUser._meta.db_table
Status = VppUser.AppleStatus
ACTIVE = (Status.REGISTERED, Status.ASSOCIATED)
OPEN = tuple(str(state) for state in OPEN_ITEMS)


class Person(NamedTuple):
    """Somebody as Apple knows them, and what is said of them here."""

    status: str
    email: str
    said_email: str = ""
    managed_apple_account: str = ""
    tell_again: bool = False  # something else has been said since Apple was told


def requested(account: VppAccount, holders: Sequence[str], *, with_facts: bool) -> ManageUsers:
    """The request for these people; to retire them their ids are all that Apple wants."""
    if not with_facts:
        return ManageUsers(tuple(RequestUser(holder) for holder in holders))
    known = _people(account, holders)
    users = []
    for holder in holders:
        person = known.get(holder, Person("", ""))
        email, managed = person.said_email or person.email, person.managed_apple_account
        users.append(RequestUser(holder, email or None, managed or None))
    return ManageUsers(tuple(users))


def _people(account: VppAccount, holders: Sequence[str]) -> dict[str, Person]:
    rows = VppUser.objects.filter(account=account, client_user_id__in=holders)
    facts = ("client_user_id", "apple_status", "email")
    said = ("owner__email", "owner__managed_apple_account", "tell_again")
    return {
        holder: Person(status, email, said_email or "", managed or "", tell_again)
        for holder, status, email, said_email, managed, tell_again in rows.values_list(
            *facts, *said
        )
    }


def done_among(work: Work, items: Sequence[Sent], *, sent_at: datetime) -> set[int]:
    """Who is as was asked for, now that we know what Apple's own list says of them."""
    holders = [item.holder for item in items]
    kind = BatchItem.objects.filter(pk=items[0].id).values_list("kind", flat=True).get()
    told, as_of = _read_back(work, kind, holders, sent_at)
    with work.hold.transaction():
        records.keep(work.account, told, as_of=as_of)
    known = _people(work.account, holders)
    return {item.id for item in items if item.holder in known and is_done(kind, known[item.holder])}


def is_done(kind: str, person: Person) -> bool:
    """Whether somebody is what a batch of this kind wants to make of them."""
    is_active = person.status in ACTIVE
    if kind != BatchKind.UPDATE:
        return is_active == (kind == BatchKind.REGISTER)
    is_tied = not person.managed_apple_account or person.status == Status.ASSOCIATED
    is_reached = not person.said_email or person.email.lower() == person.said_email.lower()
    return is_active and (person.tell_again or (is_tied and is_reached))


def _read_back(
    work: Work, kind: str, holders: Sequence[str], sent_at: datetime
) -> tuple[list[ClientUser], datetime]:
    """Apple's records of them, and when it was asked; who is left out is as the last sync saw them."""
    now = timezone.now()
    if len(holders) <= ONE_BY_ONE:
        rows = (u for each in holders for u in work.client.users(client_user_id=each).rows())
        return list(_by_id(rows).values()), now
    if not _tells_enough(work.people, kind, holders, sent_at):
        changed = _by_id(_changed_lately(work))
        work.people = ListOfPeople(now, timezone.now(), changed)
    known = work.people.records
    return [known[holder] for holder in holders if holder in known], work.people.asked_at


def _tells_enough(
    people: ListOfPeople, kind: str, holders: Sequence[str], sent_at: datetime
) -> bool:
    """Whether the list as it was read last will do: at Apple's pace that of fifty thousand takes
    seven seconds, and read for each request anew it would take an hour."""
    now = timezone.now()
    if kind != BatchKind.REGISTER:
        return now - people.read_at <= READ_AGAIN
    if people.asked_at >= sent_at:
        found = (people.records.get(holder) for holder in holders)
        if all(user and user.status in ACTIVE for user in found):
            return True
    return now - people.asked_at <= READ_AGAIN


def _changed_lately(work: Work) -> list[ClientUser]:
    """Those of whom the last sync does not know: one list for all who are being registered."""
    version = work.account.users_version
    try:
        return list(work.client.users(since_version_id=version or None).rows())
    except VersionNotFound:
        return list(work.client.users().rows())


def _by_id(users: Iterable[ClientUser]) -> dict[str, ClientUser]:
    """Of several records of one person the active one."""
    active_last = sorted(users, key=lambda user: user.status in ACTIVE)
    return {user.client_user_id: user for user in active_last}


def note_failures(account_id: int, item_ids: Collection[int]) -> set[int]:
    """What Apple refused to learn of people among these is said on the people; what waited for them
    to be registered ends. Answers the batches of that."""
    theirs = {"account": account_id, "ids": list(item_ids)}
    returned(_LOCK, theirs)
    execute(_FAILURES, theirs)
    failed = BatchItem.objects.filter(pk__in=item_ids, state=ItemState.FAILED)
    unknown = list(failed.filter(kind=BatchKind.REGISTER).values_list("holder", flat=True))
    return _end_grants(account_id, unknown) if unknown else set()


def _end_grants(account_id: int, holders: list[str]) -> set[int]:
    message = Reason.REGISTRATION_FAILED.sentence
    rows = returned(_END_GRANTS, {"account": account_id, "holders": holders, "message": message})
    return {batch_id for (batch_id,) in rows}


def note_known(account_id: int, item_ids: Collection[int]) -> None:
    """Apple knows them already (9716), as we learn only now; the next sync brings the rest."""
    returned(_LOCK, {"account": account_id, "ids": list(item_ids)})
    known = BatchItem.objects.filter(pk__in=item_ids, kind=BatchKind.REGISTER).values("holder")
    users = VppUser.objects.filter(account=account_id, client_user_id__in=known, apple_status="")
    users.update(apple_status=Status.REGISTERED, registered_at=timezone.now(), failure="")


# In the order in which everybody locks them.
_LOCK = f"""
    SELECT id FROM {PEOPLE} WHERE account_id = %(account)s AND client_user_id IN (
        SELECT holder FROM {ITEMS} WHERE id = ANY(%(ids)s) AND licensed_app_id IS NULL)
    ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608  table names are the models'

_FAILURES = f"""
    UPDATE {PEOPLE} AS person SET failure = item.message
    FROM {ITEMS} AS item
    WHERE item.id = ANY(%(ids)s) AND item.state = '{ItemState.FAILED}'
      AND item.kind IN ('{BatchKind.REGISTER}', '{BatchKind.UPDATE}')
      AND person.account_id = %(account)s AND person.client_user_id = item.holder
      AND person.apple_status NOT IN ('{Status.RETIRED}', '{Status.DELETED}')
"""  # noqa: S608  table names are the models'

_END_GRANTS = f"""
    WITH ended AS (
        UPDATE {ITEMS} SET state = '{ItemState.FAILED}', message = %(message)s, changed_at = now()
        WHERE organization_id = (SELECT organization_id FROM {ACCOUNTS} WHERE id = %(account)s)
          AND account_id = %(account)s AND holder = ANY(%(holders)s)
          AND kind = '{BatchKind.GRANT}'
          AND holder_kind = '{Assignment.HolderKind.USER}'
          AND state IN ('{ItemState.PLANNED}', '{ItemState.WAITING}')
        RETURNING batch_id)
    SELECT DISTINCT batch_id FROM ended
"""  # noqa: S608


def unregistered_but_wanted(account: VppAccount) -> list[int]:
    """People whom a license or an invitation waits for and whom nobody registers: that was cancelled."""
    return [pk for (pk,) in returned(_UNREGISTERED_BUT_WANTED, {"account": account.pk})]


def to_be_told_again(account: VppAccount) -> list[int]:
    """People of whom something was said while Apple was being told of them, and that is over."""
    return [pk for (pk,) in returned(_TO_BE_TOLD_AGAIN, {"account": account.pk})]


# EXCEPT, since NOT EXISTS becomes a loop in a loop where PostgreSQL has not counted the rows yet.
_UNREGISTERED_BUT_WANTED = f"""
    SELECT id FROM {PEOPLE}
    WHERE account_id = %(account)s AND apple_status = '' AND failure = '' AND client_user_id IN (
        SELECT holder FROM {ITEMS}
        WHERE account_id = %(account)s AND state = '{ItemState.PLANNED}'
          AND kind IN ('{BatchKind.GRANT}', '{BatchKind.INVITE}')
          AND holder_kind = '{Assignment.HolderKind.USER}'
        EXCEPT
        SELECT holder FROM {ITEMS}
        WHERE account_id = %(account)s AND kind = '{BatchKind.REGISTER}'
          AND licensed_app_id IS NULL AND state IN {OPEN})
"""  # noqa: S608

_TO_BE_TOLD_AGAIN = f"""
    SELECT id FROM {PEOPLE} WHERE account_id = %(account)s AND client_user_id IN (
        SELECT client_user_id FROM {PEOPLE}
        WHERE account_id = %(account)s AND tell_again
          AND apple_status IN ('{Status.REGISTERED}', '{Status.ASSOCIATED}')
        EXCEPT
        SELECT holder FROM {ITEMS}
        WHERE account_id = %(account)s AND kind = '{BatchKind.UPDATE}'
          AND licensed_app_id IS NULL AND state IN {OPEN})
"""  # noqa: S608
