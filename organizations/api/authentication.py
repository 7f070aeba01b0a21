"""Who asks: an API key in either of Meraki's two headers. A key acts as the admin who owns it."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

from organizations.addresses import client_address
from organizations.models import Admin, ApiKey
from organizations.throttle import Limit

NOTE_USE_EVERY = timedelta(minutes=1)
# Nobody guesses 160 bits; whoever tries costs us statements, and the log its lines.
WRONG_KEYS = Limit("wrong_api_key", most=60, seconds=60)


class TooManyWrongKeys(APIException):
    status_code = 429
    default_code = "too_many_wrong_keys"

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__(
            "Too many requests with an invalid API key came from this address. Correct the key, and"
            " try again in a minute."
        )


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Admin, ApiKey] | None:
        text = _key_text(request)
        if not text:
            return None
        # The digest is what is looked up: how long the index takes to compare tells something of a
        # digest, from which nobody gets to the key. So no comparison here has to be constant in time.
        digest = ApiKey.digest_of(text)
        key = ApiKey.objects.select_related("admin").filter(digest=digest).first()
        if key is None or not _is_usable(key):
            raise _refusal(request, key)
        structlog.contextvars.bind_contextvars(api_key=key.pk)
        _note_use(key, request)
        return key.admin, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="VPP Dashboard API"'


def _is_usable(key: ApiKey) -> bool:
    return key.state == ApiKey.State.USABLE and key.admin.is_active


def _refusal(request: Request, key: ApiKey | None) -> APIException:
    """A valid key from the same address goes on working: a school has one address for everybody."""
    if wait := WRONG_KEYS.count(request._request):
        return TooManyWrongKeys(wait)
    if key and key.state == ApiKey.State.EXPIRED:
        return AuthenticationFailed("This API key has expired", "expired_key")
    return AuthenticationFailed("Invalid API key", "invalid_key")


def _key_text(request: Request) -> str:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return text.strip()
    return request.headers.get("X-Cisco-Meraki-API-Key", "").strip()


def _note_use(key: ApiKey, request: Request) -> None:
    """At most one write a minute, however busy the key is and however many processes ask."""
    now = timezone.now()
    due = now - NOTE_USE_EVERY
    if key.last_used_at is None or key.last_used_at <= due:
        not_yet = Q(last_used_at=None) | Q(last_used_at__lte=due)
        ApiKey.objects.filter(not_yet, pk=key.pk).update(
            last_used_at=now, last_used_address=client_address(request._request)
        )
