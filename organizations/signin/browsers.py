"""Browsers in which an admin has signed in before, told by a cookie.

An attack on that admin from elsewhere does not make them wait (lockout.py). The cookie opens
nothing: it is signed, bound to the admin, and worth nothing after their next password.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

from organizations.models import Admin

COOKIE = "known_browser"
SALT = "organizations.signin.browsers"
AGE = 365 * 24 * 3600
ADMINS = 5  # that share a browser


def is_known(request: HttpRequest, admin: Admin) -> bool:
    mark = mark_of(admin)
    return any(constant_time_compare(mark, each) for each in marks_in(request))


def remember(request: HttpRequest, response: HttpResponseBase, admin: Admin) -> None:
    """From now on this browser is known for this admin."""
    mark = mark_of(admin)
    marks = [mark, *(each for each in marks_in(request) if each != mark)][:ADMINS]
    response.set_cookie(
        COOKIE,
        signing.dumps(marks, salt=SALT),
        max_age=AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def stays_known(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For a page on which a signed-in admin may get another password: the cookie follows it."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if response.status_code == HTTPStatus.FOUND and request.user.is_authenticated:
            remember(request, response, request.user)
        return response

    return wrapper


def marks_in(request: HttpRequest) -> list[str]:
    try:
        marks = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=AGE)
    except signing.BadSignature:
        return []
    return [str(mark) for mark in marks]


def mark_of(admin: Admin) -> str:
    facts = f"{admin.pk}:{admin.password}"
    return salted_hmac(SALT, facts, algorithm="sha256").hexdigest()[:32]
