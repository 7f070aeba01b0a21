"""./dev sdk: the unmodified `meraki` SDK, a new and an old one, against a demo that runs."""

import os
from pathlib import Path

from tools import paths
from tools.console import Problem
from tools.environment import Environment, sdk_lock
from tools.stopping import run_in_foreground

WALK = paths.ROOT / "tests" / "sdk" / "walk.py"
# Programs here ask this machine itself, whatever proxy it has for others.
DIRECT = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def walk(demo: Path = paths.VAR / "demo.json") -> int:
    if not demo.exists():
        raise Problem("No demo is running here. Start one with ./dev demo, then try again.")
    return max(walk_with(version, demo) for version in paths.SDK_VERSIONS)


def walk_with(version: str, demo: Path) -> int:
    folder = paths.VAR / "sdk"
    folder.mkdir(parents=True, exist_ok=True)
    environment = Environment(folder / version, sdk_lock(version), folder / f"{version}.lock")
    environment.ensure()
    return run_in_foreground([environment.python, WALK, demo], dict(os.environ) | DIRECT)
