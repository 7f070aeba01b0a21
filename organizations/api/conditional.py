"""Asking whether something has changed: an ETag with every answer, and 304 for who has it already."""

from __future__ import annotations

from hashlib import blake2b

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response


def settle(request: Request, response: Response) -> None:
    """Of the answer as it is sent. Weak, because a proxy may compress it on the way."""
    digest = blake2b(response.content, digest_size=16).hexdigest()
    response["ETag"] = f'W/"{digest}"'
    if _has(request, digest):
        response.status_code = 304
        response.content = b""
        del response["Content-Type"]


def _has(request: Request, digest: str) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or f'"{digest}"' in [etag.removeprefix("W/") for etag in known]
