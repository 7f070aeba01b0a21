"""Your account: what belongs to the person who is signed in, and to no organization."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from organizations.models import Admin
from organizations.signin import factors, limits, profile, sessions
from organizations.signin.forms import NameForm

NAME_IS_NOT_YOURS_HERE = "Sign in by password to change your name."


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def my_account(request: HttpRequest) -> HttpResponse:
    admin, only = cast("Admin", request.user), limits.only_organization(request)
    form = NameForm(
        request.POST if request.method == "POST" else None, initial={"name": admin.name}
    )
    if request.method == "POST" and only is not None:
        messages.error(request, NAME_IS_NOT_YOURS_HERE)
        return redirect("my_account")
    if request.method == "POST" and form.is_valid():
        profile.rename(admin, form.cleaned_data["name"])
        messages.success(request, "Your name is saved.")
        return redirect("my_account")
    context = {
        "form": form,
        "is_limited": only is not None,
        "has_second_factor": factors.has_second_factor(admin),
        "session_count": len(sessions.sessions_of(admin, request)),
        "rules": profile.rules_of(admin, only),
    }
    return render(request, "account/my_account.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def session_list(request: HttpRequest) -> HttpResponse:
    admin = cast("Admin", request.user)
    if request.method == "POST":
        end_sessions(request, admin)
        return redirect("usersessions_list")
    listed = sessions.sessions_of(admin, request)
    return render(request, "usersessions/usersession_list.html", {"sessions": listed})


def end_sessions(request: HttpRequest, admin: Admin) -> None:
    """The one that was named, or all others. This one ends by signing out."""
    this, named = request.session.session_key, request.POST.get("session", "")
    if named and not (named.isascii() and named.isdigit() and len(named) < 19):
        raise Http404("No such session.")
    ended = sessions.end(admin, only=int(named) if named else None, but=this)
    plural = "session is" if ended == 1 else "sessions are"
    messages.success(request, f"{ended} {plural} ended." if ended else "No other session is open.")
