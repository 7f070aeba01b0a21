"""What each row of a file would do, decided for all rows at once against what is known now.

Everything happens in temporary tables of one transaction:

    file_row   the rows as they were read, or as they were kept
    matched    whom each row is about, and the first row that is about the same
    verdict    new, update, unchanged or error, with the reason or with what changes

A row is about the owner with its e-mail address, else with its Managed Apple Account, else, without
an address, with its username. An empty cell says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from organizations import bulk
from organizations.imports import FileRow
from organizations.models import Owner, Tag
from users.models import ImportRow, PeopleImport, VppUser
from users.records import RETIRED

OWNERS, TAGS = Owner._meta.db_table, Tag._meta.db_table
USERS, ROWS = VppUser._meta.db_table, ImportRow._meta.db_table

MANY, MANY_SHARE = 5, 0.2  # more of those who came with files than this need a second look
MANY_ROWS = 1000


def stage_file(rows: Iterable[FileRow]) -> None:
    bulk.stage("file_row", _FILE_ROW, map(_line, rows))


def stage_kept(people_import: PeopleImport) -> None:
    """What was an error at the check is left out, also where it would not be one any more."""
    bulk.execute("DROP TABLE IF EXISTS pg_temp.file_row", [])
    bulk.execute(_KEPT, {"import": people_import.pk})
    bulk.execute("ANALYZE file_row", [])


def judge(people_import: PeopleImport) -> None:
    """From `file_row` to `verdict`."""
    account = people_import.account
    known = {
        "organization": people_import.organization_id,
        "account": account.pk if account else None,
        "name": account.name if account else "",
    }
    bulk.execute(_EXPECT_MANY, [MANY_ROWS])
    for table, statement in (("matched", _MATCHED), ("verdict", _VERDICT)):
        bulk.execute(f"DROP TABLE IF EXISTS pg_temp.{table}", [])
        bulk.execute(f"CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS {statement}", known)
        bulk.execute(f"ANALYZE {table}", [])


def keep(people_import: PeopleImport) -> None:
    """The rows with their verdicts, where people read them."""
    bulk.execute(_KEEP, {"import": people_import.pk, "organization": people_import.organization_id})


def keep_changed(people_import: PeopleImport) -> None:
    """Of rows that are kept: what came out otherwise than at the check."""
    bulk.execute(_KEEP_CHANGED, {"import": people_import.pk})


def count(people_import: PeopleImport) -> dict[str, Any]:
    """Rows by verdict, and whom a complete list lacks."""
    counts: dict[str, Any] = dict.fromkeys(ImportRow.Verdict.values, 0)
    counts |= dict(bulk.returned("SELECT verdict, count(*) FROM verdict GROUP BY verdict", []))
    counts["missing"], counts["misses_many"] = _missing(people_import, counts)
    return counts


def _missing(people_import: PeopleImport, counts: dict[str, int]) -> tuple[int, bool]:
    """A file without one good row says nothing about those who are not in it."""
    good = sum(counts.values()) - counts[ImportRow.Verdict.ERROR]
    if not (people_import.is_complete and good):
        return 0, False
    here = {"organization": people_import.organization_id}
    [(missing, of)] = bulk.returned(_COUNT_MISSING, here)
    return missing, missing > MANY and missing > of * MANY_SHARE


def _line(row: FileRow) -> str:
    return "\t".join(bulk.escaped([str(row.number), *row.cells, row.problem]))


_FILE_ROW = (
    "number int, name text, email text, username text, tags text, managed text, problem text"
)

# A large file makes thousands of people out of none, of whom the planner learns later: it would take
# them for a handful and go through all of them for each one. For the rest of the transaction.
_EXPECT_MANY = """
    SELECT set_config('enable_nestloop', CASE WHEN count(*) > %s THEN 'off' ELSE 'on' END, true)
    FROM file_row
"""

_KEPT = f"""
    CREATE TEMPORARY TABLE file_row ON COMMIT DROP AS
    SELECT number, name::text, email::text, username::text, tags::text,
           managed_apple_account::text AS managed,
           CASE WHEN verdict = 'error' THEN message ELSE '' END::text AS problem
    FROM {ROWS} WHERE people_import_id = %(import)s
"""  # noqa: S608  table names are the models'

_MATCHED = f"""
    WITH by_managed AS (
        SELECT lower(managed_apple_account) AS key, min(id) AS owner_id, count(*) AS owners
        FROM {OWNERS} WHERE organization_id = %(organization)s AND managed_apple_account <> ''
        GROUP BY 1
    ), by_username AS (
        SELECT lower(username) AS key, min(id) AS owner_id, count(*) AS owners
        FROM {OWNERS} WHERE organization_id = %(organization)s AND username <> ''
        GROUP BY 1
    ), found AS (
        SELECT file_row.*, by_managed.owner_id AS managed_by, owner.id IS NOT NULL AS has_email,
               coalesce(owner.id, by_managed.owner_id, by_username.owner_id) AS owner_id,
               CASE WHEN owner.id IS NOT NULL THEN 1
                    ELSE coalesce(by_managed.owners, by_username.owners) END AS owners
        FROM file_row
        LEFT JOIN {OWNERS} AS owner ON owner.organization_id = %(organization)s
            AND owner.email <> '' AND lower(owner.email) = lower(file_row.email)
        LEFT JOIN by_managed ON by_managed.key = lower(file_row.managed)
        LEFT JOIN by_username ON by_username.key = lower(file_row.username)
            AND file_row.email = ''
    )
    SELECT *,
           min(number) OVER (PARTITION BY lower(email)) AS first_email,
           min(number) OVER (PARTITION BY lower(managed)) AS first_managed,
           min(number) OVER (PARTITION BY owner_id) AS first_owner,
           min(number) OVER (PARTITION BY lower(username), email = '' AND managed = '')
               AS first_username
    FROM found
"""  # noqa: S608

# The first of these that is so.
_PROBLEM = """
    CASE
    WHEN problem <> '' THEN problem
    WHEN matched.email || matched.managed || matched.username = ''
        THEN 'Nobody can tell whom this row is about. Give an e-mail address.'
    WHEN matched.email <> '' AND first_email < matched.number
        THEN 'Row ' || first_email || ' has this e-mail address already. Leave one of them out.'
    WHEN managed <> '' AND first_managed < matched.number
        THEN 'Row ' || first_managed || ' has this Managed Apple Account already. Leave one of them'
             ' out.'
    WHEN owners > 1
        THEN owners || ' owners could be meant. Give the e-mail address of the one who is.'
    WHEN matched.owner_id IS NOT NULL AND first_owner < matched.number
        THEN 'Row ' || first_owner || ' is about this person already. Leave one of them out.'
    WHEN matched.owner_id IS NULL AND matched.email || managed = '' AND first_username < matched.number
        THEN 'Row ' || first_username || ' has this username already. Leave one of them out.'
    WHEN has_email AND managed_by IS NOT NULL
         AND lower(managed) <> lower(owner.managed_apple_account)
        THEN 'This Managed Apple Account is that of “' || holder.name || '”. Correct it here or there.'
    WHEN automatic IS NOT NULL
        THEN '“' || automatic || '” is an automatic tag, which devices get by themselves. Choose'
             ' another word.'
    WHEN %(account)s::bigint IS NOT NULL AND active.id IS NULL
         AND matched.email || managed || coalesce(owner.email, '')
             || coalesce(owner.managed_apple_account, '') = ''
        THEN 'A person of “' || %(name)s || '” needs an e-mail address, or a Managed Apple Account.'
             ' Give one.'
    ELSE '' END
"""

_CHANGES = """
    concat_ws(', ',
        CASE WHEN matched.name <> '' AND matched.name <> owner.name THEN 'name' END,
        CASE WHEN matched.email <> '' AND lower(matched.email) <> lower(owner.email)
            THEN 'e-mail address' END,
        CASE WHEN matched.username <> '' AND matched.username <> owner.username
            THEN 'username' END,
        CASE WHEN owner.id IS NOT NULL AND (tags.has_new
                OR NOT (tags.ids <@ owner.tag_ids AND owner.tag_ids <@ tags.ids))
            THEN 'tags' END,
        CASE WHEN managed <> '' AND lower(managed) <> lower(owner.managed_apple_account)
            THEN 'Managed Apple Account' END,
        CASE WHEN owner.missing_since IS NOT NULL THEN 'no longer missing' END)
"""

# With an account: who is in it, who was, and whom Apple has there without our knowing who it is.
_VERDICT = f"""
    WITH tags AS (
        SELECT file_row.number, array_agg(tag.id) FILTER (WHERE tag.id IS NOT NULL) AS ids,
               bool_or(tag.id IS NULL) AS has_new,
               min(tag.name) FILTER (WHERE tag.kind = 'automatic') AS automatic
        FROM file_row CROSS JOIN unnest(string_to_array(file_row.tags, ' ')) AS word
        LEFT JOIN {TAGS} AS tag ON tag.organization_id = %(organization)s
            AND lower(tag.name) = lower(word)
        WHERE file_row.tags <> '' GROUP BY file_row.number
    ), active AS (
        SELECT owner_id, min(id) AS id FROM {USERS}
        WHERE account_id = %(account)s AND owner_id IS NOT NULL AND apple_status NOT IN {RETIRED}
        GROUP BY owner_id
    ), retired AS (
        SELECT owner_id, max(id) AS id FROM {USERS}
        WHERE account_id = %(account)s AND owner_id IS NOT NULL AND apple_status IN {RETIRED}
        GROUP BY owner_id
    ), nameless AS (
        SELECT lower(email) AS key, min(id) AS id FROM {USERS}
        WHERE account_id = %(account)s AND owner_id IS NULL AND apple_status NOT IN {RETIRED}
          AND email <> ''
        GROUP BY 1
    ), nameless_retired AS (
        SELECT lower(email) AS key, max(id) AS id FROM {USERS}
        WHERE account_id = %(account)s AND owner_id IS NULL AND apple_status IN {RETIRED}
          AND email <> ''
        GROUP BY 1
    ), told AS (
        SELECT matched.*, {_PROBLEM} AS wrong, {_CHANGES} AS changes,
               CASE WHEN %(account)s::bigint IS NULL OR active.id IS NOT NULL THEN ''
                    WHEN nameless.id IS NOT NULL THEN 'found'
                    WHEN retired.id IS NOT NULL OR nameless_retired.id IS NOT NULL THEN 'again'
                    ELSE 'joins' END AS joins,
               coalesce(active.id, nameless.id, retired.id, nameless_retired.id) AS user_id
        FROM matched
        LEFT JOIN {OWNERS} AS owner ON owner.id = matched.owner_id
            AND owner.organization_id = %(organization)s
        LEFT JOIN {OWNERS} AS holder ON holder.id = matched.managed_by
            AND holder.organization_id = %(organization)s
        LEFT JOIN tags ON tags.number = matched.number
        LEFT JOIN active ON active.owner_id = matched.owner_id
        LEFT JOIN retired ON retired.owner_id = matched.owner_id
        LEFT JOIN nameless ON nameless.key
            = lower(coalesce(nullif(matched.email, ''), owner.email))
        LEFT JOIN nameless_retired ON nameless_retired.key
            = lower(coalesce(nullif(matched.email, ''), owner.email))
    )
    SELECT number, name, email, username, tags, managed, owner_id, joins, user_id,
           owner_id IS NULL AND wrong = '' AS is_new, changes <> '' AS changes_owner,
           CASE WHEN wrong <> '' THEN 'error'
                WHEN owner_id IS NULL OR joins IN ('joins', 'again') THEN 'new'
                WHEN changes <> '' OR joins = 'found' THEN 'update'
                ELSE 'unchanged' END AS verdict,
           left(CASE WHEN wrong <> '' THEN wrong ELSE concat_ws('; ',
               CASE WHEN joins = 'joins' AND owner_id IS NOT NULL THEN 'joins ' || %(name)s
                    WHEN joins = 'again' THEN 'joins ' || %(name)s || ' again'
                    WHEN joins = 'found' THEN 'found at Apple in ' || %(name)s END,
               nullif(changes, '')) END, 300) AS message
    FROM told
"""  # noqa: S608

_KEEP = f"""
    INSERT INTO {ROWS} (organization_id, people_import_id, number, name, email, username, tags,
                        managed_apple_account, verdict, message, owner_id)
    SELECT %(organization)s, %(import)s, number, name, email, username, tags, managed, verdict,
           message, owner_id
    FROM verdict ORDER BY number
"""  # noqa: S608

_KEEP_CHANGED = f"""
    UPDATE {ROWS} AS kept
    SET verdict = verdict.verdict, message = verdict.message, owner_id = verdict.owner_id
    FROM verdict
    WHERE kept.people_import_id = %(import)s AND kept.number = verdict.number
      AND (kept.verdict, kept.message, kept.owner_id)
          IS DISTINCT FROM (verdict.verdict, verdict.message, verdict.owner_id)
"""  # noqa: S608

# Who came with a file, is not flagged yet, and whom no row is about.
_COUNT_MISSING = f"""
    SELECT count(*) FILTER (WHERE told.owner_id IS NULL), count(*)
    FROM {OWNERS} AS owner
    LEFT JOIN (SELECT DISTINCT owner_id FROM verdict) AS told ON told.owner_id = owner.id
    WHERE organization_id = %(organization)s AND source = '{Owner.Source.CSV}'
      AND missing_since IS NULL
"""  # noqa: S608
