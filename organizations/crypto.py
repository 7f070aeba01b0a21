"""Encryption at rest: MultiFernet over FIELD_ENCRYPTION_KEYS, each text bound to its row.

The first key encrypts, every key decrypts. A text that was moved to another row does not decrypt
there, so that write access to the table is not read access to somebody else's token.
"""

import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

MARK = 32  # bytes of the binding before the text


class CannotDecrypt(Exception):
    """None of the keys opens this text: a key was lost, or the row was tampered with."""


def encrypt(text: str, *, bound_to: str) -> str:
    return _fernet().encrypt(_mark(bound_to) + text.encode()).decode()


def decrypt(ciphertext: str, *, bound_to: str) -> str:
    try:
        opened = _fernet().decrypt(ciphertext.encode())
    except InvalidToken:
        raise CannotDecrypt(f"No key of FIELD_ENCRYPTION_KEYS opens {bound_to}.") from None
    if not hmac.compare_digest(opened[:MARK], _mark(bound_to)):
        raise CannotDecrypt(f"This text does not belong to {bound_to}.")
    return opened[MARK:].decode()


def rotate(ciphertext: str) -> str:
    """The same text under the first key."""
    try:
        return _fernet().rotate(ciphertext.encode()).decode()
    except InvalidToken:
        raise CannotDecrypt("No key of FIELD_ENCRYPTION_KEYS opens this text.") from None


def is_current(ciphertext: str) -> bool:
    """Whether the first key made it."""
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True


def _fernet() -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])
    except ValueError:
        raise ImproperlyConfigured(
            "FIELD_ENCRYPTION_KEYS must be Fernet keys (32 bytes in URL-safe Base64), comma-separated."
        ) from None


def _mark(bound_to: str) -> bytes:
    return hashlib.sha256(bound_to.encode()).digest()
