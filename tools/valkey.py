"""A Valkey (or Redis) of our own: in memory only, behind a password, on one port."""

import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tools import processes
from tools.binaries import Binaries
from tools.console import Problem
from tools.postgres import last_words

SECONDS_TO_START = 30


@dataclass(frozen=True)
class Valkey:
    """One folder, and how its server is started."""

    folder: Path
    binaries: Binaries
    password: str

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def start(self, port: int) -> processes.Child:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = processes.start(
                "valkey",
                [self.binaries.path, "-"],
                stdin=subprocess.PIPE,  # the configuration, so that no list of processes shows it
                stdout=log,
                stderr=log,
            )
        assert child.popen.stdin
        with child.popen.stdin as configuration:
            configuration.write(self._configuration(port).encode())
        return child

    def wait(self, child: processes.Child, port: int) -> None:
        def settled() -> bool:
            return self._answers(port) or child.popen.poll() is not None

        processes.wait_until(settled, time.monotonic() + SECONDS_TO_START)
        if not self._answers(port):
            raise Problem(f"Valkey did not start: {last_words(self.log)} (all of it: {self.log})")

    def url(self, port: int) -> str:
        return f"redis://:{self.password}@127.0.0.1:{port}/0"

    def _configuration(self, port: int) -> str:
        # No file to keep: the broker is a doorbell, what must happen stands in the database.
        lines = ["bind 127.0.0.1", f"port {port}", f"requirepass {self.password}"]
        lines += ['save ""', "appendonly no", "daemonize no", f'dir "{self.folder}"']
        return "\n".join(lines) + "\n"

    def _answers(self, port: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\n".encode())
                return connection.recv(16).startswith(b"+OK")
        except OSError:
            return False
