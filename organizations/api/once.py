"""Secrets that an answer tells once: keys, codes."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from organizations.api.doors import ApiView
from organizations.api.wire import JsonRenderer


def told_once(
    view: ApiView, told: dict[str, Any], secret: dict[str, str], *, status: int = 200
) -> Response:
    """Whoever repeats the request with its `Idempotency-Key` gets the answer, and not the secret."""
    if view.claim:
        view.claim.keep_body(status, JsonRenderer().render(told | dict.fromkeys(secret)))
        view.claim = None
    return Response(told | secret, status=status)
