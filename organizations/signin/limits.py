"""What a session may open that came through an organization's single sign-on: that organization.

An organization decides what its identity provider says. If such a session were the whole person's,
one organization could come into all the others of anybody whom it invites.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from organizations import lookups
from organizations.models import IdentityProvider

KEY = "only_organization"
NOWHERE = -1  # no organization has this number
# Pages of the person and not of an organization, where nothing but the named ones is open.
PERSONAL = ("accounts/", "invitation/")
API_KEYS = "organizations:api_key_"  # keys for this one organization
OPEN = {
    "account_inactive",
    "account_login",
    "account_logout",
    "mfa_authenticate",
    "my_account",  # shows what the organization asks for, and changes nothing
    "sso_find",
    "sso_oidc_callback",
    "sso_again",
    "sso_saml_acs",
    "sso_saml_finish",
    "sso_saml_metadata",
    "sso_start",
}


def only_organization(request: HttpRequest) -> int | None:
    """The one organization that this session opens; None for a session of the whole person."""
    session = getattr(request, "session", None)
    limited: int | None = session.get(KEY) if session is not None else None
    return limited


def limit(request: HttpRequest, organization_id: int) -> None:
    request.session[KEY] = organization_id


def lift(request: HttpRequest) -> None:
    request.session.pop(KEY, None)


def allows(request: HttpRequest, organization_id: int) -> bool:
    return only_organization(request) in (None, organization_id)


def refuse_others(request: HttpRequest, organization_id: int) -> None:
    if not allows(request, organization_id):
        raise Http404("No such organization.")


def within(request: HttpRequest, organization_ids: list[int]) -> list[int]:
    """Those of them that this session opens."""
    return [each for each in organization_ids if allows(request, each)]


def note_sign_in(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Each sign-in decides anew: through a provider, for its organization; else without a limit."""
    through = kwargs.get("sociallogin")
    if through is None:
        lift(request)
        return
    limit(request, opened_by(through.account.provider) or NOWHERE)


def opened_by(uuid: str) -> int | None:
    """Its organization; nothing if it was removed or switched off since the person came back from it,
    for instance while a second factor was asked for.
    """
    with lookups.identity_provider.inside(uuid):
        working = IdentityProvider.objects.filter(uuid=uuid, is_enabled=True)
        return working.values_list("organization", flat=True).first()


class LimitMiddleware:
    """Closes the person's own pages to such a session; the door closes other organizations."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if only_organization(request) is None or not is_closed(request):
            return None
        return render(request, "organizations/sign_in_limited.html", status=403)


def is_closed(request: HttpRequest) -> bool:
    match = request.resolver_match
    if match is None or not match.route.startswith(PERSONAL):
        return False
    return match.view_name not in OPEN and not match.view_name.startswith(API_KEYS)
