"""Signing in through an organization's identity provider: the way there, and the way back."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations import tenancy
from organizations.forms.sign_in import FindForm
from organizations.models import IdentityProvider
from organizations.signin import limits, outbound, recent, saml, single, social
from organizations.signin.claims import Claims, WrongAnswer, login_of
from organizations.signin.openid import OpenIdAdapter
from organizations.signin.turned_away import turn_away
from organizations.throttle import Limit

ASKING = Limit("sso-find", most=10, seconds=600)
BEGINNING = Limit("sso-begin", most=60, seconds=600)  # a school behind one address
ANSWERING = Limit("sso-answer", most=120, seconds=600)
HANDOVER = "saml_answer"
HANDOVER_SECONDS = 120


# --- The way there --------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sso_find(request: HttpRequest) -> HttpResponse:
    """Sign-in addresses go by mail: a page that told them would tell who is an admin where."""
    form = FindForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "organizations/sign_in_find.html", {"form": form})
    if seconds := ASKING.count(request):
        return too_often(request, seconds)
    single.mail_addresses(form.cleaned_data["email"])
    context = {"email": form.cleaned_data["email"]}
    return render(request, "organizations/sign_in_find_done.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sso_start(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The organization's sign-in address: its providers to choose from. A link alone begins nothing."""
    asked = provider_or_404(uuid)
    with tenancy.inside(asked.organization_id):
        offered = list(single.providers_of(asked.organization).filter(is_enabled=True))
    if request.method == "POST":
        return leave(request, asked, purpose=social.SIGN_IN)
    context = {
        "organization": asked.organization,
        "providers": offered if asked.organization.is_open else [],
        "next": get_next_redirect_url(request) or "",
        "others": request.user.is_authenticated and limits.only_organization(request) is None,
    }
    return render(request, "organizations/sign_in_start.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def sso_again(request: HttpRequest) -> HttpResponse:
    """For a session that came through a provider: the same way again, and back to what was begun."""
    provider = provider_of_session(request)
    if provider is None:
        raise Http404("This session did not come through single sign-on.")
    if request.method == "POST":
        return leave(request, provider, purpose=social.AGAIN)
    if recent.is_recent(request):
        response: HttpResponse = resume_request(request) or redirect("home")
        return response
    context = {"provider": provider, "next": get_next_redirect_url(request) or ""}
    return render(request, "organizations/sign_in_again.html", context)


def provider_of_session(request: HttpRequest) -> IdentityProvider | None:
    organization_id = limits.only_organization(request)
    for record in reversed(get_authentication_records(request, request.user)):
        provider = social.find(record.get("provider", ""))
        if provider and provider.organization_id == organization_id:
            return provider
    return None


def leave(request: HttpRequest, provider: IdentityProvider, *, purpose: str) -> HttpResponse:
    """To the provider, by a page of ours: our policy lets no form be answered by another host."""
    if seconds := BEGINNING.count(request):
        return too_often(request, seconds)
    check = social.obstacle(provider)
    if check and purpose != social.TEST:
        return turn_away(request, provider, check)
    told = {
        "purpose": purpose,
        "nonce": get_random_string(32),
        "began": time.time(),
        "admin": request.user.pk,
    }
    try:
        url = address_at(request, provider, told)
    except (WrongAnswer, outbound.Failed, *saml.UNREADABLE) as error:
        check, detail = social.check_of(None, error)
        return social.fail(request, provider, told, check, detail=detail or str(error))
    return render(request, "organizations/sign_in_leave.html", {"url": url, "provider": provider})


def address_at(request: HttpRequest, provider: IdentityProvider, told: dict[str, Any]) -> str:
    again = told["purpose"] == social.AGAIN
    next_url = get_next_redirect_url(request)
    way = social.provider_of(request, provider)
    options: dict[str, Any] = {"force": again}
    if provider.kind == IdentityProvider.Kind.OIDC:
        prompt = {"prompt": "login", "max_age": "0"} if again else {}
        options = {"auth_params": {"nonce": told["nonce"], **prompt}}
    url: str = way.redirect(request, "login", next_url=next_url, data=told, **options).url
    return url


def provider_or_404(uuid: UUID) -> IdentityProvider:
    provider = social.find(uuid)
    if provider is None:
        raise Http404("No such sign-in address.")
    return provider


def too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    context = {"minutes": -(-seconds // 60)}
    response = render(request, "organizations/sign_in_too_often.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


# --- The way back: OpenID Connect -----------------------------------------------------------------


@require_safe
@never_cache
def sso_oidc_callback(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    provider = provider_or_404(uuid)
    if provider.kind != IdentityProvider.Kind.OIDC:
        raise Http404("No such sign-in address.")
    if seconds := ANSWERING.count(request):
        return too_often(request, seconds)
    adapter = OpenIdAdapter(request, str(provider.uuid))
    response: HttpResponseBase = OAuth2CallbackView.adapter_view(adapter)(request)
    return response


# --- The way back: SAML ---------------------------------------------------------------------------


@csrf_exempt  # the provider's page sends it; the answer's signature and our request's id stand for it
@require_POST
@never_cache
def sso_saml_acs(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Checks the answer. Browsers send no session along from another site, so `finish` goes on."""
    provider = saml_provider_or_404(uuid)
    if seconds := ANSWERING.count(request):
        return too_often(request, seconds)
    try:
        answer = saml.read(provider, request.POST.get("SAMLResponse", ""))
    except WrongAnswer as error:
        return turn_away(request, provider, error.check, detail=error.detail)
    response = redirect("sso_saml_finish", provider.uuid)
    response.set_cookie(
        HANDOVER,
        signing.dumps(packed(answer), salt=salt_of(provider), compress=True),
        max_age=HANDOVER_SECONDS,
        path=reverse("sso_saml_finish", args=[provider.uuid]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@require_safe
@never_cache
def sso_saml_finish(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Meets the answer with the request that this browser began; each request is answered once."""
    provider = saml_provider_or_404(uuid)
    way = social.provider_of(request, provider)
    response: HttpResponse
    try:
        answer = handed_over(request, provider)
        login = login_of(way, provider.uuid, answer.claims)
        login.state = way.unstash_redirect_state(request, answer.in_response_to)
        response = complete_social_login(request, login)
    except (signing.BadSignature, KeyError, PermissionDenied):
        response = turn_away(request, provider, "state")
    except ImmediateHttpResponse as immediate:
        response = immediate.response
    response.delete_cookie(HANDOVER, path=request.path)
    return response


def packed(answer: saml.Answer) -> dict[str, Any]:
    claims = answer.claims
    return {
        "subject": claims.uid,
        "email": claims.email[:254],
        "signed_in_at": claims.signed_in_at,
        "in_response_to": answer.in_response_to,
    }


def handed_over(request: HttpRequest, provider: IdentityProvider) -> saml.Answer:
    text = request.COOKIES[HANDOVER]
    told = signing.loads(text, salt=salt_of(provider), max_age=HANDOVER_SECONDS)
    in_response_to = told.pop("in_response_to")
    return saml.Answer(Claims(is_verified=True, **told), in_response_to)


def salt_of(provider: IdentityProvider) -> str:
    return f"organizations.saml:{provider.uuid}"


@require_safe
def sso_saml_metadata(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """What a provider reads of us; there is nothing secret in it."""
    provider = saml_provider_or_404(uuid)
    return HttpResponse(saml.metadata(provider), content_type="application/samlmetadata+xml")


def saml_provider_or_404(uuid: UUID) -> IdentityProvider:
    provider = provider_or_404(uuid)
    if provider.kind != IdentityProvider.Kind.SAML:
        raise Http404("No such sign-in address.")
    return provider
