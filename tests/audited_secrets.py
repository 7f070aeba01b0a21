"""What every test is watched for: that no secret it made is in an audit event that it wrote.

A secret is whatever is encrypted, hashed as a password or a key, or names a session. That they are
noticed where they are made, and events where they are saved, covers secrets nobody thought of yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.sessions.backends.base import SessionBase

from organizations import crypto
from organizations.models import ApiKey, AuditEvent
from organizations.models.audit import AuditEventQuerySet

SHORTEST = 8  # below that, a word that means something else

secrets: set[str] = set()
events: list[AuditEvent] = []


def forget() -> None:
    secrets.clear()
    events.clear()


def leaks() -> list[str]:
    """The events that hold one, in words."""
    known = [secret for secret in secrets if len(secret) >= SHORTEST]
    return [text for text in map(text_of, events) if any(secret in text for secret in known)]


def text_of(event: AuditEvent) -> str:
    told = (event.action, event.actor_name, event.target_name, event.before, event.after)
    return json.dumps(told, ensure_ascii=False, default=str)


def note(*texts: Any) -> None:
    secrets.update(text for text in texts if isinstance(text, str))


@contextmanager
def watching() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        _watch_secrets(patch)
        _watch_events(patch)
        yield


def _watch_secrets(patch: pytest.MonkeyPatch) -> None:
    _tap(patch, crypto, "encrypt", lambda result, text, **_: note(text, result))
    _tap(patch, hashers, "make_password", lambda result, password, *_, **__: note(password, result))
    patch.setattr("django.contrib.auth.base_user.make_password", hashers.make_password)
    digest_of = ApiKey.digest_of

    def noted(text: str) -> str:
        note(text, digest := digest_of(text))
        return digest

    patch.setattr(ApiKey, "digest_of", staticmethod(noted))
    _tap(patch, SessionBase, "_get_new_session_key", lambda result, *_: note(result))
    _tap(patch, PasswordResetTokenGenerator, "make_token", lambda result, *_: note(result))


def _watch_events(patch: pytest.MonkeyPatch) -> None:
    _tap(patch, AuditEvent, "save", lambda _, event, **__: events.append(event))
    _tap(patch, AuditEventQuerySet, "bulk_create", lambda _, __, many, **___: events.extend(many))


def _tap(patch: pytest.MonkeyPatch, place: Any, name: str, hear: Callable[..., object]) -> None:
    original = getattr(place, name)

    def tapped(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        hear(result, *args, **kwargs)
        return result

    patch.setattr(place, name, tapped)
