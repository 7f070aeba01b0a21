"""Requests to identity providers: only https and only public addresses, unless the operator allows
private ones (SSO_ALLOW_PRIVATE)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings

from organizations import outbound
from organizations.outbound import Address, Failed, Unreachable, is_public

__all__ = ["Failed", "NotPublic", "Session", "Unreachable", "get_json", "post_form", "schemes"]


class NotPublic(Unreachable):
    """The address lies inside somebody's own network."""


class Session(outbound.Session):
    def __init__(self) -> None:
        super().__init__(check, schemes=schemes())


def get_json(url: str, **options: Any) -> dict[str, Any]:
    return _json("GET", url, **options)


def post_form(url: str, form: dict[str, str], **options: Any) -> dict[str, Any]:
    """Also what comes with an error: OAuth puts the reason into a body like any other."""
    return _json("POST", url, data=form, expected=(200, 400, 401), **options)


def _json(
    method: str, url: str, *, expected: tuple[int, ...] = (200,), **options: Any
) -> dict[str, Any]:
    host = urlsplit(url).hostname
    try:
        with Session() as session:
            response = session.request(method, url, **options)
    except Unreachable:
        raise
    except (requests.RequestException, OSError) as error:
        raise Unreachable(f"{host} cannot be reached ({type(error).__name__}).") from error
    if response.status_code not in expected:
        raise Unreachable(f"{host} answered with HTTP {response.status_code}.")
    try:
        answer = response.json()
    except (ValueError, RecursionError) as error:  # brackets can be nested without end
        raise Unreachable(f"{host} answered something that is not JSON.") from error
    if not isinstance(answer, dict):
        raise Unreachable(f"{host} answered JSON that is not an object.")
    return answer


def schemes() -> tuple[str, ...]:
    return ("https", "http") if settings.SSO_ALLOW_PRIVATE else ("https",)


def check(scheme: str, address: Address, host: str) -> None:
    if not settings.SSO_ALLOW_PRIVATE and not is_public(address):
        raise NotPublic(f"{host} is not a public address. Identity providers have one.")
