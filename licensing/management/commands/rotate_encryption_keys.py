"""Brings everything that is stored encrypted under the first key of FIELD_ENCRYPTION_KEYS.

May be interrupted and repeated, and runs beside a working installation: rows are locked while they
are changed. Afterwards all of it is read back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from users.models import VppUser
from vpp_accounts import crypto
from vpp_accounts.models import FormerClaim, VppAccount

AT_A_TIME = 500
Row = VppAccount | FormerClaim | VppUser


@dataclass(frozen=True, slots=True)
class Secret:
    """A column of a table. What no key opens any more is blanked where Apple tells it again."""

    model: type[Row]
    column: str
    told_again: tuple[str, ...] = ()  # the columns to blank

    @property
    def rows(self) -> models.QuerySet[Any]:
        everybody: models.QuerySet[Any] = self.model._default_manager.using("system")
        return everybody.exclude(**{self.column: ""}).order_by("pk")


SECRETS = (
    Secret(VppAccount, "token_ciphertext"),
    # Of removed accounts, until Apple is told.
    Secret(FormerClaim, "token_ciphertext"),
    # A whole sync brings those whose digest is missing.
    Secret(VppUser, "invite_code_ciphertext", ("invite_code_ciphertext", "invite_code_digest")),
)


class Command(BaseCommand):
    help = "Re-encrypts stored secrets under the first key, then reads all of them back."

    def handle(self, *args: Any, **options: Any) -> None:
        lost: list[Row] = []
        rotated = sum(rotate(secret, lost) for secret in SECRETS)
        read_back = sum(
            is_done(row, secret) for secret in SECRETS for row in secret.rows.iterator()
        )
        self.stdout.write(f"{rotated} re-encrypted, {read_back} read back.")
        # A removed account needs its token for one last call only: nobody has to renew it.
        names = [f"{row.pk} {row.name}" for row in lost if isinstance(row, VppAccount)]
        if names:
            raise CommandError(
                "No key opens the tokens of these accounts; restore the lost key or renew them: "
                + ", ".join(names)
            )


def rotate(secret: Secret, lost: list[Row]) -> int:
    return sum(_rotate_some(secret, pks, lost) for pks in _parts(secret))


def _parts(secret: Secret) -> Iterator[list[int]]:
    last = 0
    while pks := list(_after(secret, last)[:AT_A_TIME]):
        yield pks
        last = pks[-1]


def _after(secret: Secret, last: int) -> models.QuerySet[Any, int]:
    return secret.rows.filter(pk__gt=last).values_list("pk", flat=True)


def _rotate_some(secret: Secret, pks: list[int], lost: list[Row]) -> int:
    """Locked, so that nobody stores another one meanwhile."""
    changed: list[Row] = []
    unreadable: list[Row] = []
    with transaction.atomic(using="system"):
        for row in secret.rows.filter(pk__in=pks).select_for_update(of=("self",), no_key=True):
            if not crypto.is_current(getattr(row, secret.column)):
                (changed if _is_rotated(row, secret) else unreadable).append(row)
        secret.rows.bulk_update(changed, [secret.column])
        for column in secret.told_again:
            blanked = secret.model._default_manager.using("system")
            blanked.filter(pk__in=[row.pk for row in unreadable]).update(**{column: ""})
    lost += unreadable
    return len(changed)


def _is_rotated(row: Row, secret: Secret) -> bool:
    try:
        setattr(row, secret.column, crypto.rotate(getattr(row, secret.column)))
    except crypto.CannotDecrypt:
        return False
    return True


def is_done(row: Row, secret: Secret) -> bool:
    try:
        text = row.invite_code if isinstance(row, VppUser) else row.stoken
        return bool(text) and crypto.is_current(getattr(row, secret.column))
    except crypto.CannotDecrypt:
        return False
