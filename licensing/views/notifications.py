"""What Apple told of one account, and whether it was understood."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from licensing.tables import NotificationList
from licensing.views.account_answers import open_account_or_404
from organizations.access import AdminRequest, organization_view
from organizations.lists import render_listing
from organizations.models import Organization
from vpp_accounts.models import Notification
from vpp_accounts.notifications import NOTIFICATIONS_ARE_KEPT, try_again


@require_safe
@organization_view()
def account_notifications(
    request: AdminRequest, organization: Organization, account_id: int
) -> HttpResponseBase:
    account = open_account_or_404(request, account_id)
    told = Notification.objects.filter(account=account)
    listing = NotificationList(request.GET, told)
    if listing.wants_csv:
        return listing.csv_response("notifications", zone=organization.zone)
    context = {
        "account": account,
        "failed": told.failed().count(),
        "days": NOTIFICATIONS_ARE_KEPT.days,
    }
    return render_listing(request, listing, "licensing/account_notifications.html", context)


@require_POST
@organization_view()
def account_notifications_try_again(
    request: AdminRequest, organization: Organization, account_id: int
) -> HttpResponse:
    account = open_account_or_404(request, account_id)
    number = try_again(by=request.actor, account=account)
    if number:
        ones = "notification is" if number == 1 else "notifications are"
        messages.success(request, f"{number:,} {ones} taken up again.")
    else:
        messages.info(request, "No notification has failed, so there is nothing to try again.")
    return redirect("licensing:account_notifications", organization.pk, account.pk)
