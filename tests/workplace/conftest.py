"""`./dev` in a folder of its own, as a person at a terminal would start it."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools import paths

Dev = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def dev(tmp_path: Path) -> Dev:
    def run(*arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE", "REDIS"))}
        return subprocess.run(
            [str(paths.ROOT / "dev"), *arguments],
            env=inherited | {"DEV_VAR": str(tmp_path / "var")} | env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]
