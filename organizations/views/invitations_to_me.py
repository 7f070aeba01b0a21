"""For whoever is invited: the page behind the mailed link, and the buttons on the first page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods, require_POST

from organizations import tenancy
from organizations.admins import accepting, letters, links
from organizations.admins.states import expires_at, is_expired
from organizations.audit import Actor
from organizations.forms import done
from organizations.forms.admins import JoinForm
from organizations.lookups import invitations_of
from organizations.models import Admin, Membership
from organizations.refusals import Refusal
from organizations.throttle import Limit

LOOKING = Limit("admin-invitation-links", most=60, seconds=600)

View = Callable[..., HttpResponse]


def private(view: View) -> View:
    """The link opens something: it is neither kept nor told to any page that one goes on to."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        seconds = LOOKING.count(request)
        if seconds:
            context = {"minutes": -(-seconds // 60)}
            return render(request, "organizations/invitation_too_often.html", context, status=429)
        response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        # Not "no-referrer": a browser would then send forms without an origin, and they are refused.
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return wrapper


@private
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Looking changes nothing, because scanners of mail follow every link."""
    membership = links.find(token)
    if membership is None or is_expired(membership) or not membership.admin.is_active:
        return render(request, "organizations/invitation_over.html", status=410)
    if not membership.organization.is_open:
        return render(request, "organizations/invitation_not_now.html", status=503)
    if request.method == "POST" and "decline" in request.POST:
        return declined(request, membership, Actor.system(f"Link in a mail to {membership}"))
    if request.user == membership.admin:
        return answered_by_themselves(request, membership)
    return answered_by_a_stranger(request, membership)


def answered_by_themselves(request: HttpRequest, membership: Membership) -> HttpResponse:
    if request.method == "POST":
        return accepted(request, membership)
    return page(request, membership, "organizations/invitation.html")


def answered_by_a_stranger(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Nobody is signed in, or somebody else. A newcomer's password comes with the link."""
    if request.user.is_authenticated:
        return page(request, membership, "organizations/invitation_other.html")
    if not accepting.is_newcomer(membership.admin):
        return page(request, membership, "organizations/invitation_sign_in.html")
    if way := letters.sign_in_url(membership):
        template = "organizations/invitation_single.html"
        return page(request, membership, template, way=way)
    form = JoinForm(request.POST or None, admin=membership.admin)
    if done(form, partial(join, membership, form)):
        credentials = {"email": membership.admin.email}
        login = Login(membership.admin, redirect_url=first_page(membership), email=str(membership))
        # allauth has no types
        return cast("HttpResponse", perform_password_login(request, credentials, login))
    return page(request, membership, "organizations/invitation_join.html", form=form)


def join(membership: Membership, form: JoinForm) -> None:
    told = form.cleaned_data
    membership.admin = accepting.join(
        membership=membership, name=told["name"], password=told["password1"]
    )


def page(request: HttpRequest, membership: Membership, template: str, **more: Any) -> HttpResponse:
    context = {
        "membership": membership,
        "organization": membership.organization,
        "told": letters.told(membership),
        "until": expires_at(membership),
        **more,
    }
    return render(request, template, context)


# --- Buttons on the first page --------------------------------------------------------------------


@require_POST
@login_required
def invitation_accept(request: HttpRequest, membership_id: int) -> HttpResponse:
    return accepted(request, mine_or_404(request, membership_id))


@require_POST
@login_required
def invitation_decline(request: HttpRequest, membership_id: int) -> HttpResponse:
    by = Actor.of_admin(cast("Admin", request.user))
    return declined(request, mine_or_404(request, membership_id), by)


def mine_or_404(request: HttpRequest, membership_id: int) -> Membership:
    """The rest of the request works in the organization that invites."""
    mine = {found.id: found.organization_id for found in invitations_of.all(request.user.pk)}
    if membership_id not in mine:
        raise Http404("No such invitation.")
    tenancy.enter(mine[membership_id])
    return get_object_or_404(
        Membership.objects.select_related("organization", "admin"), pk=membership_id
    )


def accepted(request: HttpRequest, membership: Membership) -> HttpResponse:
    by = Actor.of_admin(cast("Admin", request.user))
    try:
        accepting.accept(by=by, membership=membership)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("home")
    messages.success(request, f"You are an administrator of {membership.organization} now.")
    return redirect(first_page(membership))


def declined(request: HttpRequest, membership: Membership, by: Actor) -> HttpResponse:
    try:
        accepting.decline(by=by, membership=membership)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("home")
    context = {"organization": membership.organization}
    return render(request, "organizations/invitation_declined.html", context)


def first_page(membership: Membership) -> str:
    return reverse("licensing:overview", args=[membership.organization_id])
