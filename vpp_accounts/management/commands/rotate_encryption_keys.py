"""Brings every stored token under the first key of FIELD_ENCRYPTION_KEYS.

May be interrupted and repeated, and runs beside a working installation: each row is changed only
if nobody renewed its token meanwhile. Afterwards every token is read back.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vpp_accounts import crypto
from vpp_accounts.models import FormerClaim, VppAccount

Holder = VppAccount | FormerClaim


class Command(BaseCommand):
    help = "Re-encrypts stored tokens under the first key, then reads all of them back."

    def handle(self, *args: Any, **options: Any) -> None:
        lost, rotated = [], 0
        for holder in self._holders():
            try:
                rotated += self._rotate(holder)
            except crypto.CannotDecrypt:
                lost.append(holder)
        read_back = sum(self._is_done(holder) for holder in self._holders())
        self.stdout.write(f"{rotated} re-encrypted, {read_back} read back.")
        # A removed account needs its token for one last call only: nobody has to renew it.
        names = [f"{each.pk} {each.name}" for each in lost if isinstance(each, VppAccount)]
        if names:
            raise CommandError(
                "No key opens the tokens of these accounts; restore the lost key or renew them: "
                + ", ".join(names)
            )

    def _holders(self) -> Iterator[Holder]:
        """The accounts, and those removed ones whose token Apple is still to be told with."""
        accounts = VppAccount.objects.using("system").order_by("pk")
        former = FormerClaim.objects.using("system").exclude(token_ciphertext="").order_by("pk")
        return chain(accounts.iterator(), former.iterator())

    def _rotate(self, holder: Holder) -> int:
        if crypto.is_current(holder.token_ciphertext):
            return 0
        everybody = type(holder)._default_manager.using("system")
        unchanged = everybody.filter(pk=holder.pk, token_ciphertext=holder.token_ciphertext)
        return unchanged.update(token_ciphertext=crypto.rotate(holder.token_ciphertext))

    def _is_done(self, holder: Holder) -> bool:
        try:
            return bool(holder.stoken) and crypto.is_current(holder.token_ciphertext)
        except crypto.CannotDecrypt:
            return False
