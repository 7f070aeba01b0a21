"""Before what cannot be undone, whoever sits at the browser shows again who they are.

A sign-in counts for a quarter of an hour. What was typed meanwhile is kept in the session, except
secrets and files, and goes on once the person has shown it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.account.utils import get_next_redirect_url
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import resolve, reverse
from django_htmx.http import HttpResponseClientRedirect

from organizations.signin import limits, sessions

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

SECRET = re.compile(r"password|secret|token|credential|key|code", re.IGNORECASE)
LARGEST = 64 * 1024  # of what is kept in a session
TYPE_AGAIN = "Thank you. Secrets and files were not kept meanwhile: fill in the form once more."


def reauthenticate_before(view: View[P]) -> View[P]:
    """For a page outside of an organization; inside, `organization_view(recent=True)` does it."""

    @login_required
    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return ask_again(request) or view(request, *args, **kwargs)

    return wrapper


def ask_again(request: HttpRequest) -> HttpResponse | None:
    """The answer that asks who it is; None where the last sign-in is recent enough."""
    if is_recent(request):
        return None
    possible = get_adapter().get_reauthentication_methods(request.user)
    if not possible:  # nothing to show here: only a whole new sign-in is left
        logout(request)
        return sent_to(request, reverse("account_login"), back_to(request))
    keep(request)
    return sent_to(request, possible[0]["url"], back_to(request))


def is_recent(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    again = [record["at"] for record in records if record.get("reauthenticated")]
    last = max([sessions.began_at(request), *again])
    return bool(time.time() - last < app_settings.REAUTHENTICATION_TIMEOUT)


def methods(request: HttpRequest) -> list[dict[str, Any]]:
    """Who came through an organization's directory goes there again, and nowhere else."""
    if limits.only_organization(request) is None:
        return []
    url = reverse("sso_again")
    return [{"id": "single_sign_on", "description": "Use single sign-on", "url": url}]


def sent_to(request: HttpRequest, page: str, back: str) -> HttpResponse:
    """To a page outside, and back afterwards; htmx takes the whole browser there."""
    url = f"{page}?{urlencode({'next': back})}"
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)


def back_to(request: HttpRequest) -> str:
    """The form's own page; of what htmx sends, the page that it was sent from."""
    htmx = getattr(request, "htmx", None)
    if request.method == "POST" and htmx and htmx.current_url_abs_path:
        return str(htmx.current_url_abs_path)
    return request.get_full_path()


# --- What was typed ----------------------------------------------------------------------------------


def keep(request: HttpRequest) -> None:
    """The form that was sent, for `resume`. A page that is only looked at voids an earlier one."""
    request.session.pop(STATE_SESSION_KEY, None)
    if request.method != "POST" or getattr(request, "htmx", False):
        return
    told = request.POST.copy()
    told.pop("csrfmiddlewaretoken", None)
    state = {"url": request.get_full_path(), "at": time.time()}
    text = told.urlencode()
    whole = not request.FILES and not any(map(SECRET.search, told)) and len(text) <= LARGEST
    request.session[STATE_SESSION_KEY] = {
        "callback": f"{__name__}.resume",
        "state": state | {"post": text if whole else None},
    }


def resume(request: HttpRequest, state: dict[str, Any]) -> HttpResponseBase:
    """allauth calls this once the person is known again: send the form as if nothing had been."""
    wanted = get_next_redirect_url(request) or reverse("home")
    if wanted != state["url"] or time.time() - state["at"] > app_settings.REAUTHENTICATION_TIMEOUT:
        return redirect(wanted)
    if state["post"] is None:
        messages.info(request, TYPE_AGAIN)
        return redirect(wanted)
    return send_again(request, state["url"], state["post"])


def send_again(request: HttpRequest, url: str, post: str) -> HttpResponseBase:
    place = urlsplit(url)
    request.method = "POST"  # single sign-on comes back by GET
    request.path = request.path_info = place.path
    request.META["QUERY_STRING"] = place.query
    request.GET = QueryDict(place.query)
    request.POST = QueryDict(post)
    match = request.resolver_match = resolve(place.path)
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response
