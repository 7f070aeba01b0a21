"""Organization > Sign-in: what is required of a sign-in, and single sign-on."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.forms.sign_in import (
    ProviderAddForm,
    SecondFactorForm,
    SingleSignOnForm,
    SkippersForm,
    provider_form,
)
from organizations.models import Admin, IdentityProvider, Membership, Organization
from organizations.signin import (
    certificates,
    openid,
    provider_checks,
    providers,
    requirements,
    saml,
    single,
    social,
)
from organizations.views.single_sign_on import leave

SHOWN = 100  # of the admins whom a provider has signed in
RESULT_SECONDS = 600


def refuse_network_admins(request: AdminRequest) -> None:
    """How one signs in is the whole organization's business."""
    if not request.membership.sees_organization:
        raise Http404


def ours(request: AdminRequest) -> QuerySet[IdentityProvider]:
    refuse_network_admins(request)
    known = IdentityProvider.objects.select_related("organization")
    return known.filter(organization=request.membership.organization_id)


@require_safe
@organization_view()
def sign_in_settings(request: AdminRequest, organization: Organization) -> HttpResponse:
    return settings_page(request, organization)


def settings_page(
    request: AdminRequest, organization: Organization, **forms_sent: forms.Form
) -> HttpResponse:
    refuse_network_admins(request)
    shown = settings_forms(organization) | forms_sent
    locked = not request.membership.can_write
    for form in shown.values():
        for field in form.fields.values():
            field.disabled = field.disabled or locked
    rows = [ProviderRow(provider) for provider in ours(request)]
    without = requirements.without_second_factor(organization)
    context = {
        "organization": organization,
        "rows": rows,
        "without_second_factor": without.count(),
        **shown,
    }
    return render(request, "organizations/sign_in_settings.html", context)


def settings_forms(organization: Organization) -> dict[str, forms.Form]:
    admins = list(single.admins_of(organization))
    chosen = [membership.pk for membership, _ in admins if membership.may_skip_single_sign_on]
    return {
        "second_factor_form": SecondFactorForm(
            initial={"requires_second_factor": organization.requires_second_factor}
        ),
        "single_sign_on_form": SingleSignOnForm(
            initial={"requires_single_sign_on": organization.requires_single_sign_on}
        ),
        "skippers_form": SkippersForm(admins=admins, initial={"memberships": chosen}),
    }


@require_POST
@organization_view(recent=True)
def sign_in_second_factor(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = SecondFactorForm(request.POST)
    act = partial(requirements.require_second_factor, by=request.actor, organization=organization)
    if done(form, lambda: act(wanted=form.cleaned_data["requires_second_factor"])):
        messages.success(request, "The second factor's setting is saved.")
        return redirect("organizations:sign_in_settings", organization.pk)
    return settings_page(request, organization, second_factor_form=form)


@require_POST
@organization_view(recent=True)
def sign_in_required(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = SingleSignOnForm(request.POST)
    act = partial(single.require, by=request.actor, organization=organization)
    if done(form, lambda: act(wanted=form.cleaned_data["requires_single_sign_on"])):
        messages.success(request, "The single sign-on's setting is saved.")
        return redirect("organizations:sign_in_settings", organization.pk)
    return settings_page(request, organization, single_sign_on_form=form)


@require_POST
@organization_view(recent=True)
def sign_in_skippers(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = SkippersForm(request.POST, admins=single.admins_of(organization))
    act = partial(single.let_skip, by=request.actor, organization=organization)
    if done(form, lambda: act(membership_ids=form.cleaned_data["memberships"])):
        messages.success(request, "Who may sign in without single sign-on is saved.")
        return redirect("organizations:sign_in_settings", organization.pk)
    return settings_page(request, organization, skippers_form=form)


# --- Providers ------------------------------------------------------------------------------------


class ProviderRow:
    """One provider as the pages show it."""

    def __init__(self, provider: IdentityProvider) -> None:
        self.provider = provider
        self.missing = provider_checks.missing(provider)
        self.certificates = certificates.described(provider.certificate)

    @property
    def worry(self) -> certificates.Certificate | None:
        """The certificate that lasts longest, if even that one ends soon or has ended."""
        last = certificates.last(self.certificates)
        return last if last and (last.has_ended or last.ends_soon) else None

    @property
    def addresses(self) -> list[tuple[str, str]]:
        """What is pasted at the provider."""
        if self.provider.kind == IdentityProvider.Kind.OIDC:
            return [("Redirect URI", openid.redirect_uri(self.provider))]
        return [
            ("Entity ID (identifier, audience)", saml.entity_id(self.provider)),
            ("ACS URL (reply address)", saml.consumer_url(self.provider)),
            ("Metadata", saml.entity_id(self.provider)),
        ]

    @property
    def sign_in_address(self) -> str:
        return single.address_of(self.provider)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def sign_in_provider_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = ProviderAddForm(request.POST or None)
    made: list[IdentityProvider] = []
    add = partial(providers.add, by=request.actor, organization=organization)
    if request.method == "POST" and done(form, lambda: made.append(add(**form.cleaned_data))):
        messages.success(request, f"{made[0]} is added. Paste the addresses below at the provider.")
        return redirect("organizations:sign_in_provider", organization.pk, made[0].pk)
    return render(request, "organizations/sign_in_provider_add.html", {"form": form})


@require_safe
@organization_view()
def sign_in_provider(
    request: AdminRequest, organization: Organization, provider_id: int
) -> HttpResponse:
    """Its page; whoever may not write sees the same, and cannot send it."""
    return provider_page(request, get_object_or_404(ours(request), pk=provider_id))


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def sign_in_provider_edit(
    request: AdminRequest, organization: Organization, provider_id: int
) -> HttpResponse:
    provider = get_object_or_404(ours(request), pk=provider_id)
    if request.method != "POST":
        return redirect("organizations:sign_in_provider", organization.pk, provider.pk)
    form = provider_form(provider, request.POST, locked=False)
    edit = partial(providers.edit, by=request.actor, provider=provider)
    if done(form, lambda: edit(details=form.details)):
        messages.success(request, f"{form.cleaned_data['name']} is saved.")
        return redirect("organizations:sign_in_provider", organization.pk, provider.pk)
    return provider_page(request, provider, form)


def provider_page(
    request: AdminRequest, provider: IdentityProvider, form: forms.Form | None = None
) -> HttpResponse:
    locked = not request.membership.can_write
    bound = providers.bound(provider).select_related("user").order_by("user__email")
    context = {
        "organization": provider.organization,
        "provider": provider,
        "row": ProviderRow(provider),
        "form": form or provider_form(provider, locked=locked),
        "bound": members_of(provider, bound[:SHOWN]),
    }
    return render(request, "organizations/sign_in_provider.html", context)


def members_of(provider: IdentityProvider, bound: Any) -> list[Any]:
    """Only who is an admin here still: of others an organization knows nothing."""
    members = Membership.objects.accepted().filter(organization=provider.organization_id)
    ids = set(members.values_list("admin", flat=True))
    return [each for each in bound if each.user_id in ids]


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def sign_in_provider_delete(
    request: AdminRequest, organization: Organization, provider_id: int
) -> HttpResponse:
    provider = get_object_or_404(ours(request), pk=provider_id)
    form = forms.Form(request.POST if request.method == "POST" else None)
    delete = partial(providers.delete, by=request.actor, provider=provider)
    if request.method == "POST" and done(form, delete):
        messages.success(request, f"{provider.name} is deleted.")
        return redirect("organizations:sign_in_settings", organization.pk)
    context = {"provider": provider, "form": form, "bound": providers.bound(provider).count()}
    return render(request, "organizations/sign_in_provider_delete.html", context)


@require_POST
@organization_view(recent=True)
def sign_in_reset(
    request: AdminRequest, organization: Organization, provider_id: int
) -> HttpResponse:
    """A person whose account at the provider was made anew."""
    provider = get_object_or_404(ours(request), pk=provider_id)
    admins = Admin.objects.filter(memberships__organization=organization)
    number = request.POST.get("admin", "")
    admin = get_object_or_404(admins, pk=number if number.isdecimal() and len(number) < 19 else 0)
    providers.reset(by=request.actor, provider=provider, admin=admin)
    messages.success(
        request, f"The next account of {provider} with {admin.email} is connected to this admin."
    )
    return redirect("organizations:sign_in_provider", organization.pk, provider.pk)


# --- Trying one out -------------------------------------------------------------------------------


@require_POST
@organization_view()
def sign_in_test_begin(
    request: AdminRequest, organization: Organization, provider_id: int
) -> HttpResponse:
    provider = get_object_or_404(ours(request), pk=provider_id)
    if absent := provider_checks.missing(provider):
        messages.error(request, f"Enter the {' and the '.join(absent)} first, and save it.")
        return redirect("organizations:sign_in_provider", organization.pk, provider.pk)
    return leave(request, provider, purpose=social.TEST)


@require_safe
@organization_view(writes=True)
def sign_in_test(
    request: AdminRequest, organization: Organization, provider_id: int
) -> HttpResponse:
    """What came back. It is shown once: reloading the page asks to test again."""
    provider = get_object_or_404(ours(request), pk=provider_id)
    result = request.session.pop(social.TEST_KEY, None) or {}
    if result.get("provider") != provider.pk or time.time() - result["at"] > RESULT_SECONDS:
        result = {}
    context = {"provider": provider, "result": result}
    return render(request, "organizations/sign_in_test.html", context)
