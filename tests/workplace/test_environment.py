"""The environment: made once, repaired after a kill, left alone when nothing changed."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.console import Problem
from tools.environment import Environment

# Stands in for uv, so that no test waits for pip: makes bare environments, notes what it installs.
UV = """#!/bin/sh
case "$1" in
  venv) for folder; do :; done; exec {python} -m venv --without-pip --clear "$folder" ;;
  pip) echo "$@" >> {notes}; exit $UV_EXIT_CODE ;;
esac
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """One with an empty lock file and no uv in reach: nothing is downloaded, pip does the work."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    lock_file = tmp_path / "requirements.txt"
    lock_file.write_text("# nothing\n")
    return Environment(tmp_path / ".venv", lock_file, tmp_path / "guard")


@pytest.fixture
def uv_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """uv in reach; in this file stands what it was asked to install."""
    notes = tmp_path / "notes"
    (tmp_path / "uv").write_text(UV.format(python=sys.executable, notes=notes))
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("UV_EXIT_CODE", "0")
    return notes


@pytest.mark.slow
def test_what_a_kill_left_half_made_is_made_again_by_one_of_those_who_ask(
    environment: Environment,
) -> None:
    half_installed = environment.folder / "lib" / "half-installed"
    half_installed.mkdir(parents=True)
    environment.python.parent.mkdir()
    environment.python.symlink_to(sys.executable)

    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: environment.ensure(), range(2)))

    assert environment.is_complete()
    assert not half_installed.exists()
    assert subprocess.check_output([environment.python, "-c", "print(6 * 7)"]) == b"42\n"


def test_uv_installs_where_it_is_there_once_whoever_asks(
    environment: Environment, uv_notes: Path
) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: environment.ensure(), range(2)))
    environment.ensure()

    assert uv_notes.read_text().splitlines() == [
        "pip install --system-certs --require-hashes --quiet"
        f" --python {environment.python} -r {environment.lock_file}"
    ]


def test_another_lock_file_is_installed_into_the_same_environment(
    environment: Environment, uv_notes: Path
) -> None:
    environment.ensure()
    (environment.folder / "kept").touch()

    environment.lock_file.write_text("# changed\n")
    complete_before = environment.is_complete()
    environment.ensure()

    assert (complete_before, environment.is_complete()) == (False, True)
    assert (environment.folder / "kept").exists()
    assert len(uv_notes.read_text().splitlines()) == 2


def test_a_package_that_cannot_be_installed_is_told_and_leaves_no_stamp(
    environment: Environment, uv_notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_EXIT_CODE", "1")

    with pytest.raises(Problem, match="could not be installed"):
        environment.ensure()

    assert uv_notes.exists()
    assert not environment.is_complete()
