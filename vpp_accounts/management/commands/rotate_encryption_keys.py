"""Brings every stored token under the first key of FIELD_ENCRYPTION_KEYS.

May be interrupted and repeated, and runs beside a working installation: each row is changed only
if nobody renewed its token meanwhile. Afterwards every token is read back.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vpp_accounts import crypto
from vpp_accounts.models import VppAccount


class Command(BaseCommand):
    help = "Re-encrypts stored tokens under the first key, then reads all of them back."

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = VppAccount.objects.using("system").order_by("pk")
        lost, rotated = [], 0
        for account in accounts.iterator():
            try:
                rotated += self._rotate(account)
            except crypto.CannotDecrypt:
                lost.append(f"{account.pk} {account.name}")
        unread = [str(account.pk) for account in accounts.iterator() if not self._is_done(account)]
        self.stdout.write(f"{rotated} re-encrypted, {accounts.count() - len(unread)} read back.")
        if lost:
            raise CommandError(
                "No key opens the tokens of these accounts; restore the lost key or renew them: "
                + ", ".join(lost)
            )

    def _rotate(self, account: VppAccount) -> int:
        if crypto.is_current(account.token_ciphertext):
            return 0
        unchanged = VppAccount.objects.using("system").filter(
            pk=account.pk, token_ciphertext=account.token_ciphertext
        )
        return unchanged.update(token_ciphertext=crypto.rotate(account.token_ciphertext))

    def _is_done(self, account: VppAccount) -> bool:
        try:
            return bool(account.stoken) and crypto.is_current(account.token_ciphertext)
        except crypto.CannotDecrypt:
            return False
