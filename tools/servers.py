"""PostgreSQL and Valkey for a while: those you name, or our own."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tools import binaries, processes
from tools.console import Problem, paint, say
from tools.credentials import new_credentials
from tools.ports import free_port
from tools.postgres import Cluster, data_version
from tools.state import State
from tools.valkey import Valkey

PREFIX = "vpp-servers-"
SENSIBLE = ("max_wal_size=4GB", "max_connections=100", "jit=off")
KEEPING = (*SENSIBLE, "shared_buffers=256MB")
THROWN_AWAY = (*KEEPING, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
MEASURED = (*SENSIBLE, "shared_buffers=1GB")


@dataclass(frozen=True)
class Servers:
    """The servers in one folder; a server that the environment names is left to you."""

    folder: Path
    credentials: dict[str, str]
    settings: tuple[str, ...]
    state: State

    @contextmanager
    def running(self) -> Iterator[dict[str, str]]:
        """Start what is not named, yield the variables that programs need, end it on leaving."""
        children: list[processes.Child] = []
        try:
            yield self._start(children)
        finally:
            processes.stop(reversed(children))
            for child in children:
                self.state.forget(child.name)

    def urls(self) -> dict[str, str]:
        """The variables for servers that run already, on the ports in the state file."""
        variables = named_by_you()
        if "DATABASE_URL" not in variables:
            variables |= self._cluster().urls(self.state["postgres_port"])
        if "REDIS_URL" not in variables:
            variables["REDIS_URL"] = self._valkey().url(self.state["valkey_port"])
        return variables

    def require_alive(self) -> None:
        for name in ("postgres", "valkey"):
            process = self.state.processes.get(name)
            if process and not process.is_alive():
                raise Problem(f"{name} has ended; {self.folder / name}.log says why. Start again.")

    def _start(self, children: list[processes.Child]) -> dict[str, str]:
        cluster = valkey = None
        if not os.environ.get("REDIS_URL"):
            valkey = self._valkey()
            valkey_child = self._begin("valkey", valkey, children)
        if not os.environ.get("DATABASE_URL"):
            cluster = self._cluster()
            if data_version(cluster.data) is None:
                cluster.create()
            cluster.wait(self._begin("postgres", cluster, children))
        if valkey:
            valkey.wait(valkey_child, self.state["valkey_port"])
        return self.urls()

    def _begin(
        self, name: str, server: Cluster | Valkey, children: list[processes.Child]
    ) -> processes.Child:
        port = self.state[f"{name}_port"] = free_port(self.state[f"{name}_port"])
        child = server.start(port)
        children.append(child)
        self.state.remember(child)
        found = server.binaries
        say(f"  {paint(name, 'green')} {found.version} ({found.source}) on port {port}")
        return child

    def _cluster(self) -> Cluster:
        data = self.folder / "postgres"
        found = binaries.find_postgres(made_by=data_version(data))
        return Cluster(data, found, self.credentials, self.settings)

    def _valkey(self) -> Valkey:
        return Valkey(self.folder / "valkey", binaries.find_valkey(), self.credentials["valkey"])


def named_by_you() -> dict[str, str]:
    names = ["REDIS_URL"]
    if os.environ.get("DATABASE_URL"):
        names += ["DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SYSTEM_URL"]
    return {name: os.environ[name] for name in names if os.environ.get(name)}


@contextmanager
def throw_away(
    settings: tuple[str, ...] = THROWN_AWAY, parent: Path | None = None
) -> Iterator[dict[str, str]]:
    """Servers in a temporary folder; yield the variables, secrets included."""
    parent = parent or Path(tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    try:
        credentials = new_credentials()
        state = State(folder / "state.json")
        state["owner"] = processes.ProcessId.of(os.getpid(), signal.SIGTERM).as_json()
        with Servers(folder, credentials, settings, state).running() as variables:
            yield variables | secret_variables(credentials)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(parent: Path) -> None:
    """Clear away the folders that a `kill -9` left, and what still runs in them."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):  # its owner clears it away this very moment
            if folder.stat().st_uid == os.geteuid():
                _remove_if_abandoned(folder)


def _remove_if_abandoned(folder: Path) -> None:
    state = State.load(folder / "state.json")
    owner = state["owner"]
    if owner and not processes.ProcessId(**owner).is_alive():
        state.end_leftovers()
        shutil.rmtree(folder, ignore_errors=True)


def secret_variables(credentials: dict[str, str]) -> dict[str, str]:
    return {name: credentials[name] for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS")}
