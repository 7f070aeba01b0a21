"""./dev at the terminal: what it answers to wrong input, and what it passes on."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.workplace.conftest import Dev
from tools.state import State


@pytest.mark.parametrize("arguments", [[], ["fly"], ["demo", "--port", "http"]])
def test_a_command_that_does_not_exist_is_told_with_exit_code_2(
    dev: Dev, arguments: list[str]
) -> None:
    refused = dev(*arguments)

    assert refused.returncode == 2
    assert refused.stderr.startswith("usage: ./dev")


def test_a_port_that_is_taken_is_told_before_anything_starts(dev: Dev, taken_port: int) -> None:
    refused = dev("demo", "--port", str(taken_port))

    assert refused.returncode == 1
    assert f"Port {taken_port} is taken by pid {os.getpid()}: " in refused.stderr
    assert "postgres" not in refused.stdout


def test_reset_keeps_its_hands_off_your_own_database(dev: Dev) -> None:
    refused = dev("demo", "--reset", DATABASE_URL="postgres://me@127.0.0.1/mine")

    assert refused.returncode == 1
    assert refused.stderr.startswith("--reset empties the embedded database only")


def test_an_unknown_benchmark_is_told(dev: Dev) -> None:
    refused = dev("bench", "warp-drive")

    assert refused.returncode == 1
    assert refused.stderr.startswith("There is no benchmark 'warp-drive'.")


@pytest.mark.slow
def test_manage_has_servers_and_passes_the_exit_code_on(dev: Dev, tmp_path: Path) -> None:
    asked = "from django.db import connection as c; c.ensure_connection(); raise SystemExit(7)"

    ran = dev("manage", "shell", "--no-imports", "-c", asked)

    assert (ran.returncode, ran.stderr) == (7, "")
    assert State.load(tmp_path / "var" / "state.json").processes == {}


def test_a_python_that_is_too_old_finds_a_newer_one(tmp_path: Path) -> None:
    """The entry itself has to be understood by every Python 3 there is."""
    source = (Path(__file__).parents[2] / "dev").read_text()

    parsed = subprocess.run(
        ["python3", "-c", "import ast, sys; ast.parse(sys.stdin.read(), feature_version=(3, 5))"],
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (parsed.returncode, parsed.stderr) == (0, "")
