"""Who asks: an API key in either of Meraki's two headers. A key acts as the admin who owns it."""

from __future__ import annotations

import ipaddress
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from organizations.models import Admin, ApiKey

NOTE_USE_EVERY = timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Admin, ApiKey] | None:
        text = _key_text(request)
        if not text:
            return None
        digest = ApiKey.digest_of(text)
        key = ApiKey.objects.usable().select_related("admin").filter(digest=digest).first()
        if key is None:
            raise AuthenticationFailed("Invalid API key")
        _note_use(key, request)
        return key.admin, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="VPP Dashboard API"'


def _key_text(request: Request) -> str:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return text.strip()
    return request.headers.get("X-Cisco-Meraki-API-Key", "").strip()


def _note_use(key: ApiKey, request: Request) -> None:
    """At most one write a minute, however busy the key is."""
    now = timezone.now()
    if key.last_used_at is None or key.last_used_at <= now - NOTE_USE_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(
            last_used_at=now, last_used_address=_client_address(request)
        )


def _client_address(request: Request) -> str | None:
    """The nearest address that is not one of our own proxies."""
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    hops = [*filter(None, hops), str(request.META.get("REMOTE_ADDR", ""))]
    while len(hops) > 1 and hops[-1] in settings.TRUSTED_PROXIES:
        hops.pop()
    try:
        return str(ipaddress.ip_address(hops[-1]))
    except ValueError:
        return None
