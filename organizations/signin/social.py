"""allauth's adapter for single sign-on: providers are our rows, and who comes in is ours to say."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import urlencode

from organizations import lookups, tenancy
from organizations.models import IdentityProvider
from organizations.refusals import Refusal
from organizations.signin import limits, outbound, vouching
from organizations.signin.claims import SKEW, Claims, WrongAnswer
from organizations.signin.openid import OpenIdProvider
from organizations.signin.saml import SamlProvider
from organizations.signin.turned_away import sentence, turn_away

Kind = IdentityProvider.Kind
KINDS: dict[str, tuple[str, type[Any]]] = {
    Kind.OIDC: ("openid_connect", OpenIdProvider),
    Kind.SAML: ("saml", SamlProvider),
}
# What a sign-in was begun for.
SIGN_IN, AGAIN, TEST = "sign_in", "again", "test"
TEST_KEY = "single_sign_on_test"


class ProviderGone(SocialApp.DoesNotExist, ValueError):  # type: ignore[misc]  # allauth has no types
    """Removed while somebody was under way; allauth takes either for a sign-in to begin anew."""


def find(uuid: UUID | str) -> IdentityProvider | None:
    """Whatever its state: the caller decides what it is good for."""
    try:
        asked = UUID(str(uuid))
    except ValueError:
        return None
    with lookups.identity_provider.inside(asked):
        return IdentityProvider.objects.select_related("organization").filter(uuid=asked).first()


def obstacle(provider: IdentityProvider) -> str:
    """The check that keeps everybody out; empty where somebody may come in."""
    if not provider.organization.is_open:
        return "closed"
    return "" if provider.is_enabled else "switched_off"


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Only ever the one that is asked for by its uuid."""
        row = find(provider) if provider else None
        return [app_of(row)] if row else []

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> OpenIdProvider | SamlProvider:
        row = find(provider)
        if row is None:
            raise ProviderGone
        return provider_of(request, row)

    def get_requests_session(self) -> outbound.Session:
        return outbound.Session()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        """Never by an address alone: `vouching` looks inside the provider's own organization."""
        return

    def serialize_instance(self, instance: Any) -> dict[str, Any]:
        """For the session, while a second factor is asked for: nobody's password hash goes there."""
        told: dict[str, Any] = super().serialize_instance(instance)
        told.pop("password", None)
        return told

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """The answer has passed the checks of its protocol; here it meets what it was asked for."""
        provider, claims = sociallogin.provider.row, sociallogin.claims
        told = sociallogin.state.get("data") or {}
        with tenancy.inside(provider.organization_id):
            try:
                refuse_other_nonce(provider, told, claims)
                response = PURPOSES[told.get("purpose", "")](request, sociallogin, told)
            except WrongAnswer as error:
                response = fail(request, provider, told, error.check, detail=error.detail)
            except Refusal as refusal:
                check, email = getattr(refusal, "check", refusal.code), claims.email
                response = fail(request, provider, told, check, text=str(refusal), email=email)
        if response:
            raise ImmediateHttpResponse(response)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: OpenIdProvider | SamlProvider,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        state = (extra_context or {}).get("state")
        told = (state or {}).get("data") or {}
        check, detail = check_of(error, exception)
        if exception is None and state is None:
            check = "state"
        detail = detail or str(request.GET.get("error", ""))[:100]
        raise ImmediateHttpResponse(fail(request, provider.row, told, check, detail=detail))


def app_of(row: IdentityProvider) -> SocialApp:
    """What allauth works with; it is never stored."""
    app = SocialApp(
        provider=KINDS[row.kind][0],
        provider_id=str(row.uuid),
        name=row.name,
        client_id=row.client_id,
        settings={"server_url": row.issuer},
    )
    app.row = row  # with the secret, which is opened only where it is sent
    return app


def provider_of(request: HttpRequest, row: IdentityProvider) -> OpenIdProvider | SamlProvider:
    provider: OpenIdProvider | SamlProvider = KINDS[row.kind][1](request, app=app_of(row))
    return provider


def check_of(error: str | None, exception: Exception | None) -> tuple[str, str]:
    if isinstance(exception, WrongAnswer):
        return exception.check, exception.detail
    if isinstance(exception, outbound.Failed):
        return "unreachable", str(exception)
    if error == AuthError.CANCELLED:
        return "cancelled", ""
    return "provider_error", str(exception or "")[:200]


def fail(
    request: HttpRequest, provider: IdentityProvider, told: dict[str, Any], check: str, **said: str
) -> HttpResponse:
    """A test tells whoever tests; anybody else is turned away."""
    if is_test(request, told):
        text = said.get("text") or sentence(provider, check)
        return test_result(request, provider, {"check": check, "sentence": text, **said})
    return turn_away(request, provider, check, **said)


# --- What it was begun for ------------------------------------------------------------------------


def refuse_other_nonce(provider: IdentityProvider, told: dict[str, Any], claims: Claims) -> None:
    if provider.kind == Kind.OIDC and not constant_time_compare(claims.nonce, told["nonce"]):
        raise WrongAnswer("nonce")


def come_in(request: HttpRequest, login: SocialLogin, told: dict[str, Any]) -> None:
    """allauth goes on from here: second factor if the person has one, then the session."""
    provider = login.provider.row
    if check := obstacle(provider):
        raise WrongAnswer(check)
    login.account = vouching.admit(provider, login.claims)
    login.user = login.account.user


def show_again(request: HttpRequest, login: SocialLogin, told: dict[str, Any]) -> HttpResponse:
    """The same person, asked anew by the provider where it tells when it asked."""
    provider, claims = login.provider.row, login.claims
    if check := obstacle(provider):
        raise WrongAnswer(check)
    # Only for a session of its own: elsewhere this organization has nothing to confirm.
    ours = limits.only_organization(request) == provider.organization_id
    if not ours or vouching.find(provider, claims).admin != request.user:
        raise WrongAnswer("other_person")
    if claims.signed_in_at is not None and claims.signed_in_at < told["began"] - SKEW:
        raise WrongAnswer(
            "not_recent", f"signed in {told['began'] - claims.signed_in_at:.0f} s ago"
        )
    record_authentication(
        request,
        request.user,
        "socialaccount",
        provider=str(provider.uuid),
        uid=claims.uid,
        reauthenticated=True,
    )
    wanted = urlencode({"next": login.state.get("next") or reverse("home")})
    return redirect(f"{reverse('sso_again')}?{wanted}")


def try_out(request: HttpRequest, login: SocialLogin, told: dict[str, Any]) -> HttpResponse:
    """What came back and whom it would let in; the session stays as it is."""
    provider, claims = login.provider.row, login.claims
    if not is_test(request, told):
        raise WrongAnswer("other_person")
    person = vouching.find(provider, claims)
    outcome = {"admin": person.admin.email, "subject": claims.subject, "email": claims.email}
    return test_result(request, provider, outcome)


PURPOSES = {SIGN_IN: come_in, AGAIN: show_again, TEST: try_out}


def is_test(request: HttpRequest, told: dict[str, Any]) -> bool:
    return told.get("purpose") == TEST and told.get("admin") == request.user.pk


def test_result(
    request: HttpRequest, provider: IdentityProvider, outcome: dict[str, Any]
) -> HttpResponse:
    request.session[TEST_KEY] = {"provider": provider.pk, "at": time.time(), **outcome}
    return redirect("organizations:sign_in_test", provider.organization_id, provider.pk)
