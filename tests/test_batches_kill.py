"""The worker's process is really killed, and another one ends what it began."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from licensing.batches import steps
from licensing.models import BatchState, Writer
from tests.draining import at_apple, begin, drain, synced
from tests.test_sync import KEYNOTE, holders
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.server import serving
from vpp_accounts.models import VppAccount

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"]),
]


def url_of(alias: str) -> str:
    database = settings.DATABASES[alias]
    login = f"{database['USER']}:{database['PASSWORD'] or 'x'}"
    return f"postgres://{login}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def work_and_die(account: VppAccount, apple_url: str, *, at: str) -> int:
    """The exit status of a worker that is told to die at this step."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "vpp_dashboard.settings",
        "VPP_ENVIRONMENT": "test",
        "APPLE_VPP_CLIENT": "http",
        "APPLE_VPP_BASE_URL": f"{apple_url}/mdm/v2/",
        "DATABASE_URL": url_of("default"),
        "DATABASE_SYSTEM_URL": url_of("default"),
        "DATABASE_OWNER_URL": url_of("owner"),
    }
    command = [sys.executable, "-m", "tests.killed_worker", str(account.pk), at]
    return subprocess.run(command, env=environment, timeout=60, check=False).returncode


@pytest.mark.parametrize("step", [steps.MARKED, steps.ANSWERED])
def test_a_killed_worker_leaves_nothing_half_done(
    step: str, fake: FakeApple, account: VppAccount
) -> None:
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    titles = synced(account)
    batch = begin("grant", titles.values(), serials=["S1", "S2", "S3"])

    with serving(fake) as server:
        status = work_and_die(account, server.url, at=step)
    assert status == -9
    assert Writer.objects.get(account=account).lease_until is not None  # it died holding it
    drain(account, fake)

    batch.refresh_from_db()
    assert (batch.state, batch.succeeded) == (BatchState.FINISHED, 3)
    assert at_apple(fake, account) == holders(account) == {(KEYNOTE, f"S{n}") for n in (1, 2, 3)}
