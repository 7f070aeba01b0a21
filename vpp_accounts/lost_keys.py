"""A key of FIELD_ENCRYPTION_KEYS that is missing: said at the start, with the accounts it costs.

Nothing stops for it: the accounts whose token opens go on, the others say so on Organization > MDM.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from organizations.crypto import CannotDecrypt
from vpp_accounts.models import VppAccount

log = structlog.get_logger(__name__)

SECONDS = 3.0  # a start does not wait longer
NAMED = 50
WAY_OUT = (
    "Put the lost key back into FIELD_ENCRYPTION_KEYS behind the others and restart, or renew the"
    " tokens of these accounts; `manage.py rotate_encryption_keys --check` lists everything."
)
NEEDED = ("pk", "name", "organization", "uuid", "token_ciphertext")


@dataclass(slots=True)
class Looked:
    """`is_all`: there was time to look at every account."""

    lost: list[VppAccount] = field(default_factory=list)
    is_all: bool = True


def look(seconds: float = SECONDS) -> Looked:
    """The accounts whose tokens no key opens, of all organizations: a few thousand a second."""
    looked, end = Looked(), time.monotonic() + seconds
    accounts = VppAccount.objects.using("system").only(*NEEDED).order_by("pk")
    for account in accounts.iterator(chunk_size=500):
        if time.monotonic() > end:
            looked.is_all = False
            break
        try:
            account.stoken  # noqa: B018  opened, and not kept
        except CannotDecrypt:
            looked.lost.append(account)
    return looked


def say() -> None:
    """Into the log, where the operator looks. Whatever goes wrong here is no reason not to start."""
    try:
        looked = look()
    except (DatabaseError, ImproperlyConfigured) as error:
        log.warning("encryption.not_checked", error=str(error))
        return
    if looked.lost:
        log.error(
            "encryption.key_missing",
            accounts=[f"{account.pk} {account.name}" for account in looked.lost[:NAMED]],
            count=len(looked.lost),
            looked_at_all=looked.is_all,
            way_out=WAY_OUT,
        )


def say_at_start() -> None:
    """Beside the start, which a silent database must not hold up."""
    thread = threading.Thread(target=_say_and_hang_up, daemon=True, name="lost-keys")
    thread.start()
    # Mostly it is over by then, and no connection is open when processes are forked.
    thread.join(SECONDS)


def _say_and_hang_up() -> None:
    try:
        say()
    finally:
        connections.close_all()
