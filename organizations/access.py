"""The two doors: every page and every endpoint turns its URL into a membership here, or answers 404.

404 and not 403, so that nobody can tell "not yours" from "does not exist". What an admin may see
but not change answers 403.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django_htmx.middleware import HtmxDetails

from organizations.audit import Actor
from organizations.models import Admin, Membership, Organization

P = ParamSpec("P")


class AdminRequest(HttpRequest):
    """A request of a signed-in admin, inside one organization."""

    user: Admin
    membership: Membership
    actor: Actor
    htmx: HtmxDetails


OrganizationView = Callable[Concatenate[AdminRequest, Organization, P], HttpResponseBase]

READING = ("GET", "HEAD", "OPTIONS")


def membership_or_404(admin: Admin, organization_id: int) -> Membership:
    membership = Membership.objects.of(admin).filter(organization=organization_id).first()
    if membership is None:
        raise Http404("No such organization.")
    return membership


def organization_view(
    *, writes: bool = False, own: bool = False
) -> Callable[[OrganizationView[P]], Callable[..., HttpResponseBase]]:
    """The door of a page. `writes=True`: even looking at it needs full access.

    Any method but GET needs full access always, unless all that it changes is the admin's `own`.
    """

    def decorate(view: OrganizationView[P]) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def wrapper(
            request: HttpRequest, organization_id: int, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            ours = cast("AdminRequest", request)
            ours.membership = membership_or_404(ours.user, organization_id)
            ours.actor = Actor.of_admin(ours.user)
            changes = writes or (request.method not in READING and not own)
            if changes and not ours.membership.can_write:
                raise PermissionDenied
            with timezone.override(ours.membership.organization.zone):
                response = view(ours, ours.membership.organization, *args, **kwargs)
            # What one admin saw must not come back out of a shared browser's or a proxy's memory.
            patch_cache_control(response, private=True, no_store=True)
            return response

        return wrapper

    return decorate
