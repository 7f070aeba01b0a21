"""Manage > VPP > Settings > Invitations: how an organization writes to the people it invites."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.logo import data_url
from organizations.mime import sender_of
from organizations.models import Organization
from users.forms.invitations import InvitationSettingsForm, SampleForm
from users.invitations.samples import sample, send_sample, with_logo_inside
from users.models import InvitationSettings
from users.services.invitation_settings import edit_settings, logo_of
from vpp_accounts.models import VppAccount

# Mails have their style inside; nothing else of theirs may do anything.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'self'; sandbox"
)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view()
def invitation_settings(request: AdminRequest, organization: Organization) -> HttpResponse:
    refuse_network_admins(request)
    ours, logo = InvitationSettings.of(organization.pk), logo_of(organization)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = InvitationSettingsForm(
        *sent,
        initial=InvitationSettingsForm.values_of(ours),
        has_logo=logo is not None,
        locked=not request.membership.can_write,
    )

    def save() -> None:
        edit_settings(by=request.actor, organization=organization, details=form.details)

    if sent and done(form, save):
        messages.success(request, "The settings of the invitation mails are saved.")
        return redirect("users:invitation_settings", organization.pk)
    context = {
        "organization": organization,
        "form": form,
        "logo": logo,
        "logo_url": data_url(logo) if logo else "",
        "days": settings.INVITATION_DAYS,
        **preview(request, organization),
    }
    return render(request, "users/invitation_settings.html", context)


@require_safe
@organization_view()
def invitation_preview(request: AdminRequest, organization: Organization) -> HttpResponse:
    """The HTML of a mail by itself: what a mail program would show."""
    refuse_network_admins(request)
    form = sample_form(organization, request.GET)
    if not form.is_valid():
        raise Http404
    html = sample(form.account_chosen, request.user, **form.options).html
    response = HttpResponse(with_logo_inside(html, organization))
    response["Content-Security-Policy"] = MAIL_POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


@require_POST
@organization_view()
def invitation_test_mail(request: AdminRequest, organization: Organization) -> HttpResponse:
    """To the admin's own address and no other."""
    form = sample_form(organization, request.POST)
    if not form.is_valid():
        raise Http404
    if send_sample(form.account_chosen, request.user, **form.options):
        messages.success(request, f"A test mail is on its way to {request.user.email}.")
    else:
        messages.info(
            request,
            f"The test mail to {request.user.email} was posted less than a minute ago. Look at"
            " your mail, or send another one in a minute.",
        )
    return redirect(f"{page_of(organization)}?{urlencode(form.data)}#preview")


def preview(request: AdminRequest, organization: Organization) -> dict[str, object]:
    """The mail as it would reach this admin, if there is an account that could send it."""
    form = sample_form(organization, request.GET)
    if not form.is_valid():
        form = sample_form(organization, QueryDict())
    if not form.is_valid():
        return {}
    letter = sample(form.account_chosen, request.user, **form.options)
    address = reverse("users:invitation_preview", args=[organization.pk])
    return {
        "sample_form": form,
        "letter": letter,
        "sender": "{} <{}>".format(*sender_of(letter.from_name)),
        "reply_to": letter.headers["Reply-To"],
        "preview_url": f"{address}?{urlencode(form.data)}",
    }


def sample_form(organization: Organization, data: QueryDict) -> SampleForm:
    accounts = VppAccount.objects.filter(organization=organization).order_by("name", "pk")
    language = InvitationSettings.of(organization.pk).language
    return SampleForm(data, accounts=accounts, language=language)


def page_of(organization: Organization) -> str:
    return reverse("users:invitation_settings", args=[organization.pk])


def refuse_network_admins(request: AdminRequest) -> None:
    """How the organization writes is not a network's business."""
    if not request.membership.sees_organization:
        raise Http404
