"""What Apple says of people, written down: by a sync, by its notifications, and read back by batches.

Each step is kept with the time at which it was seen; a person found at Apple for the first time has
taken theirs before we looked. What was read before we saw somebody's last step is not believed of
them, nor is an old record of somebody who is about to be registered again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from organizations.bulk import copy_out, escaped, execute, returned, stage
from organizations.models import EventKind
from organizations.webhooks import emit_each
from users.hooks import people_moved
from users.invitations.news import note_steps
from users.models import VppUser
from users.models.people import digest_of
from vpp_accounts.apple.types import ClientUser
from vpp_accounts.models import VppAccount

TABLE = VppUser._meta.db_table
AT_A_TIME = 5000
Status = VppUser.AppleStatus


class Kept(NamedTuple):
    """`newer`: people who have taken a step since Apple was asked, and were left as they are."""

    added: int
    changed: int
    newer: int


def line_of(user: ClientUser) -> str:
    """A record of Apple's as `held_lines` shows the same record of ours."""
    email, id_hash = (user.email or "")[:254], (user.id_hash or "")[:64]
    facts = [user.client_user_id, email, user.status[:20], id_hash, digest_of(_code_of(user))]
    return "\t".join(escaped(facts))


def held_lines(account: VppAccount) -> list[str]:
    """Those whom Apple should know: not the ones that we have yet to register."""
    return copy_out(
        "SELECT client_user_id, email, apple_status, id_hash, invite_code_digest "  # noqa: S608
        f"FROM {TABLE} WHERE account_id = %s AND apple_status NOT IN ('Deleted', '')",
        [account.pk],
    )


def keep(account: VppAccount, users: Collection[ClientUser], *, as_of: datetime) -> Kept:
    """What Apple said of these people when it was asked at `as_of`; one record each.

    Call it in a transaction, with `AT_A_TIME` of them at most: their codes have to be encrypted.
    """
    if not users:
        return Kept(0, 0, 0)
    ours = {"account": account.pk, "organization": account.organization_id, "as_of": as_of}
    ids = [user.client_user_id for user in users]
    held = returned(_LOCK, ours | {"ids": ids})
    digests = {client_user_id: digest for client_user_id, digest, _ in held}
    stage("seen_user", _COLUMNS, _lines_with_codes(account, users, digests))
    execute(_PART_FROM_OWNER, ours)
    written = execute(_UPSERT, ours)
    added = len(users) - len(held)
    if written > added:
        note_steps(account.pk, ids)
        _tell_of_the_associated(account, ids, as_of)
    if written:
        people_moved.send(VppAccount, account=account)
    return Kept(added, written - added, newer=sum(is_newer for *_, is_newer in held))


def _tell_of_the_associated(account: VppAccount, ids: Collection[str], as_of: datetime) -> None:
    """Those who took that step between the last look and this one."""
    users = VppUser.objects.filter(account=account, client_user_id__in=ids, associated_at=as_of)
    emit_each(
        account.organization_id,
        EventKind.USER_ASSOCIATED,
        lambda: map(_associated, users.select_related("owner")),
    )


def _associated(user: VppUser) -> dict[str, Any]:
    owner_email = user.owner.email if user.owner else ""
    return {
        "vppAccountId": str(user.account_id),
        "userId": str(user.pk),
        "clientUserId": user.client_user_id,
        "email": owner_email or user.email,
        "ownerId": str(user.owner_id) if user.owner_id else None,
        "associatedAt": user.associated_at,
    }


def _lines_with_codes(
    account: VppAccount, users: Iterable[ClientUser], held: Mapping[str, str]
) -> Iterator[str]:
    """Encrypted are those codes only that we do not hold; `held` are the digests of ours."""
    for user in users:
        code = _code_of(user)
        is_new = code and held.get(user.client_user_id) != digest_of(code)
        yield f"{line_of(user)}\t{_encrypted(account, user, code) if is_new else ''}"


def _encrypted(account: VppAccount, user: ClientUser, code: str) -> str:
    ours = VppUser(account=account, client_user_id=user.client_user_id)
    ours.invite_code = code
    return ours.invite_code_ciphertext


def _code_of(user: ClientUser) -> str:
    return (user.invite_code or "") if user.status == Status.REGISTERED else ""


def lose(account: VppAccount, client_user_ids: Sequence[str], *, as_of: datetime) -> int:
    """Apple, asked at `as_of`, lists these people no longer. Call it in a transaction."""
    if not client_user_ids:
        return 0
    lost = {"account": account.pk, "lost": list(client_user_ids), "as_of": as_of}
    count = execute(_LOSE, lost)
    note_steps(account.pk, client_user_ids)
    people_moved.send(VppAccount, account=account)
    return count


_COLUMNS = (
    'client_user_id text COLLATE "C", email text, apple_status text, id_hash text, code_digest text,'
    " code text"
)
RETIRED = "('Retired', 'Deleted')"


def _is_newer(row: str) -> str:
    last = f"greatest({row}.registered_at, {row}.associated_at, {row}.retired_at)"
    return f"coalesce({last} > %(as_of)s, false)"


# Who was erased here stays so, whatever Apple's own record of them says.
_IS_ERASED = f"""held.erased_at IS NOT NULL AND NOT (
    held.apple_status IN {RETIRED} AND excluded.apple_status NOT IN {RETIRED})"""


def _unless_erased(column: str) -> str:
    return f"CASE WHEN {_IS_ERASED} THEN '' ELSE excluded.{column} END"


def _code(part: str) -> str:
    """What Apple leaves out of the record that we knew stays as it is."""
    column = f"invite_code_{part}"
    return f"""CASE
        WHEN {_IS_ERASED} THEN ''
        WHEN held.apple_status = 'Registered' AND excluded.apple_status = 'Registered'
             AND excluded.invite_code_digest IN ('', held.invite_code_digest)
        THEN held.{column} ELSE excluded.{column} END"""


# In one order, so that two who write about the same people do it one after another.
_LOCK = f"""
    SELECT client_user_id, invite_code_digest, {_is_newer("held")}
    FROM {TABLE} AS held
    WHERE account_id = %(account)s AND client_user_id = ANY(%(ids)s)
    ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608  names of ours

# Somebody who was retired is back at Apple, though their owner has another record by now.
_PART_FROM_OWNER = f"""
    UPDATE {TABLE} AS back SET owner_id = NULL
    FROM seen_user AS seen
    WHERE back.account_id = %(account)s AND seen.client_user_id = back.client_user_id
      AND back.apple_status IN {RETIRED} AND seen.apple_status NOT IN {RETIRED}
      AND NOT {_is_newer("back")}
      AND EXISTS (
          SELECT FROM {TABLE} AS other
          LEFT JOIN seen_user AS seen_other ON seen_other.client_user_id = other.client_user_id
          WHERE other.account_id = back.account_id AND other.owner_id = back.owner_id
            AND other.id <> back.id
            AND coalesce(seen_other.apple_status, other.apple_status) NOT IN {RETIRED}
            AND (other.apple_status NOT IN {RETIRED} OR other.id > back.id)
      )
"""  # noqa: S608

# Another record than the one that we knew: its owner begins anew.
_BEGINS = f"""excluded.apple_status NOT IN {RETIRED} AND (
    held.apple_status NOT IN ('Registered', 'Associated')
    OR (held.apple_status = 'Associated' AND excluded.apple_status = 'Registered'))"""
# Those who are retired come first: then their owner's place is free for another record.
_UPSERT = f"""
    INSERT INTO {TABLE} AS held (organization_id, account_id, client_user_id, email, name,
                                 apple_status, id_hash, failure, invite_code_ciphertext,
                                 invite_code_digest, first_seen_at)
    SELECT %(organization)s, %(account)s, client_user_id, email, '', apple_status, id_hash, '', code,
           code_digest, now()
    FROM seen_user ORDER BY apple_status IN {RETIRED} DESC, client_user_id
    ON CONFLICT (account_id, client_user_id) DO UPDATE SET
        email = {_unless_erased("email")},
        apple_status = excluded.apple_status,
        id_hash = {_unless_erased("id_hash")},
        erased_at = CASE WHEN {_IS_ERASED} THEN held.erased_at END,
        failure = CASE WHEN held.apple_status = excluded.apple_status THEN held.failure ELSE '' END,
        invite_code_ciphertext = {_code("ciphertext")},
        invite_code_digest = {_code("digest")},
        registered_at = CASE WHEN {_BEGINS} THEN %(as_of)s ELSE held.registered_at END,
        invited_at = CASE WHEN {_BEGINS} THEN NULL ELSE held.invited_at END,
        associated_at = CASE
            WHEN excluded.apple_status = 'Registered' THEN NULL
            WHEN excluded.apple_status = 'Associated' AND held.apple_status <> 'Associated'
                THEN %(as_of)s
            ELSE held.associated_at END,
        retired_at = CASE
            WHEN excluded.apple_status NOT IN {RETIRED} THEN NULL
            WHEN held.apple_status NOT IN {RETIRED} THEN %(as_of)s
            ELSE held.retired_at END
    WHERE (held.email, held.apple_status, held.id_hash, held.invite_code_digest)
       <> ({_unless_erased("email")}, excluded.apple_status, {_unless_erased("id_hash")},
           {_code("digest")})
      AND NOT {_is_newer("held")}
      AND NOT (held.apple_status = '' AND excluded.apple_status IN {RETIRED})
"""  # noqa: S608

_LOSE = f"""
    UPDATE {TABLE} AS held
    SET apple_status = 'Deleted', retired_at = coalesce(retired_at, %(as_of)s), failure = '',
        invite_code_digest = '', invite_code_ciphertext = ''
    WHERE held.account_id = %(account)s AND held.client_user_id = ANY(%(lost)s)
      AND held.apple_status NOT IN ('', 'Deleted') AND NOT {_is_newer("held")}
"""  # noqa: S608
