"""Telling Apple of people: batches that register them, or that say something else about them."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from licensing.batches.tallies import tally
from licensing.batches.waking import wake
from licensing.models import OPEN_ITEMS, Batch, BatchItem, BatchKind, ItemState
from organizations.audit import Actor
from organizations.bulk import execute, returned, stage
from users.models import VppUser
from vpp_accounts.models import VppAccount

ITEMS, PEOPLE = BatchItem._meta.db_table, VppUser._meta.db_table
Status = VppUser.AppleStatus

# By their ids, or a query for them: fifty thousand people are no work for Python.
People = QuerySet[VppUser] | Collection[int]

# Who may be in a batch of the kind, and why there is one.
MEANT = {
    BatchKind.REGISTER: ((Status.UNKNOWN,), "They have to be known to Apple first."),
    BatchKind.UPDATE: (
        (Status.REGISTERED, Status.ASSOCIATED),
        "Apple is to know what has changed about them.",
    ),
}


@transaction.atomic
def register(
    *, by: Actor, account: VppAccount, users: People, again: Batch | None = None
) -> Batch | None:
    """A batch that registers those whom Apple does not know; None where there is nobody to register,
    or all of them are being registered. `again`: the batch in which these failed."""
    _choose(account, users)
    return _begin(BatchKind.REGISTER, by, account, again)


@transaction.atomic
def update(
    *, by: Actor, account: VppAccount, users: People, again: Batch | None = None
) -> Batch | None:
    """A batch that tells Apple what is said of those whom it knows; None where it knows nobody.

    What is said is read when it is sent. Who is just being told of is told of once more afterwards.
    """
    _choose(account, users)
    execute(_TELL_AGAIN, {"account": account.pk})
    return _begin(BatchKind.UPDATE, by, account, again)


def begin_again(*, by: Actor, batch: Batch) -> Batch | None:
    """What failed in a batch that registers or updates people; None where nothing is left of it."""
    failed = BatchItem.objects.filter(batch=batch, state=ItemState.FAILED).values("holder")
    users = VppUser.objects.filter(account=batch.account, client_user_id__in=failed)
    begin = register if batch.kind == BatchKind.REGISTER else update
    return begin(by=by, account=batch.account, users=users, again=batch)


def _choose(account: VppAccount, users: People) -> None:
    """The people in a table of their own, locked: two who tell of the same do so one after another."""
    chosen = users.values_list("pk", flat=True) if isinstance(users, QuerySet) else users
    stage("chosen_user", "id bigint", map(str, chosen))
    returned(_LOCK, {"account": account.pk})


def _begin(kind: BatchKind, by: Actor, account: VppAccount, again: Batch | None) -> Batch | None:
    statuses, why = MEANT[kind]
    meant = {"account": account.pk, "kind": kind, "statuses": list(statuses)}
    [(count,)] = returned(_COUNT, meant)
    if not count:
        return None
    batch = Batch.objects.create(
        organization_id=account.organization_id,
        account=account,
        kind=kind,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.name[:254],
        why=why,
        about="1 person" if count == 1 else f"{count:,} people",
        retry_of=again,
    )
    execute(_INSERT, meant | {"batch": batch.pk, "now": timezone.now()})
    execute(_AS_IF_NOTHING_HAPPENED, {"batch": batch.pk})
    tally([batch.pk])
    wake(account)
    batch.refresh_from_db()
    return batch


_LOCK = f"""
    SELECT count(*) FROM (
        SELECT person.id FROM {PEOPLE} AS person JOIN chosen_user USING (id)
        WHERE person.account_id = %(account)s
        ORDER BY person.id FOR NO KEY UPDATE OF person) AS locked
"""  # noqa: S608  table names are the models'

# EXCEPT and INTERSECT, since EXISTS becomes a loop in a loop where PostgreSQL has not counted the
# rows yet.
_MEANT = f"""
    WITH meant AS (
        SELECT client_user_id AS holder FROM {PEOPLE} JOIN chosen_user USING (id)
        WHERE account_id = %(account)s AND apple_status = ANY(%(statuses)s)
        EXCEPT
        SELECT holder FROM {ITEMS}
        WHERE account_id = %(account)s AND kind = %(kind)s AND licensed_app_id IS NULL
          AND state IN {tuple(str(state) for state in OPEN_ITEMS)})
"""  # noqa: S608

_COUNT = f"{_MEANT} SELECT count(*) FROM meant"  # noqa: S608

_INSERT = f"""
    {_MEANT}
    INSERT INTO {ITEMS} (organization_id, account_id, batch_id, kind, priority, holder_kind, holder,
                         state, message, attempts, caution, changed_at)
    SELECT person.organization_id, person.account_id, %(batch)s, %(kind)s, 0, 'user', holder,
           '{ItemState.PLANNED}', '', 0, 0, %(now)s
    FROM meant JOIN {PEOPLE} AS person
      ON person.account_id = %(account)s AND person.client_user_id = holder
    ORDER BY person.id
"""  # noqa: S608

_AS_IF_NOTHING_HAPPENED = f"""
    UPDATE {PEOPLE} AS person SET failure = '', tell_again = false
    FROM {ITEMS} AS item
    WHERE item.batch_id = %(batch)s AND person.account_id = item.account_id
      AND person.client_user_id = item.holder AND (person.failure <> '' OR person.tell_again)
"""  # noqa: S608

_TELL_AGAIN = f"""
    UPDATE {PEOPLE} SET tell_again = true
    WHERE account_id = %(account)s AND client_user_id IN (
        SELECT client_user_id FROM {PEOPLE} JOIN chosen_user USING (id)
        WHERE account_id = %(account)s
        INTERSECT
        SELECT holder FROM {ITEMS}
        WHERE account_id = %(account)s AND kind = '{BatchKind.UPDATE}'
          AND licensed_app_id IS NULL AND state = '{ItemState.SENT}')
"""  # noqa: S608
