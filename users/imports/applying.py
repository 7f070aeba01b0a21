"""Writing what a file says: a few statements for all rows, over the tables of `verdicts`."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

from organizations import bulk
from organizations.audit import Actor
from organizations.models import Organization, Owner
from organizations.tags import add_tags
from users import hooks
from users.imports.verdicts import OWNERS, TAGS, USERS
from users.models import PeopleImport, VppUser
from users.records import RETIRED
from users.refusals import LONGEST_NAME
from users.services.details import KNOWN_TO_APPLE
from users.services.owners import announce_devices
from vpp_accounts.models import VppAccount


def write(people_import: PeopleImport, *, by: Actor) -> list[int]:
    """Owners and their records in VPP accounts; answers the people who are new in the account."""
    known: dict[str, Any] = {
        "organization": people_import.organization_id,
        "account": people_import.account_id,
        "source": people_import.source,
        "flags": bool(people_import.counts["missing"]),
    }
    for lock in (_LOCK_OWNERS, _LOCK_USERS):
        bulk.execute(lock, known)
    _write_tags(people_import, known, by=by)
    told_otherwise = _write_owners(known)
    bulk.execute(_CARRY_OVER, known)
    new = []
    if people_import.account_id:
        told_otherwise += _tie_found(known)
        new = _join(known)
    _tell_apple(told_otherwise, by=by)
    return new


def flag_missing(people_import: PeopleImport) -> int:
    """Those whom this whole list lacks are proposed for retirement."""
    return bulk.execute(_FLAG_MISSING, {"organization": people_import.organization_id})


def _write_tags(people_import: PeopleImport, known: dict[str, Any], *, by: Actor) -> None:
    new = [name for (name,) in bulk.returned(_NEW_TAGS, known)]
    if new:
        add_tags(by=by, organization=people_import.organization, names=new)
    bulk.execute("DROP TABLE IF EXISTS pg_temp.row_tags", [])
    bulk.execute(_ROW_TAGS, known)
    bulk.execute("ANALYZE row_tags", [])


def _write_owners(known: dict[str, Any]) -> list[int]:
    """Answers the owners of whom Apple may know another address."""
    bulk.execute(_GIVE_IDS, known)
    bulk.execute(_INSERT_OWNERS, known)
    # Somebody else has added some of them just now: these rows are about those.
    bulk.execute(_MATCH_AGAIN, known)
    changed = bulk.returned(_UPDATE_OWNERS, known)
    announce_devices(
        Organization(pk=known["organization"]),
        [owner_id for owner_id, _, tags_differ in changed if tags_differ],
        cause="people imported",
    )
    return [owner_id for owner_id, tells, _ in changed if tells]


def _tie_found(known: dict[str, Any]) -> list[int]:
    """Answers the owners whose Managed Apple Account Apple has not been told."""
    tied = bulk.returned(_TIE_FOUND, known)
    return [owner_id for owner_id, tells in tied if tells]


def _join(known: dict[str, Any]) -> list[int]:
    again = bulk.returned(_BEGIN_AGAIN, known)
    return sorted(user_id for (user_id,) in again + bulk.returned(_INSERT_USERS, known))


def _tell_apple(owner_ids: list[int], *, by: Actor) -> None:
    users = VppUser.objects.filter(owner__in=owner_ids, apple_status__in=KNOWN_TO_APPLE)
    pairs = list(users.order_by("account", "pk").values_list("account", "pk"))
    accounts = VppAccount.objects.in_bulk({account_id for account_id, _ in pairs})
    for account_id, group in groupby(pairs, key=itemgetter(0)):
        ids = [user_id for _, user_id in group]
        hooks.announce(hooks.people_changed, account=accounts[account_id], user_ids=ids, by=by)


_GOOD = "verdict.verdict IN ('new', 'update')"

# In one order, so that two who write about the same people do it one after another.
_LOCK_OWNERS = f"""
    SELECT FROM {OWNERS}
    WHERE organization_id = %(organization)s
      AND (id IN (SELECT owner_id FROM verdict)
           OR (%(flags)s AND source = '{Owner.Source.CSV}' AND missing_since IS NULL))
    ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608  table names are the models'

_LOCK_USERS = f"""
    SELECT FROM {USERS}
    WHERE organization_id = %(organization)s
      AND (owner_id IN (SELECT owner_id FROM verdict) OR id IN (SELECT user_id FROM verdict))
    ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608

_NEW_TAGS = f"""
    SELECT DISTINCT ON (lower(word)) word
    FROM verdict CROSS JOIN unnest(string_to_array(verdict.tags, ' ')) AS word
    WHERE {_GOOD} AND NOT EXISTS (
        SELECT FROM {TAGS} AS tag
        WHERE tag.organization_id = %(organization)s AND lower(tag.name) = lower(word))
    ORDER BY lower(word), number
"""  # noqa: S608

_ROW_TAGS = f"""
    CREATE TEMPORARY TABLE row_tags ON COMMIT DROP AS
    SELECT verdict.number, array_agg(tag.id ORDER BY place) AS ids
    FROM verdict
    CROSS JOIN unnest(string_to_array(verdict.tags, ' ')) WITH ORDINALITY AS words (word, place)
    JOIN {TAGS} AS tag ON tag.organization_id = %(organization)s AND lower(tag.name) = lower(word)
    WHERE {_GOOD} AND verdict.tags <> '' GROUP BY verdict.number
"""  # noqa: S608

_GIVE_IDS = f"""
    UPDATE verdict SET owner_id = nextval(pg_get_serial_sequence('{OWNERS}', 'id')) WHERE is_new
"""  # noqa: S608

_INSERT_OWNERS = f"""
    INSERT INTO {OWNERS} (id, organization_id, name, email, username, managed_apple_account,
                          tag_ids, language, source, created_at)
    SELECT owner_id, %(organization)s,
           left(coalesce(nullif(name, ''), nullif(email, ''), nullif(username, ''), managed),
                {LONGEST_NAME}),
           email, username, managed, coalesce(row_tags.ids, '{{}}'), '', %(source)s, now()
    FROM verdict LEFT JOIN row_tags USING (number)
    WHERE is_new ORDER BY number
    ON CONFLICT (organization_id, lower(email)) WHERE NOT email = '' DO NOTHING
"""  # noqa: S608

_MATCH_AGAIN = f"""
    UPDATE verdict SET owner_id = owner.id, is_new = false, changes_owner = true
    FROM {OWNERS} AS owner
    WHERE is_new AND verdict.email <> '' AND owner.organization_id = %(organization)s
      AND owner.email <> '' AND lower(owner.email) = lower(verdict.email)
      AND owner.id <> verdict.owner_id
"""  # noqa: S608

# Also who was flagged as missing and has nothing else that is new. `was` is the row as it was.
_UPDATE_OWNERS = f"""
    UPDATE {OWNERS} AS owner
    SET name = coalesce(nullif(verdict.name, ''), owner.name),
        email = CASE WHEN lower(verdict.email) IN ('', lower(owner.email)) THEN owner.email
                     ELSE verdict.email END,
        username = coalesce(nullif(verdict.username, ''), owner.username),
        managed_apple_account = CASE
            WHEN lower(managed) IN ('', lower(owner.managed_apple_account))
                THEN owner.managed_apple_account
            ELSE managed END,
        tag_ids = coalesce(row_tags.ids, owner.tag_ids),
        missing_since = NULL
    FROM verdict LEFT JOIN row_tags USING (number), {OWNERS} AS was
    WHERE owner.id = verdict.owner_id AND owner.organization_id = %(organization)s
      AND was.id = owner.id AND was.organization_id = %(organization)s AND {_GOOD} AND changes_owner
      AND NOT is_new
    RETURNING owner.id, (was.email, was.managed_apple_account)
        IS DISTINCT FROM (owner.email, owner.managed_apple_account),
        was.tag_ids IS DISTINCT FROM owner.tag_ids
"""  # noqa: S608

_CARRY_OVER = f"""
    UPDATE {USERS} AS person
    SET name = owner.name,
        email = CASE WHEN apple_status = '' THEN owner.email ELSE person.email END
    FROM verdict JOIN {OWNERS} AS owner ON owner.id = verdict.owner_id
        AND owner.organization_id = %(organization)s
    WHERE person.owner_id = owner.id AND person.organization_id = %(organization)s AND {_GOOD}
      AND (person.name <> owner.name OR (apple_status = '' AND person.email <> owner.email))
"""  # noqa: S608

_NOT_THERE = f"""NOT EXISTS (
    SELECT FROM {USERS} AS active WHERE active.account_id = %(account)s
      AND active.owner_id = verdict.owner_id AND active.apple_status NOT IN {RETIRED})"""

_TIE_FOUND = f"""
    UPDATE {USERS} AS person SET owner_id = owner.id, name = owner.name
    FROM verdict JOIN {OWNERS} AS owner ON owner.id = verdict.owner_id
        AND owner.organization_id = %(organization)s
    WHERE {_GOOD} AND joins = 'found' AND person.account_id = %(account)s
      AND person.id = verdict.user_id
      AND person.owner_id IS NULL AND {_NOT_THERE}
    RETURNING owner.id, owner.managed_apple_account <> ''
"""  # noqa: S608

_BEGIN_AGAIN = f"""
    UPDATE {USERS} AS person
    SET owner_id = owner.id, apple_status = '', email = owner.email, name = owner.name,
        failure = '', id_hash = '', invite_code_ciphertext = '', invite_code_digest = '',
        tell_again = false,
        registered_at = NULL, invited_at = NULL, associated_at = NULL, retired_at = NULL
    FROM verdict JOIN {OWNERS} AS owner ON owner.id = verdict.owner_id
        AND owner.organization_id = %(organization)s
    WHERE {_GOOD} AND joins = 'again' AND person.account_id = %(account)s
      AND person.id = verdict.user_id
      AND person.apple_status IN {RETIRED} AND {_NOT_THERE}
    RETURNING person.id
"""  # noqa: S608

# Whoever is added by somebody else meanwhile is there already.
_INSERT_USERS = f"""
    INSERT INTO {USERS} (organization_id, account_id, owner_id, client_user_id, email, name,
                         apple_status, failure, id_hash, invite_code_ciphertext, invite_code_digest,
                         first_seen_at)
    SELECT owner.organization_id, %(account)s, owner.id, gen_random_uuid()::text, owner.email,
           owner.name, '', '', '', '', '', now()
    FROM verdict JOIN {OWNERS} AS owner ON owner.id = verdict.owner_id
        AND owner.organization_id = %(organization)s
    WHERE verdict.verdict <> 'error' AND joins = 'joins' AND {_NOT_THERE}
    ORDER BY number
    ON CONFLICT DO NOTHING RETURNING id
"""  # noqa: S608

_FLAG_MISSING = f"""
    UPDATE {OWNERS} AS owner SET missing_since = now()
    WHERE organization_id = %(organization)s AND source = '{Owner.Source.CSV}'
      AND missing_since IS NULL
      AND NOT EXISTS (SELECT FROM verdict WHERE verdict.owner_id = owner.id)
"""  # noqa: S608
