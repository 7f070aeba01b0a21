"""Organization > Webhooks: programs that are told of what happens."""

from __future__ import annotations

import json
from functools import partial

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.forms.webhooks import WebhookForm, told_of
from organizations.lists import render_listing
from organizations.models import Organization, Webhook, WebhookDelivery
from organizations.refusals import Refusal
from organizations.tables.webhooks import DeliveryList, DeliveryRow, WebhookRow, deliveries_of
from organizations.webhooks import changing
from organizations.webhooks.bodies import body_of


def webhook_or_404(request: AdminRequest, webhook_id: int) -> Webhook:
    """Of the whole organization: for admins of networks there are no such pages."""
    refuse_network_admins(request)
    ours = Webhook.objects.filter(organization=request.membership.organization_id)
    webhook = ours.select_related("organization").filter(pk=webhook_id).first()
    if webhook is None:
        raise Http404
    return webhook


def delivery_or_404(request: AdminRequest, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    theirs = WebhookDelivery.objects.filter(webhook=webhook_or_404(request, webhook_id))
    found = theirs.select_related("event", "webhook__organization").filter(pk=delivery_id).first()
    if found is None:
        raise Http404
    return found


def refuse_network_admins(request: AdminRequest) -> None:
    if not request.membership.sees_organization:
        raise Http404


@require_safe
@organization_view()
def webhook_list(request: AdminRequest, organization: Organization) -> HttpResponse:
    refuse_network_admins(request)
    rows = [WebhookRow(each) for each in Webhook.objects.filter(organization=organization)]
    context = {"organization": organization, "rows": rows, "most": changing.MOST}
    return render(request, "organizations/webhook_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def webhook_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    """The answer to the POST shows the secret, and no other page ever does."""
    form = WebhookForm(request.POST if request.method == "POST" else None)
    made: list[tuple[Webhook, str]] = []
    create = partial(changing.create, by=request.actor, organization=organization)
    if done(form, lambda: made.append(create(details=form.details))):
        return secret_page(request, *made[0], rotated=False)
    context = {"organization": organization, "form": form}
    return render(request, "organizations/webhook_add.html", context)


@require_safe
@organization_view()
def webhook_detail(
    request: AdminRequest, organization: Organization, webhook_id: int
) -> HttpResponseBase:
    webhook = webhook_or_404(request, webhook_id)
    listing = DeliveryList(request.GET, deliveries_of(webhook))
    if listing.wants_csv:
        return listing.csv_response("webhook-deliveries", zone=organization.zone)
    context = {"organization": organization, "row": WebhookRow(webhook), "webhook": webhook}
    return render_listing(request, listing, "organizations/webhook_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def webhook_edit(
    request: AdminRequest, organization: Organization, webhook_id: int
) -> HttpResponse:
    webhook = webhook_or_404(request, webhook_id)
    sent = request.POST if request.method == "POST" else None
    form = WebhookForm(sent, initial=told_of(webhook))
    edit = partial(changing.edit, by=request.actor, webhook=webhook)
    if done(form, lambda: edit(details=form.details)):
        messages.success(request, f"{form.details.name} is saved.")
        return redirect("organizations:webhook_detail", organization.pk, webhook.pk)
    context = {"organization": organization, "form": form, "webhook": webhook}
    return render(request, "organizations/webhook_edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def webhook_delete(
    request: AdminRequest, organization: Organization, webhook_id: int
) -> HttpResponse:
    webhook = webhook_or_404(request, webhook_id)
    form = forms.Form(request.POST if request.method == "POST" else None)
    if done(form, partial(changing.delete, by=request.actor, webhook=webhook)):
        messages.success(request, f"{webhook.name} is deleted.")
        return redirect("organizations:webhook_list", organization.pk)
    context = {"organization": organization, "webhook": webhook}
    return render(request, "organizations/webhook_delete.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def webhook_rotate(
    request: AdminRequest, organization: Organization, webhook_id: int
) -> HttpResponse:
    """The answer to the POST shows the new secret, and no other page ever does."""
    webhook = webhook_or_404(request, webhook_id)
    form = forms.Form(request.POST if request.method == "POST" else None)
    made: list[tuple[Webhook, str]] = []
    rotate = partial(changing.rotate, by=request.actor, webhook=webhook)
    if done(form, lambda: made.append(rotate())):
        return secret_page(request, *made[0], rotated=True)
    context = {"organization": organization, "webhook": webhook}
    return render(request, "organizations/webhook_rotate.html", context)


@require_POST
@organization_view()
def webhook_test(
    request: AdminRequest, organization: Organization, webhook_id: int
) -> HttpResponse:
    webhook = webhook_or_404(request, webhook_id)
    try:
        delivery = changing.test(by=request.actor, webhook=webhook)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("organizations:webhook_detail", organization.pk, webhook.pk)
    return redirect("organizations:webhook_delivery", organization.pk, webhook.pk, delivery.pk)


@require_safe
@organization_view()
def webhook_delivery(
    request: AdminRequest, organization: Organization, webhook_id: int, delivery_id: int
) -> HttpResponse:
    delivery = delivery_or_404(request, webhook_id, delivery_id)
    context = {
        "organization": organization,
        "webhook": delivery.webhook,
        "row": DeliveryRow(delivery),
        "delivery": delivery,
        "body": json.dumps(json.loads(body_of(delivery.event)), indent=2, ensure_ascii=False),
    }
    return render(request, "organizations/webhook_delivery.html", context)


@require_POST
@organization_view()
def webhook_redeliver(
    request: AdminRequest, organization: Organization, webhook_id: int, delivery_id: int
) -> HttpResponse:
    delivery = delivery_or_404(request, webhook_id, delivery_id)
    try:
        shown = changing.redeliver(by=request.actor, delivery=delivery)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        shown = delivery
    return redirect("organizations:webhook_delivery", organization.pk, webhook_id, shown.pk)


def secret_page(
    request: AdminRequest, webhook: Webhook, secret: str, *, rotated: bool
) -> HttpResponse:
    context = {
        "organization": request.membership.organization,
        "webhook": webhook,
        "secret": secret,
        "rotated": rotated,
    }
    return render(request, "organizations/webhook_secret.html", context)
