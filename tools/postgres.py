"""A PostgreSQL cluster of our own in a folder: three roles, one database, one port."""

import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tools import processes
from tools.binaries import Binaries
from tools.console import Problem
from tools.privileges import own_for_postgres, postgres_prefix

# The builtin locale compares like C and knows the case of every letter, on every platform alike.
BUILTIN_LOCALE = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
LOCALES = [BUILTIN_LOCALE, ["--locale=C.UTF-8"], ["--locale=C"]]
HBA = "host all all 127.0.0.1/32 scram-sha-256\n"
SECONDS_TO_START = 60
# pg_trgm makes contains-search fast; in template1, so that test databases have both.
EXTENSIONS = "; ".join(
    f"IF EXISTS (SELECT FROM pg_available_extensions WHERE name = '{name}')"
    f" THEN CREATE EXTENSION IF NOT EXISTS {name}; END IF"
    for name in ("pg_trgm", "btree_gin")
)


@dataclass(frozen=True)
class Cluster:
    """One data folder, and how its server is started."""

    data: Path
    binaries: Binaries
    passwords: dict[str, str]
    settings: tuple[str, ...]

    @property
    def log(self) -> Path:
        return self.data.with_suffix(".log")

    def create(self) -> None:
        """Make the data folder; killed in the middle, the next call begins again."""
        new = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True, mode=0o700)
        own_for_postgres(new)
        self._initdb(new)
        (new / "pg_hba.conf").write_text(HBA)
        self._single_user(new, "template1", [f"DO $$ BEGIN {EXTENSIONS}; END $$"])
        self._single_user(new, "postgres", roles_and_database(self.passwords))
        self._single_user(new, "vpp", ["ALTER SCHEMA public OWNER TO vpp_owner"])
        new.rename(self.data)

    def start(self, port: int) -> processes.Child:
        remove_stale_pid_file(self.data)
        options = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        with self.log.open("ab") as log:
            return processes.start(
                "postgres",
                [
                    *postgres_prefix(self.data),
                    *(self.binaries.path / "postgres", "-D", self.data),
                    *(part for option in [*options, *self.settings] for part in ("-c", option)),
                ],
                stop_signal=signal.SIGINT,  # its "fast" stop: does not wait for clients
                grace=30,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait(self, child: processes.Child) -> None:
        def settled() -> bool:
            return is_ready(self.data, child.popen.pid) or child.popen.poll() is not None

        processes.wait_until(settled, time.monotonic() + SECONDS_TO_START)
        if not is_ready(self.data, child.popen.pid):
            raise Problem(
                f"PostgreSQL did not start: {last_words(self.log)} (all of it: {self.log})"
            )

    def urls(self, port: int) -> dict[str, str]:
        roles = {"": "vpp_app", "OWNER_": "vpp_owner", "SYSTEM_": "vpp_system"}
        return {
            f"DATABASE_{name}URL": f"postgres://{role}:{self.passwords[role]}@127.0.0.1:{port}/vpp"
            for name, role in roles.items()
        }

    def _initdb(self, data: Path) -> None:
        command = [*postgres_prefix(data), str(self.binaries.path / "initdb"), "-D", str(data)]
        command += ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        for locale in LOCALES:
            made = subprocess.run([*command, *locale], capture_output=True, text=True, check=False)
            if made.returncode == 0:
                return
        raise Problem(f"PostgreSQL could not make its data folder: {made.stderr.strip()}")

    def _single_user(self, data: Path, database: str, statements: list[str]) -> None:
        """Run statements without a server: no port, no password, nobody else inside."""
        command = [*postgres_prefix(data), str(self.binaries.path / "postgres"), "--single"]
        command += ["-D", str(data), "-c", "exit_on_error=on", "-c", "fsync=off", database]
        script = "".join(statement + "\n" for statement in statements)
        ran = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise Problem(f"PostgreSQL could not be set up: {ran.stderr.strip()}")


def roles_and_database(passwords: dict[str, str]) -> list[str]:
    """The three roles: who owns and migrates, who serves, who may look across organizations."""
    rights = {"vpp_owner": "CREATEDB", "vpp_app": "", "vpp_system": "BYPASSRLS"}
    return [
        f"ALTER ROLE postgres PASSWORD '{passwords['postgres']}'",
        *(
            f"CREATE ROLE {role} LOGIN {right} PASSWORD '{passwords[role]}'"
            for role, right in rights.items()
        ),
        "GRANT vpp_app TO vpp_system",  # tests look at everything, and play the application
        "CREATE DATABASE vpp OWNER vpp_owner",
    ]


def data_version(data: Path) -> int | None:
    """The major version that made a data folder; None where there is none yet."""
    file = data / "PG_VERSION"
    return int(file.read_text()) if file.exists() else None


def is_ready(data: Path, pid: int) -> bool:
    lines = _pid_file(data)
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def remove_stale_pid_file(data: Path) -> None:
    """After a crash the file may name a pid that is somebody else's by now, and block the start."""
    lines = _pid_file(data)
    if not lines:
        return
    pid = int(lines[0])
    if str(data) in processes.command_of(pid):
        processes.end_stranger(processes.ProcessId.of(pid, signal.SIGINT))
    (data / "postmaster.pid").unlink(missing_ok=True)


def _pid_file(data: Path) -> list[str]:
    with suppress(OSError):
        return (data / "postmaster.pid").read_text().splitlines()
    return []


def last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    told = [line for line in lines if "FATAL" in line or "ERROR" in line]
    return (told or lines or ["it said nothing"])[-1].strip()
