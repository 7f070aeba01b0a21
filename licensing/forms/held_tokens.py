"""A token that was read while another field of its form was wrong.

A browser forgets the chosen file when the form comes back, and the text must not travel back to
it. So it waits here, encrypted, for a quarter of an hour, under a handle that only works for the
admin who sent it.
"""

from __future__ import annotations

import hashlib
import secrets

from django.core.cache import cache

from organizations import crypto
from organizations.models import Admin

SECONDS = 15 * 60


def hold(text: str, *, admin: Admin) -> str:
    handle = secrets.token_urlsafe(24)
    place = _place(handle, admin)
    cache.set(place, crypto.encrypt(text, bound_to=place), SECONDS)
    return handle


def held(handle: str, *, admin: Admin) -> str | None:
    place = _place(handle, admin)
    ciphertext = cache.get(place)
    try:
        return crypto.decrypt(ciphertext, bound_to=place) if ciphertext else None
    except crypto.CannotDecrypt:  # the keys were changed meanwhile
        return None


def release(handle: str, *, admin: Admin) -> None:
    cache.delete(_place(handle, admin))


def _place(handle: str, admin: Admin) -> str:
    return f"held-token:{admin.pk}:{hashlib.sha256(handle.encode()).hexdigest()}"
