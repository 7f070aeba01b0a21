"""What this app announces; higher apps register for it in their AppConfig.

All of them are sent inside the transaction. Receivers of the first three answer the id of the batch
that they began, or None.

`people_added(account, user_ids, by)`: people of the account whom Apple does not know yet.
`people_changed(account, user_ids, by)`: Apple knows them by another e-mail address or another Managed
Apple Account than is said of them now.
`invitations_wanted(account, user_ids, by)`: they are to be invited as soon as that is possible.
`invitations_mailed(outcomes)`: pairs of an invitation and, where its mail was given up, the reason.
`people_moved(account)`: people came to be known to Apple in this account, accepted, or are gone from it.
`import_waits(import_id)`: a file is to be read, or its rows to be written; sent after the commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.dispatch import Signal

from organizations.audit import Actor
from vpp_accounts.models import VppAccount

people_added = Signal()
people_changed = Signal()
invitations_wanted = Signal()
invitations_mailed = Signal()
people_moved = Signal()
import_waits = Signal()


def announce(
    signal: Signal, *, account: VppAccount, user_ids: Sequence[int], by: Actor
) -> int | None:
    """Send one of the first three; the id of the batch that somebody began for it."""
    answers = signal.send(VppAccount, account=account, user_ids=user_ids, by=by)
    batches: list[Any] = [batch_id for _, batch_id in answers if batch_id is not None]
    return batches[0] if batches else None
