"""A worker in a process of its own that kills itself, as `kill -9` would, at a step of the engine."""

import os
import signal
import sys

import django

django.setup()

from licensing import batches
from licensing.batches import steps
from vpp_accounts import connections, lookups
from vpp_accounts.apple.pacing import LocalPacer


def die(step: str) -> None:
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)


connections._pacer = lambda key: LocalPacer(1000)  # no Redis in tests
steps.reached = die
with lookups.account.inside(int(sys.argv[1])):  # as the task does
    batches.run(account_id=int(sys.argv[1]))
