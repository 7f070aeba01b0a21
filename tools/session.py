"""The servers in var/: one `./dev` starts and stops them, others join while they run."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tools import paths
from tools.console import Problem, say
from tools.credentials import kept_credentials
from tools.locks import locked
from tools.processes import ProcessId
from tools.servers import KEEPING, Servers, secret_variables
from tools.state import State

OWNER = paths.VAR / "lock"
GUESTS = paths.VAR / "guests.lock"


@dataclass(frozen=True)
class Session:
    """What was found in var/."""

    state: State
    credentials: dict[str, str]

    @classmethod
    def load(cls) -> "Session":
        state = State.load(paths.VAR / "state.json")
        return cls(state, kept_credentials(paths.VAR / "secrets.json"))

    @property
    def servers(self) -> Servers:
        return Servers(paths.VAR, self.credentials, KEEPING, self.state)

    def begin(self) -> None:
        """Be the owner; end what an earlier one left running."""
        if ended := self.state.end_leftovers():
            say(f"  ended what an earlier start left running: {', '.join(ended)}")
        self.state["owner"] = ProcessId.of(os.getpid(), signal.SIGTERM).as_json()


@contextmanager
def joined() -> Iterator[dict[str, str]]:
    """The variables of the servers in var/: the running ones, or our own for as long as needed."""
    with locked(OWNER, wait=False) as ours:
        if not ours:
            with locked(GUESTS, shared=True):
                session = Session.load()
                yield session.servers.urls() | secret_variables(session.credentials)
            return
        session = Session.load()
        session.begin()
        with session.servers.running() as variables:
            yield variables | secret_variables(session.credentials)
            with locked(GUESTS):
                pass  # the last to leave turns off the light


@contextmanager
def owned() -> Iterator[None]:
    """Be the only one that starts things in var/; a Problem tells who else is."""
    with locked(OWNER, wait=False) as ours:
        if not ours:
            raise Problem(f"Another ./dev is at work in {paths.VAR}{_who()}. Stop it first.")
        yield


def _who() -> str:
    row = State.load(paths.VAR / "state.json")["owner"]
    return f" (pid {ProcessId(**row).pid})" if row else ""
