"""./dev check: everything that can be said about the code without running it."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools import paths
from tools.console import paint, say
from tools.variables import for_production_checks, for_programs

PYTHON = str(paths.PYTHON)
RUFF = (PYTHON, "-m", "ruff")
DJLINT = (PYTHON, "-m", "djlint")
# Only this one warning: there is no database here to compare the history of migrations with.
NO_HISTORY = "ignore:Got an error checking a consistent migration history:RuntimeWarning"


@dataclass(frozen=True)
class Check:
    """One program that has an opinion about the code; exit code 0 is a good one."""

    name: str
    command: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)


def checks() -> Iterator[Check]:
    production = for_production_checks()
    python_files = [".", "dev"]
    yield Check("format", (*RUFF, "format", "--check", "--quiet", *python_files))
    yield Check("lint", (*RUFF, "check", "--quiet", *python_files))
    yield Check("layers", (str(paths.PYTHON.with_name("lint-imports")),), production)
    if templates := template_folders():
        yield Check("template format", (*DJLINT, "--check", "--quiet", *templates))
        yield Check("template lint", (*DJLINT, "--lint", "--quiet", *templates))
    yield Check("types", (PYTHON, "-m", "mypy"), production)
    migrations = ("manage.py", "makemigrations", "--check", "--dry-run")
    yield Check("migrations", (PYTHON, "-W", NO_HISTORY, *migrations), production)
    deploy = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    yield Check("deployment", (PYTHON, *deploy), production)


def template_folders() -> list[str]:
    folders = [paths.ROOT / "templates", *paths.ROOT.glob("*/templates")]
    return [
        str(folder.relative_to(paths.ROOT)) for folder in folders if any(folder.rglob("*.html"))
    ]


def run_checks() -> int:
    """Run them all, so that one run tells everything; exit code 1 if one failed."""
    failed = [check.name for check in checks() if not passes(check)]
    say()
    say(paint(f"Failed: {', '.join(failed)}", "red") if failed else paint("All good.", "green"))
    return 1 if failed else 0


def passes(check: Check, root: Path = paths.ROOT) -> bool:
    started = time.monotonic()
    ran = subprocess.run(
        check.command,
        cwd=root,
        env=for_programs(check.env),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    good = ran.returncode == 0
    mark = paint("ok", "green") if good else paint("failed", "red")
    say(f"{check.name:<16} {time.monotonic() - started:5.1f} s  {mark}")
    if not good:
        say(ran.stdout.rstrip())
    return good


def run_format() -> int:
    """Put right what a program can put right; say what is left."""
    commands: list[Sequence[str]] = [(*RUFF, "format"), (*RUFF, "check", "--fix")]
    codes = [subprocess.call([*command, ".", "dev"], cwd=paths.ROOT) for command in commands]
    if templates := template_folders():
        # djlint's exit code here says that it changed something, which is what was asked for
        subprocess.call([*DJLINT, "--reformat", "--quiet", *templates], cwd=paths.ROOT)
    return max(codes)


def run_translations() -> int:
    """In the environment, which has Django and Babel."""
    return subprocess.call([PYTHON, "-m", "tools.translations"], cwd=paths.ROOT)
