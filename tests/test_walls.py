"""The second wall itself: the policies, the roles that they hold, and the few ways around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from psycopg2.errors import InsufficientPrivilege

from organizations import walls
from organizations.lookups import Lookup
from organizations.models import Organization
from tests import factories
from vpp_accounts import lookups

pytestmark = pytest.mark.django_db

# Every other table has policies. What is here belongs to nobody, or is needed before anybody knows
# in whose organization: no page shows it but to the person it is about.
WITHOUT_POLICIES = {
    "account_emailaddress": "of a person, whatever organizations they have",
    "account_emailconfirmation": "of a person",
    "apps_catalog_app": "what Apple's store says, the same for everybody",
    "auth_group": "of the framework, empty",
    "auth_group_permissions": "of the framework, empty",
    "auth_permission": "of the framework",
    "django_content_type": "of the framework",
    "django_migrations": "of the framework",
    "django_session": "asked for by its key before anybody is signed in",
    "mfa_authenticator": "of a person",
    "organizations_admin": "a person, asked for before they are signed in",
    "organizations_apikey": "asked for by its digest before anybody knows whose it is",
    "organizations_idempotentanswer": "of a person, asked for by their key",
    "organizations_signinfailure": "tries of whoever it was to sign in",
    "socialaccount_socialaccount": "of a person",
    "socialaccount_socialapp": "of the framework, empty: providers are the organizations' own",
    "socialaccount_socialtoken": "of the framework, empty",
    "usersessions_usersession": "of a person",
}


def rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def names(statement: str, *values: Any) -> set[str]:
    return {name for (name,) in rows(statement, *values)}


def connected(alias: str) -> Any:
    """A real connection of a role, as it signs in where the product runs."""
    role, name = settings.DATABASES[alias], connection.settings_dict["NAME"]
    return psycopg2.connect(
        host=role["HOST"],
        port=role["PORT"] or 5432,
        user=role["USER"],
        password=role["PASSWORD"],
        dbname=name,
        options="-c lock_timeout=5s",
    )


@pytest.fixture
def application() -> Iterator[Any]:
    signed_in = connected("default")
    signed_in.autocommit = True
    yield signed_in
    signed_in.close()


@pytest.fixture
def owner() -> Iterator[Any]:
    """Whatever it does is undone."""
    signed_in = connected("owner")
    yield signed_in
    signed_in.rollback()
    signed_in.close()


# --- Policies -------------------------------------------------------------------------------------


def test_every_table_has_policies_or_a_reason_to_have_none() -> None:
    tables = names("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")

    walled = names("SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity")

    assert walled == {policy.table for policy in walls.policies()}
    assert tables - walled == set(WITHOUT_POLICIES)


def test_a_table_that_names_an_organization_is_never_without() -> None:
    """Also one that no model knows, such as a partition or a copy."""
    naming = names(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'organization_id'"
    )

    assert naming - {policy.table for policy in walls.policies()} == walls.OUTSIDE


def test_nothing_else_shows_rows() -> None:
    """A view would show them with the rights of its owner, whom no policy holds."""
    others = names(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind NOT IN ('r', 'i', 'S', 't')"
    )

    assert others == set()


def test_the_policies_are_those_that_are_written_down() -> None:
    standing = rows(
        "SELECT polrelid::regclass::text, polname, polcmd, polpermissive, polroles::text,"
        " polwithcheck IS NULL, obj_description(oid, 'pg_policy') FROM pg_policy"
    )

    commands = {"ALL": "*", "SELECT": "r"}
    assert sorted(standing) == sorted(
        # For every role; and what may be read is what may be written, where nothing else is said.
        (each.table, each.name, commands[each.command], True, "{0}", True, each.statement)
        for each in walls.policies()
    )


def test_the_rules_in_force_are_those_that_the_comments_tell(owner: Any) -> None:
    """PostgreSQL keeps a rule in its own words: written for a copy, it must come out the same."""
    standing = {
        f"{table}.{name}": rule
        for table, name, rule in rows(
            "SELECT polrelid::regclass::text, polname, pg_get_expr(polqual, polrelid) FROM pg_policy"
        )
    }

    written_again = {}
    with owner.cursor() as cursor:
        for policy in walls.policies():
            cursor.execute(f"CREATE TABLE copy (LIKE {policy.table})")
            cursor.execute(policy.statement.replace(policy.table, "copy"))
            cursor.execute(
                "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy"
                " WHERE polrelid = 'copy'::regclass"
            )
            rule = cursor.fetchone()[0].replace("copy.", f"{policy.table}.")
            written_again[f"{policy.table}.{policy.name}"] = rule
            cursor.execute("DROP TABLE copy")

    assert standing == written_again


# --- Roles ----------------------------------------------------------------------------------------


def test_the_application_is_held_by_them_and_owns_nothing() -> None:
    app = settings.DATABASES["default"]["USER"]

    rights = rows(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
        " FROM pg_roles WHERE rolname = %s",
        app,
    )
    owned = rows(
        "SELECT 1 FROM pg_shdepend JOIN pg_roles r ON r.oid = refobjid"
        " WHERE deptype = 'o' AND rolname = %s",
        app,
    )
    belongs_to = rows(
        "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole", app
    )

    assert (rights, owned, belongs_to) == ([(False,) * 5], [], [])


def test_the_system_role_bypasses_policies_and_can_do_nothing_else_that_the_owner_can() -> None:
    system = settings.DATABASES["system"]["USER"]

    rights = rows(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s",
        system,
    )
    owned = rows(
        "SELECT 1 FROM pg_shdepend JOIN pg_roles r ON r.oid = refobjid"
        " WHERE deptype = 'o' AND rolname = %s",
        system,
    )

    assert (rights, owned) == ([(False, True, False, False)], [])


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE {owner}",
        "SET ROLE {system}",
        "SET SESSION AUTHORIZATION {owner}",
        "ALTER ROLE {app} BYPASSRLS",
        "ALTER TABLE organizations_owner DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE organizations_owner OWNER TO {app}",
        "DROP POLICY of_its_organization ON organizations_owner",
        "CREATE POLICY everything ON organizations_owner USING (true)",
        "CREATE TABLE copy AS SELECT 1",
        "CREATE FUNCTION around() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "TRUNCATE organizations_owner CASCADE",
        "COPY organizations_owner TO PROGRAM 'cat'",
        "UPDATE organizations_auditevent SET action = 'nothing'",
        "DELETE FROM organizations_auditevent",
        "TRUNCATE organizations_auditevent",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_cannot_take_them_down(application: Any, statement: str) -> None:
    roles = {
        short: settings.DATABASES[alias]["USER"]
        for short, alias in (("app", "default"), ("owner", "owner"), ("system", "system"))
    }

    with application.cursor() as cursor, pytest.raises(InsufficientPrivilege):
        cursor.execute(statement.format(**roles))


def test_row_security_switched_off_is_an_error_and_no_way_around(application: Any) -> None:
    """The setting makes PostgreSQL refuse what a policy would have filtered."""
    with application.cursor() as cursor:
        cursor.execute("SET row_security = off")
        with pytest.raises(InsufficientPrivilege):
            cursor.execute("SELECT * FROM organizations_owner")


def test_the_system_role_removes_from_the_audit_log_but_changes_nothing_in_it() -> None:
    system = settings.DATABASES["system"]["USER"]

    held = [
        right
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
        if rows("SELECT has_table_privilege(%s, 'organizations_auditevent', %s)", system, right)
        == [(True,)]
    ]

    assert held == ["SELECT", "INSERT", "DELETE"]


# --- Look-ups -------------------------------------------------------------------------------------


def test_the_functions_around_the_wall_are_those_that_are_written_down() -> None:
    of_ours = rows(
        "SELECT proname, prosecdef, provolatile, proconfig, pg_get_userbyid(proowner),"
        " pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid)"
        " FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace"
        " WHERE nspname = 'public' AND prosecdef"
    )

    ids_only = "TABLE(id bigint, organization_id bigint)"
    path = ["search_path=public, pg_temp"]
    owner = settings.DATABASES["owner"]["USER"]
    assert sorted(of_ours) == sorted(
        (each.name, True, "s", path, owner, each.kind, ids_only) for each in Lookup.every.values()
    )


def test_they_are_for_our_roles_alone() -> None:
    owner, app, system = (
        settings.DATABASES[alias]["USER"] for alias in ("owner", "default", "system")
    )

    held = rows(
        "SELECT DISTINCT coalesce(pg_get_userbyid(nullif(grantee, 0)), 'PUBLIC')"
        " FROM pg_proc p, aclexplode(p.proacl) WHERE proname = ANY(%s)",
        list(Lookup.every),
    )
    open_to_all = rows(
        "SELECT 1 FROM pg_proc WHERE proname = ANY(%s) AND proacl IS NULL", list(Lookup.every)
    )

    assert {name for (name,) in held} == {owner, app, system}
    assert open_to_all == []


def test_nobody_can_put_a_table_of_their_own_in_the_way(application: Any) -> None:
    """A temporary table comes first in every search path that does not name its place."""
    account = factories.VppAccountFactory()
    name = lookups.account.name

    with application.cursor() as cursor:
        cursor.execute("SELECT has_database_privilege(current_user, current_database(), 'TEMP')")
        may_make_one = cursor.fetchone()[0]
        if may_make_one:
            cursor.execute(
                "CREATE TEMP TABLE vpp_accounts_vppaccount (id bigint, organization_id bigint)"
            )
            cursor.execute("INSERT INTO vpp_accounts_vppaccount VALUES (%s, 4711)", [account.pk])
        cursor.execute(f"SELECT * FROM {name}(%s)", [account.pk])
        found = cursor.fetchall()

    assert found == []  # what the test wrote is not committed, and so not there for others
    assert lookups.account.organization(account.pk) == account.organization_id


def test_a_look_up_tells_where_to_work_and_nothing_is_seen_where_it_finds_nothing() -> None:
    account = factories.VppAccountFactory(organization__name="Found")

    with lookups.account.inside(account.pk):
        inside = list(Organization.objects.values_list("name", flat=True))
    with lookups.account.inside(account.pk + 1):
        nowhere = lookups.account.organization(account.pk + 1)

    assert (inside, nowhere) == (["Found"], None)
