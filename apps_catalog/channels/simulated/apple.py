"""Whether Apple has a license for a device or its user: what a real device asks Apple itself.

Asked per app and account, never per device.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from contextlib import closing

from organizations.crypto import CannotDecrypt
from vpp_accounts.apple.errors import AppleError
from vpp_accounts.connections import client_for
from vpp_accounts.models import VppAccount


class Holders:
    """By Adam ID, the serial numbers and client user ids that Apple lists."""

    def __init__(self, organization_id: int, adam_ids: Collection[str]) -> None:
        self._found: defaultdict[str, set[str]] = defaultdict(set)
        self._unsure: set[str] = set()
        accounts = VppAccount.objects.filter(organization=organization_id)
        for account in accounts if adam_ids else ():
            self._ask(account, adam_ids)

    def _ask(self, account: VppAccount, adam_ids: Collection[str]) -> None:
        try:
            client = client_for(account)
        except CannotDecrypt:
            self._unsure |= set(adam_ids)
            return
        with closing(client):
            for adam_id in sorted(adam_ids):
                try:
                    rows = client.assignments(adam_id=adam_id).rows()
                    self._found[adam_id] |= {
                        (row.serial_number or "").upper() or row.client_user_id or ""
                        for row in rows
                    }
                except AppleError:
                    self._unsure.add(adam_id)

    def has(self, adam_id: str, holders: Collection[str]) -> bool | None:
        """None: Apple could not be asked."""
        if not self._found[adam_id].isdisjoint(holders):
            return True
        return None if adam_id in self._unsure else False
