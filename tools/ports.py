"""TCP ports on 127.0.0.1: which is free, and who holds the one that is not."""

import socket
from contextlib import suppress
from pathlib import Path

from tools.console import Problem
from tools.processes import command_of

LISTENING = "0A"


def is_free(port: int) -> bool:
    with socket.socket() as sock:
        # As servers do: a port whose last connections are still winding down is free.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def require_free(port: int, *, option: str) -> None:
    if not is_free(port):
        raise Problem(
            f"Port {port} is taken by {holder(port)}. Stop it, or choose another port with"
            f" {option} {port + 1}."
        )


def holder(port: int) -> str:
    """Who listens on a port, for people: `pid 123: python3 -m http.server`."""
    for pid in _pids_with_socket(_listening_inodes(port)):
        if command := command_of(pid):
            return f"pid {pid}: {command[:120]}"
    return "another program"


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTENING and int(local.rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{inode}]")
    return inodes


def _pids_with_socket(inodes: set[str]) -> list[int]:
    pids = []
    for folder in Path("/proc").glob("[0-9]*/fd") if inodes else ():
        with suppress(OSError):  # the process has ended, or is somebody else's
            if any(str(link.readlink()) in inodes for link in folder.iterdir()):
                pids.append(int(folder.parent.name))
    return pids
