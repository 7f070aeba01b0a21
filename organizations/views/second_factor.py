"""Your second factor: authenticator app, passkeys, recovery codes. allauth does the work."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

from allauth.account.utils import get_next_redirect_url
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import ViewRecoveryCodesView
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
)
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from organizations.models import Admin
from organizations.signin import factors

ONWARD = "after_second_factor"  # the page that an organization let nobody on to without one


@require_safe
@never_cache
@login_required
def second_factor(request: HttpRequest) -> HttpResponse:
    """What there is, and what can be added; on to where the person wanted to be, once there is one."""
    admin = cast("Admin", request.user)
    wanted = get_next_redirect_url(request)
    if wanted:
        request.session[ONWARD] = wanted
    mine = list(Authenticator.objects.filter(user=admin).order_by("created_at", "pk"))
    if request.session.get(ONWARD) and any(each.type in factors.FACTORS for each in mine):
        return redirect(request.session.pop(ONWARD))
    return render(request, "mfa/index.html", facts_of(mine))


def facts_of(mine: list[Authenticator]) -> dict[str, Any]:
    """An app and recovery codes there are at most one of; passkeys as many as one likes."""
    by_kind = {each.type: each for each in mine}
    codes = by_kind.get(factors.Type.RECOVERY_CODES)
    real = [each for each in mine if each.type in factors.FACTORS]
    return {
        "app": by_kind.get(factors.Type.TOTP),
        "passkeys": [each for each in mine if each.type == factors.Type.WEBAUTHN],
        "codes": codes,
        "codes_left": factors.recovery_codes_left(codes) if codes else 0,
        # Only the last one may have to stay.
        "obstacle": factors.obstacle_to_removing(real[0]) if len(real) == 1 else "",
    }


class AddPasskeyView(AddWebAuthnView):  # type: ignore[misc]  # allauth has no types
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        # So that it can be the only step of signing in where the device is able to.
        options = context["js_data"]["creation_options"]["publicKey"]
        options["authenticatorSelection"] |= {"residentKey": "preferred"}
        options["authenticatorSelection"].pop("requireResidentKey", None)
        return context


class RemovePasskeyView(RemoveWebAuthnView):  # type: ignore[misc]
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponseBase:
        if obstacle := factors.obstacle_to_removing(self.get_object()):
            messages.error(self.request, obstacle)
            return redirect("mfa_index")
        response: HttpResponseBase = super().form_valid(form)
        return response


class ReauthenticatePasskeyView(ReauthenticateWebAuthnView):  # type: ignore[misc]
    def form_invalid(self, form: Any) -> HttpResponseBase:
        """Once more on the same page, which still knows where to go on."""
        for message in form.errors.get("credential", []):
            messages.error(self.request, message)
        return redirect(self.passthrough_next_url(self.request.path))


class RecoveryCodesView(ViewRecoveryCodesView):  # type: ignore[misc]
    """Shown once; afterwards only how many are left."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        codes = Authenticator.objects.filter(
            user=cast("Admin", request.user), type=factors.Type.RECOVERY_CODES
        ).first()
        if codes is None:
            return redirect("mfa_index")
        try:
            response: HttpResponseBase = super().get(request, *args, **kwargs)
        except factors.SecretUnreadable as error:
            messages.error(request, error.message)
            return redirect("mfa_index")
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        text = "\n".join(context["unused_codes"])
        # Works without JavaScript, and leaves the codes on no address that could be asked again.
        return context | {"as_text": text, "download": f"data:text/plain,{quote(text)}"}
