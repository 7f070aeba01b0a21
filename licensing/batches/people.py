"""People on their way to Apple: registering them, and reading back what Apple made of it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence

from django.db.models import Exists, OuterRef

from licensing.batches.plans import Sent
from licensing.batches.reasons import Reason
from licensing.batches.work import Work
from licensing.bulk import returned
from licensing.models import Assignment, BatchItem, BatchKind, ItemState
from users.models import VppUser
from vpp_accounts.apple.chunks import ManageUsers, RequestUser
from vpp_accounts.apple.errors import VersionNotFound
from vpp_accounts.apple.types import ClientUser
from vpp_accounts.models import VppAccount

ONE_BY_ONE = 20  # people read by their ids; more are read with the list of those who changed
READ_AGAIN = 5.0  # seconds: who is registered shows in that list a little later
ITEMS, ACCOUNTS = BatchItem._meta.db_table, VppAccount._meta.db_table


def requested(account: VppAccount, holders: Sequence[str], *, with_facts: bool) -> ManageUsers:
    """The request for these people; to retire them their ids are all that Apple wants."""
    if not with_facts:
        return ManageUsers(tuple(RequestUser(holder) for holder in holders))
    rows = VppUser.objects.filter(account=account, client_user_id__in=holders)
    known = {
        client_user_id: (email, managed)
        for client_user_id, email, managed in rows.values_list(
            "client_user_id", "email", "owner__managed_apple_account"
        )
    }
    users = []
    for holder in holders:
        email, managed = known.get(holder, ("", None))
        users.append(RequestUser(holder, email or None, managed or None))
    return ManageUsers(tuple(users))


def done_among(work: Work, items: Sequence[Sent]) -> set[int]:
    """Who is as was asked for, by Apple's own list; what it says of them is kept."""
    records = _read_back(work, [item.holder for item in items])
    _keep(work.account, records.values())
    retiring = set(
        BatchItem.objects.filter(
            pk__in=[item.id for item in items], kind=BatchKind.RETIRE
        ).values_list("pk", flat=True)
    )
    active = {
        holder for holder, user in records.items() if user.status in ("Registered", "Associated")
    }
    return {item.id for item in items if (item.holder in active) != (item.id in retiring)}


def _read_back(work: Work, holders: Sequence[str]) -> dict[str, ClientUser]:
    if len(holders) <= ONE_BY_ONE:
        return _by_id(u for each in holders for u in work.client.users(client_user_id=each).rows())
    read_at, known = work.people
    if time.monotonic() - read_at > READ_AGAIN:
        known = _by_id(_changed_lately(work))
        work.people = (time.monotonic(), known)
    return {holder: known[holder] for holder in holders if holder in known}


def _changed_lately(work: Work) -> list[ClientUser]:
    """Those of whom the last sync does not know: one list for all who are being registered."""
    version = work.account.users_version
    try:
        return list(work.client.users(since_version_id=version or None).rows())
    except VersionNotFound:
        return list(work.client.users().rows())


def _by_id(users: Iterable[ClientUser]) -> dict[str, ClientUser]:
    """Of several records of one person the active one."""
    active_last = sorted(users, key=lambda user: user.status in ("Registered", "Associated"))
    return {user.client_user_id: user for user in active_last}


def _keep(account: VppAccount, records: Iterable[ClientUser]) -> None:
    by_id = {record.client_user_id: record for record in records}
    users = list(VppUser.objects.filter(account=account, client_user_id__in=by_id))
    for user in users:
        record = by_id[user.client_user_id]
        user.apple_status, user.failure = record.status[:20], ""
        user.email = (record.email or user.email)[:254]
        user.id_hash = (record.id_hash or "")[:64]
    VppUser.objects.bulk_update(
        users, ["apple_status", "failure", "email", "id_hash"], batch_size=500
    )


def note_failures(account_id: int, item_ids: Collection[int]) -> set[int]:
    """Registrations among these failed: say why on the person, and end what waited for them."""
    failed = BatchItem.objects.filter(
        pk__in=item_ids, kind=BatchKind.REGISTER, state=ItemState.FAILED
    )
    reasons = dict(failed.values_list("holder", "message"))
    users = list(VppUser.objects.filter(account=account_id, client_user_id__in=reasons))
    for user in users:
        user.failure = reasons[user.client_user_id]
    VppUser.objects.bulk_update(users, ["failure"], batch_size=500)
    return _end_grants(account_id, list(reasons)) if reasons else set()


def note_known(account_id: int, item_ids: Collection[int]) -> None:
    """Apple knows them already (9716), as we learn only now; the next sync brings the rest."""
    known = BatchItem.objects.filter(pk__in=item_ids, kind=BatchKind.REGISTER).values("holder")
    users = VppUser.objects.filter(account=account_id, client_user_id__in=known, apple_status="")
    users.update(apple_status=VppUser.AppleStatus.REGISTERED, failure="")


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
"""  # noqa: S608  table names are the models'


def _end_grants(account_id: int, holders: list[str]) -> set[int]:
    message = Reason.REGISTRATION_FAILED.sentence
    rows = returned(_END_GRANTS, {"account": account_id, "holders": holders, "message": message})
    return {batch_id for (batch_id,) in rows}


def unregistered_with_grants(account: VppAccount) -> list[VppUser]:
    """People whom a grant waits for and whom nobody registers: their registration was cancelled."""
    items = BatchItem.objects.filter(
        account=account, holder=OuterRef("client_user_id"), holder_kind=Assignment.HolderKind.USER
    )
    waiting = items.filter(kind=BatchKind.GRANT, state=ItemState.PLANNED)
    coming = items.filter(kind=BatchKind.REGISTER, state__in=(ItemState.PLANNED, ItemState.SENT))
    people = VppUser.objects.filter(account=account, apple_status="", failure="")
    return list(people.filter(Exists(waiting), ~Exists(coming)))
