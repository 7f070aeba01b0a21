"""What those are told who knock at a closed organization."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import formats
from django.utils.cache import patch_cache_control

from organizations.models import Membership, Organization
from organizations.refusals import Forbidden


def why_closed(organization: Organization) -> str:
    """One sentence or two, with the way out; empty where it is open."""
    if organization.suspended_at:
        return (
            "This organization is suspended by the operator of this installation since"
            f" {day(organization, organization.suspended_at)}: {organization.suspended_reason}"
            " Ask the operator to resume it."
        )
    if organization.deletion_asked_at:
        return (
            f"This organization was deleted on {day(organization, organization.deletion_asked_at)}"
            f" and will be gone for good on {day(organization, organization.deletes_at)}."
            " Until then a full admin can undo that."
        )
    return ""


def day(organization: Organization, moment: datetime | None) -> str:
    return formats.date_format(moment.astimezone(organization.zone), "j M Y") if moment else ""


def answer_if_closed(
    request: HttpRequest, membership: Membership, *, while_deleted: bool = False
) -> HttpResponse | None:
    """The page in the place of every other; None where the organization is open.

    `while_deleted`: this page is there for organizations that can still be brought back.
    """
    organization = membership.organization
    if organization.is_open or (while_deleted and organization.suspended_at is None):
        return None
    context = {
        "organization": organization,
        "why": why_closed(organization),
        "may_undo": membership.can_write and organization.suspended_at is None,
    }
    response = render(request, "organizations/closed.html", context, status=403)
    patch_cache_control(response, private=True, no_store=True)
    if getattr(request, "htmx", False):
        response.headers["HX-Refresh"] = "true"  # a part of a page is no place to say it
    return response


def refuse_key_if_closed(membership: Membership) -> None:
    if why := why_closed(membership.organization):
        raise Forbidden(why, code="organization_closed")
