"""Below how many licenses somebody is told: of the whole organization, and of one title."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from licensing import low
from licensing.automation.pausing import automation_of
from licensing.forms.thresholds import ThresholdForm
from licensing.titles import name_of, url_of
from licensing.views.licensed_apps import licensed_app_or_404
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.models import Organization
from vpp_accounts.permissions import refuse_strangers, why_not

FOR_ALL = (
    "For every title that somebody holds and that has no number of its own. Leave it empty for no"
    " notice."
)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view()
def settings(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = ThresholdForm(
        request.POST if request.method == "POST" else None,
        initial={"threshold": low.default_threshold(organization)},
        hint=FOR_ALL,
        locked=not request.membership.can_write,
    )

    def save() -> None:
        chosen = form.cleaned_data["threshold"]
        low.set_default(by=request.actor, organization=organization, threshold=chosen)

    if request.method == "POST" and done(form, save):
        messages.success(request, "The settings are saved.")
        return redirect("licensing:settings", organization.pk)
    context = {
        "organization": organization,
        "form": form,
        "automation": automation_of(organization),
    }
    return render(request, "licensing/settings.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def threshold(
    request: AdminRequest,
    organization: Organization,
    account_id: int,
    adam_id: str,
    pricing_param: str,
) -> HttpResponse:
    title = licensed_app_or_404(request, account_id, adam_id, pricing_param)
    obstacle = why_not(title.account, request.membership)
    if request.method == "POST":
        refuse_strangers(title.account, request.membership)
    form = ThresholdForm(
        request.POST if request.method == "POST" else None,
        initial={"threshold": title.low_threshold},
        hint=hint_of(organization),
        locked=bool(obstacle),
    )

    def save() -> None:
        chosen = form.cleaned_data["threshold"]
        low.set_threshold(by=request.actor, licensed_app=title, threshold=chosen)

    if request.method == "POST" and done(form, save):
        messages.success(request, f"The threshold of {name_of(title)} is saved.")
        return redirect(url_of(title))
    context = {
        "organization": organization,
        "licensed_app": title,
        "name": name_of(title),
        "title_url": url_of(title),
        "obstacle": obstacle,
        "form": form,
    }
    return render(request, "licensing/threshold.html", context)


def hint_of(organization: Organization) -> str:
    default = low.default_threshold(organization)
    rule = "no notice" if default is None else f"a notice below {default:,}"
    return f"Leave it empty for the organization's default: {rule}. 0: no notice for this title."
