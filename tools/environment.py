"""Python environments: made once from hash-locked requirements, then left alone."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import paths
from tools.console import Problem, say, timed
from tools.locks import locked

PIP = ["--require-hashes", "--no-deps", "--disable-pip-version-check", "--no-input", "-qq"]


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds exactly what a lock file names."""

    folder: Path
    lock_file: Path
    guard: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def name(self) -> str:
        return os.path.relpath(self.folder, paths.ROOT)

    @property
    def stamp(self) -> Path:
        """Says what was installed; written last, taken away first."""
        return self.folder / "installed.sha256"

    def digest(self) -> str:
        # Scripts in a virtual environment know its place, so a moved project needs a new one.
        return hashlib.sha256(str(self.folder).encode() + self.lock_file.read_bytes()).hexdigest()

    def is_complete(self) -> bool:
        return self.python.exists() and self._stamped() == self.digest()

    def ensure(self) -> None:
        if self.is_complete():
            return
        with locked(self.guard):
            if not self.is_complete():  # another ./dev may just have done it
                self._build()

    def _stamped(self) -> str:
        return self.stamp.read_text() if self.stamp.exists() else ""

    def _build(self) -> None:
        say(f"Setting up {self.name} from the lock file (half a minute the first time) …")
        uv = shutil.which("uv")
        with timed("environment ready"):
            if not (self.python.exists() and self._stamped()):
                # No stamp: an earlier start was killed in the middle, and nothing in it is sure.
                self._create(uv)
            self.stamp.unlink(missing_ok=True)
            self._install(uv)
            self.stamp.write_text(self.digest())

    def _create(self, uv: str | None) -> None:
        try:
            if uv:
                run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, self.folder])
            else:
                venv.create(self.folder, clear=True, symlinks=True, with_pip=True)
        except (subprocess.CalledProcessError, ImportError) as error:
            raise Problem(
                f"{sys.executable} cannot make a virtual environment. On Debian and Ubuntu:"
                " apt-get install python3-venv."
            ) from error

    def _install(self, uv: str | None) -> None:
        if uv:
            # uv brings its own list of certificates and would not know a company's proxy.
            command: list[str | Path] = [
                uv,
                "pip",
                "install",
                "--system-certs",
                "--require-hashes",
                "--quiet",
            ]
            command += ["--python", self.python, "-r", self.lock_file]
        else:
            command = [self.python, "-m", "pip", "install", *PIP, "-r", self.lock_file]
        try:
            run(command)
        except subprocess.CalledProcessError as error:
            raise Problem(
                "The packages could not be installed; the lines above say why. Behind a proxy, set"
                " HTTPS_PROXY (and PIP_INDEX_URL for a mirror), then start again."
            ) from error


def run(command: Sequence[str | Path]) -> None:
    subprocess.run([str(part) for part in command], check=True, cwd=paths.ROOT)


def ensure_environment() -> None:
    Environment(paths.VENV, paths.LOCK_FILE, paths.VAR / "environment.lock").ensure()


def prepare_home() -> None:
    """Give programs a home folder where the account has none, or one it may not write."""
    home = os.environ.get("HOME", "")
    if not (home and os.access(home, os.W_OK)):
        own = paths.VAR / "home"
        own.mkdir(parents=True, exist_ok=True)
        os.environ["HOME"] = str(own)


def require_writable() -> None:
    if not os.access(paths.ROOT, os.W_OK):
        raise Problem(f"{paths.ROOT} cannot be written. Use a copy of the project that is yours.")


def relock() -> int:
    """Write the lock files again; they name no registry."""
    uv = shutil.which("uv")
    if uv is None:
        raise Problem("./dev lock needs uv on PATH: pip install uv, then start again.")
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate"]
    options += ["--no-header", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    for target, sources in locks().items():
        run([uv, "pip", "compile", *sources, *options, "-o", target])
    return 0


def locks() -> dict[Path, list[str | Path]]:
    """Each lock file, and what it is made from."""
    groups: dict[str, list[str | Path]] = {"production": [], "development": ["--group", "dev"]}
    ours = {
        paths.ROOT / "requirements" / f"{name}.txt": ["pyproject.toml", *group]
        for name, group in groups.items()
    }
    theirs = {
        sdk_lock(version): [sdk_lock(version).with_suffix(".in")] for version in paths.SDK_VERSIONS
    }
    return ours | theirs


def sdk_lock(version: str) -> Path:
    return paths.ROOT / "requirements" / f"meraki-{version}.txt"
