"""PostgreSQL wants to run as somebody who is not root and has a name; how to be that somebody.

None of these ways changes the machine: no user is made, no folder opened to others.
"""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tools.console import Problem

NOBODY = 65534


def own_for_postgres(folder: Path) -> None:
    """Give a new data folder to the account that PostgreSQL will run as."""
    if os.geteuid() == 0 and not works(in_user_namespace()):
        os.chown(folder, NOBODY, NOBODY)


def postgres_prefix(folder: Path) -> list[str]:
    """What stands before a PostgreSQL command, so that it runs as the owner of its data folder."""
    owner, us = folder.stat().st_uid, os.geteuid()
    if owner != us != 0:
        raise Problem(
            f"{folder} belongs to another user, from an earlier start as root perhaps."
            " Start as that user, or give the folder var/ to yourself with chown -R."
        )
    if us != 0 and has_name(us):
        return []
    prefix = in_user_namespace() if owner == us else as_user(owner)
    if works(prefix):
        return prefix
    raise Problem(
        "PostgreSQL does not run as root or as a user without a name, and this machine allows no"
        " way around it. Run ./dev as a plain user, or name your own server in DATABASE_URL."
    )


def in_user_namespace() -> list[str]:
    """Inside, the process is `nobody` by its own account; outside, its files stay ours."""
    return ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]


def as_user(uid: int) -> list[str]:
    # It keeps one right of root's, to pass through folders that only root may enter. Changing the
    # user clears the wish to die with the parent, so that is asked for again.
    return [
        *("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--pdeathsig=INT"),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
    ]


def has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def works(prefix: list[str]) -> bool:
    """Does the machine have the program, and does the kernel let it?"""
    if not shutil.which(prefix[0]):
        return False
    return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
