"""What this app does itself when it announces something: ring for a worker."""

from __future__ import annotations

from typing import Any

from vpp_accounts import hooks
from vpp_accounts.tasks import say_goodbye


def connect() -> None:
    hooks.goodbye_due.connect(start_goodbye, dispatch_uid="vpp_accounts.start_goodbye")


def start_goodbye(sender: Any, *, former_claim_id: int, **kwargs: Any) -> None:
    say_goodbye.delay(former_claim_id=former_claim_id)
