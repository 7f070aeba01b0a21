"""Our own PostgreSQL and Valkey: roles, extensions, and an end that leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redis

from tools import paths, processes
from tools.credentials import kept_credentials, new_credentials
from tools.privileges import NOBODY
from tools.servers import THROWN_AWAY, Servers, remove_abandoned, throw_away
from tools.state import State, read_json

NAMES = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SYSTEM_URL", "REDIS_URL")
# What another `./dev test` does until it is killed.
HOLDER = """
import sys
from pathlib import Path
from tools.servers import throw_away
with throw_away(parent=Path(sys.argv[1])) as variables:
    print(variables["DATABASE_URL"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DEV_SERVERS", "wheel")


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def told_by(holder: "subprocess.Popen[str]") -> str:
    assert holder.stdout
    return next(line for line in holder.stdout if line.startswith("postgres://")).strip()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=paths.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


@pytest.mark.slow
def test_three_roles_a_database_and_extensions_for_test_databases_too(tmp_path: Path) -> None:
    with throw_away(parent=tmp_path) as variables:
        roles = ask(
            variables["DATABASE_URL"],
            "SELECT rolname, rolcreatedb, rolbypassrls, rolsuper FROM pg_roles"
            " WHERE rolname LIKE 'vpp%' ORDER BY 1",
        )
        ask(variables["DATABASE_OWNER_URL"], "CREATE DATABASE test_vpp")
        test_database = variables["DATABASE_OWNER_URL"].rpartition("/")[0] + "/test_vpp"
        extensions = ask(test_database, "SELECT extname FROM pg_extension ORDER BY 1")
        owner = ask(variables["DATABASE_SYSTEM_URL"], "SELECT nspowner::regrole::text"
                    " FROM pg_namespace WHERE nspname = 'public'")  # fmt: skip
        letters = ask(variables["DATABASE_URL"], "SELECT lower('ÄÉ'), 'Ä' ILIKE 'ä'")
        answered = redis.Redis.from_url(variables["REDIS_URL"]).ping()

    assert roles == [
        ("vpp_app", False, False, False),
        ("vpp_owner", True, False, False),
        ("vpp_system", False, True, False),
    ]
    assert extensions == [("btree_gin",), ("pg_trgm",), ("plpgsql",)]
    assert owner == [("vpp_owner",)]
    assert letters == [("äé", True)]
    assert answered
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_application_role_makes_no_tables_and_nobody_comes_in_without_a_password(
    tmp_path: Path,
) -> None:
    with throw_away(parent=tmp_path) as variables:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            ask(variables["DATABASE_URL"], "CREATE TABLE mine (id int)")
        wrong = variables["DATABASE_URL"].replace("vpp_app:", "vpp_app:x")
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            ask(wrong, "SELECT 1")
        host = variables["REDIS_URL"].rpartition("@")[2]
        with pytest.raises(redis.exceptions.AuthenticationError):
            redis.Redis.from_url(f"redis://{host}").ping()


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_cluster_of_another_user_runs_as_that_user_even_below_a_private_folder(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o700)
    credentials = new_credentials()
    servers = Servers(tmp_path, credentials, THROWN_AWAY, State(tmp_path / "state.json"))
    with servers.running() as variables:
        ask(variables["DATABASE_OWNER_URL"], "CREATE TABLE kept AS SELECT 7 AS value")
    subprocess.run(["chown", "-R", str(NOBODY), tmp_path / "postgres"], check=True)

    with servers.running() as variables:
        kept = ask(variables["DATABASE_OWNER_URL"], "SELECT value FROM kept")
        pid = servers.state.processes["postgres"].pid
        user = Path(f"/proc/{pid}").stat().st_uid

    assert (kept, user) == ([(7,)], NOBODY)
    assert servers.state.processes == {}


@pytest.mark.slow
def test_a_killed_start_takes_its_servers_along_and_the_next_one_clears_its_folder(
    tmp_path: Path, holder: "subprocess.Popen[str]"
) -> None:
    url = told_by(holder)
    (folder,) = tmp_path.iterdir()
    state = State.load(folder / "state.json")
    assert ask(url, "SELECT 1") == [(1,)]

    holder.send_signal(signal.SIGKILL)
    holder.wait()

    def all_gone() -> bool:
        return not any(process.group() for process in state.processes.values())

    assert sorted(state.processes) == ["postgres", "valkey"]
    assert processes.wait_until(all_gone, time.monotonic() + 20)
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_servers_in_use_are_not_abandoned(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    url = told_by(holder)

    remove_abandoned(tmp_path)

    assert ask(url, "SELECT 1") == [(1,)]


def test_servers_that_you_name_are_used_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yours = {"DATABASE_URL": "postgres://me@db/mine", "REDIS_URL": "redis://cache/3"}
    for name, value in yours.items():
        monkeypatch.setenv(name, value)

    with throw_away(parent=tmp_path) as variables:
        named = {name: variables.get(name) for name in NAMES}

    assert named == dict.fromkeys(NAMES) | yours


def test_passwords_are_made_once_and_only_we_can_read_them(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secrets.json"

    first = kept_credentials(path)

    assert kept_credentials(path) == first == read_json(path)
    assert path.stat().st_mode & 0o777 == 0o600
