"""Sessions: when one began, how long it lasts, which ones a person has, and how they end.

One ends after SESSION_COOKIE_AGE without use, and SESSION_MAX_AGE after its sign-in in any case.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account import signals as allauth_signals
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_save
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from organizations.models import Admin
from organizations.signin import journal
from organizations.signin.factors import FACTORS

BEGAN = "signed_in_at"
SEEN = "seen_at"
NOTE_EVERY = 300  # seconds: not every page writes
OTHERS_ENDED = "Your other sessions have ended. Sign in there again, with the second factor."
TOO_OLD = "You were signed in for a long time. Sign in again to go on."

BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/"),
    ("Safari", r"Safari/"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("macOS", "Mac OS X|Macintosh"),
    ("Windows", "Windows"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux"),
)


def began_at(request: HttpRequest) -> float:
    """When this session was signed in; 0 for one of before this was noted."""
    return float(request.session.get(BEGAN, 0))


class SessionMiddleware:
    """Ends a session that is too old, and notes now and then that one is in use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.session.session_key and request.user.is_authenticated:
            self.watch(request)
        return self.get_response(request)

    def watch(self, request: HttpRequest) -> None:
        now = time.time()
        if now - began_at(request) > settings.SESSION_MAX_AGE:
            logout(request)
            messages.info(request, TOO_OLD)
        elif now - request.session.get(SEEN, 0) >= NOTE_EVERY:
            note_use(request)


def note_use(request: HttpRequest) -> None:
    """Saving the session begins its time without use anew."""
    request.session[SEEN] = time.time()
    ours = UserSession.objects.filter(session_key=request.session.session_key)
    ours.update(last_seen_at=timezone.now(), ip=get_adapter().get_client_ip(request))


# --- The list of them --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    id: int
    browser: str
    address: str
    began_at: datetime
    seen_at: datetime
    is_this_one: bool


def sessions_of(admin: Admin, request: HttpRequest) -> list[Listed]:
    """This one first, then the last seen; in two statements."""
    this = request.session.session_key
    rows = list(UserSession.objects.filter(user=admin).order_by("-last_seen_at", "-pk"))
    keys = [row.session_key for row in rows]
    open_ones = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    alive = set(open_ones.values_list("session_key", flat=True))
    listed = [listed_of(row, this) for row in rows if row.session_key in alive]
    return sorted(listed, key=lambda each: not each.is_this_one)


def listed_of(row: UserSession, this: str | None) -> Listed:
    return Listed(
        id=row.pk,
        browser=browser_words(row.user_agent),
        address=row.ip,
        began_at=row.created_at,
        seen_at=row.last_seen_at,
        is_this_one=row.session_key == this,
    )


def browser_words(user_agent: str) -> str:
    """“Chrome on macOS”, as people know it."""
    browser, system = (
        next((name for name, mark in marks if re.search(mark, user_agent)), "")
        for marks in (BROWSERS, SYSTEMS)
    )
    if not browser:
        return user_agent[:40] or "Unknown browser"
    return f"{browser} on {system}" if system else browser


# --- Ending them -------------------------------------------------------------------------------------


@transaction.atomic
def end(admin: Admin, *, only: int | None = None, but: str | None = None) -> int:
    """End one session of this admin, or all `but` the one with this key; how many ended."""
    rows = UserSession.objects.filter(user=admin).exclude(session_key=but or "")
    if only is not None:
        rows = rows.filter(pk=only)
    keys = list(rows.values_list("session_key", flat=True))
    ended: int = Session.objects.filter(session_key__in=keys).delete()[0]
    rows.filter(session_key__in=keys).delete()
    if ended:
        journal.record_everywhere("admin.sessions_ended", admin=admin, after={"sessions": ended})
    return ended


def forget_ended() -> int:
    """Rows whose session is over; the daily sweep."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return int(UserSession.objects.exclude(session_key__in=alive).delete()[0])


# --- What changes them -------------------------------------------------------------------------------


def connect() -> None:
    user_logged_in.connect(_began, dispatch_uid="sessions.began")
    for signal in (
        allauth_signals.password_changed,
        allauth_signals.password_set,
        allauth_signals.password_reset,
    ):
        signal.connect(_password_changed, dispatch_uid="sessions.password")
    # By the row and not by allauth's signal, which comes after the commit and might be lost.
    post_save.connect(_factor_added, sender=Authenticator, dispatch_uid="sessions.factor")


def _began(request: HttpRequest, user: Admin, **kwargs: Any) -> None:
    request.session[BEGAN] = request.session[SEEN] = time.time()


def _password_changed(request: HttpRequest, user: Admin, **kwargs: Any) -> None:
    """Django lets no session of an earlier password in; the list should not show them either."""
    end(user, but=request.session.session_key)


def _factor_added(instance: Authenticator, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """Sessions from before the first factor have shown a password alone: they end with it."""
    request: HttpRequest | None = context.request
    if request is None or raw or not created or instance.type not in FACTORS:
        return
    others = Authenticator.objects.filter(user=instance.user_id, type__in=FACTORS)
    is_first = not others.exclude(pk=instance.pk).exists()
    if is_first and end(instance.user, but=request.session.session_key):
        messages.info(request, OTHERS_ENDED)
