"""What follows once people are retired: their licenses return, and nobody waits for them any more.

Apple tells only that somebody is retired, not what became of their licenses (protocol reference 5.4):
what can be taken back returns to the pool, books and other permanent licenses stay with them for good.
A sync asked for soon verifies it.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from licensing.batches.work import Work
from licensing.changes import AUDIT
from licensing.changes import TABLE as HELD
from licensing.models import Batch, BatchItem, BatchKind, ItemState, LicensedApp
from organizations.audit import current_request_id
from organizations.bulk import execute, returned
from users.invitations.news import note_steps
from users.models import VppUser
from vpp_accounts.models import VppAccount
from vpp_accounts.runs import ask_soon

AT_A_TIME = 1000  # people whom Apple has never known
ITEMS, BATCHES = BatchItem._meta.db_table, Batch._meta.db_table
PEOPLE, TITLES = VppUser._meta.db_table, LicensedApp._meta.db_table
Status = VppUser.AppleStatus


def take_effect(batch_id: int, holders: Sequence[str]) -> None:
    """Call it in the transaction that says that Apple has retired these people."""
    account = VppAccount.objects.get(batches=batch_id)
    facts = {
        "batch": batch_id,
        "organization": account.organization_id,
        "account": account.pk,
        "holders": list(holders),
        "now": timezone.now(),
        "request_id": current_request_id(),
    }
    returned(_LOCK_TITLES, facts)
    execute(_RETURN, facts)
    returned(_LOCK_PEOPLE, facts)
    execute(_RETIRE, facts)
    note_steps(account.pk, holders)
    transaction.on_commit(lambda: ask_soon(account), robust=True)


def retire_the_unknown(work: Work) -> None:
    """Whom Apple has never known is retired without asking Apple."""
    planned = returned(_PLANNED, {"account": work.account.pk})
    theirs = {"account": work.account.pk, "holders": [holder for (holder,) in planned]}
    unknown = [holder for (holder,) in returned(_UNKNOWN, theirs)] if planned else []
    for start in range(0, len(unknown), AT_A_TIME):
        _retire_these(work, unknown[start : start + AT_A_TIME])
        work.show()


def _retire_these(work: Work, holders: list[str]) -> None:
    facts = {"account": work.account.pk, "holders": holders, "now": timezone.now()}
    with work.hold.transaction():
        rows = returned(_RETIRE_UNKNOWN, facts)
        for batch_id, retired in rows:
            take_effect(batch_id, retired)
    work.touched |= {batch_id for batch_id, _ in rows}


# In the order in which everybody locks them.
_LOCK_TITLES = f"""
    SELECT id FROM {TITLES} WHERE id IN (
        SELECT licensed_app_id FROM {HELD}
        WHERE organization_id = %(organization)s AND account_id = %(account)s
          AND holder_kind = 'user' AND holder = ANY(%(holders)s))
    ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608  table names are the models'

_LOCK_PEOPLE = f"""
    SELECT id FROM {PEOPLE} WHERE account_id = %(account)s AND client_user_id = ANY(%(holders)s)
    ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608

_RETURN = f"""
    WITH freed AS (
        DELETE FROM {HELD} AS held USING {TITLES} AS title
        WHERE held.organization_id = %(organization)s AND held.account_id = %(account)s
          AND held.holder_kind = 'user' AND held.holder = ANY(%(holders)s)
          AND title.id = held.licensed_app_id AND title.revocable
        RETURNING held.licensed_app_id, held.holder
    ), told AS (
        INSERT INTO {AUDIT} (organization_id, at, actor_kind, actor_id, actor_name, action,
                             target_kind, target_id, target_name, before, refused, request_id)
        SELECT batch.organization_id, %(now)s, batch.actor_kind, batch.actor_id, batch.actor_name,
               'assignment.revoked', 'licensedapp', title.id,
               left(coalesce(nullif(app.name, ''), 'Adam ID ' || app.adam_id), 254),
               jsonb_build_object('holder', freed.holder, 'kind', 'user', 'batch', batch.id),
               false, %(request_id)s
        FROM freed
        JOIN {BATCHES} AS batch ON batch.id = %(batch)s
        JOIN {TITLES} AS title ON title.id = freed.licensed_app_id
        JOIN apps_catalog_app AS app ON app.id = title.app_id
        ORDER BY title.id
    )
    UPDATE {TITLES} AS title
    SET touched_at = %(now)s, unread_grants =
        CASE WHEN title.touched_at > title.counts_as_of THEN title.unread_grants ELSE 0 END
    WHERE title.id IN (SELECT licensed_app_id FROM freed)
"""  # noqa: S608  table names are the models'

_IS_BEING_REGISTERED = f"""
    EXISTS (SELECT FROM {ITEMS} AS coming
            WHERE coming.account_id = person.account_id AND coming.holder = person.client_user_id
              AND coming.licensed_app_id IS NULL AND coming.kind = '{BatchKind.REGISTER}'
              AND coming.state IN ('planned', 'sent', 'waiting'))
"""

# Whom Apple never knew it will not list either. Who is registered again already has not been retired
# since.
_RETIRE = f"""
    UPDATE {PEOPLE} AS person
    SET apple_status = CASE apple_status WHEN '' THEN '{Status.DELETED}'
            WHEN '{Status.DELETED}' THEN '{Status.DELETED}' ELSE '{Status.RETIRED}' END,
        retired_at = coalesce(retired_at, %(now)s), failure = '',
        invite_code_ciphertext = '', invite_code_digest = ''
    WHERE account_id = %(account)s AND client_user_id = ANY(%(holders)s)
      AND NOT (apple_status = '' AND {_IS_BEING_REGISTERED})
"""  # noqa: S608

# All states of open items, since that is what the index of a person's items is about.
_RETIREMENTS = f"""
    item.account_id = %(account)s AND item.licensed_app_id IS NULL
    AND item.kind = '{BatchKind.RETIRE}' AND item.state IN ('planned', 'sent', 'waiting')
    AND item.state = '{ItemState.PLANNED}'
"""

_PLANNED = f"SELECT item.holder FROM {ITEMS} AS item WHERE {_RETIREMENTS}"  # noqa: S608

_UNKNOWN = f"""
    SELECT client_user_id FROM {PEOPLE}
    WHERE account_id = %(account)s AND apple_status = '' AND client_user_id = ANY(%(holders)s)
    ORDER BY id
"""  # noqa: S608

_RETIRE_UNKNOWN = f"""
    WITH retired AS (
        UPDATE {ITEMS} AS item
        SET state = '{ItemState.SUCCEEDED}', message = '', error_number = NULL,
            changed_at = %(now)s
        FROM {PEOPLE} AS person
        WHERE {_RETIREMENTS} AND item.holder = ANY(%(holders)s)
          AND person.account_id = %(account)s AND person.client_user_id = ANY(%(holders)s)
          AND person.client_user_id = item.holder AND person.apple_status = ''
          AND NOT {_IS_BEING_REGISTERED}
        RETURNING item.batch_id, item.holder)
    SELECT batch_id, array_agg(holder) FROM retired GROUP BY batch_id
"""  # noqa: S608
