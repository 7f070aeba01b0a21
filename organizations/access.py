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

from organizations import lookups, tenancy
from organizations.admins import activity
from organizations.audit import Actor
from organizations.audit_log.attempts import LARGEST_ID, noted
from organizations.closing import answer_if_closed
from organizations.models import Admin, Membership, Organization
from organizations.signin import limits
from organizations.signin.requirements import answer_if_unmet, ask_again
from organizations.switching import note_visit

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
    if organization_id > LARGEST_ID:  # the database could not even be asked
        raise Http404("No such organization.")
    tenancy.enter(organization_id)
    membership = Membership.objects.of(admin).filter(organization=organization_id).first()
    if membership is None:
        tenancy.leave()
        raise Http404("No such organization.")
    return membership


def organizations_of(admin: Admin) -> list[int]:
    """The ids of the organizations that this admin may enter."""
    return [found.organization_id for found in lookups.accepted_memberships_of.all(admin.pk)]


def organization_view(
    *,
    writes: bool = False,
    own: bool = False,
    network_writes: bool = False,
    while_deleted: bool = False,
    recent: bool = False,
) -> Callable[[OrganizationView[P]], Callable[..., HttpResponseBase]]:
    """The door of a page. `writes=True`: even looking at it needs full access.

    Any method but GET needs full access always, unless all that it changes is the admin's `own`.
    `network_writes=True`: who may write in a network is let in as well, and the view decides.
    `while_deleted=True`: the page is there until a deleted organization is gone for good.
    `recent=True`: whoever signed in more than a quarter of an hour ago shows again who they are.
    """

    def decorate(view: OrganizationView[P]) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def wrapper(
            request: HttpRequest, organization_id: int, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            ours = cast("AdminRequest", request)
            limits.refuse_others(ours, organization_id)
            ours.membership = membership_or_404(ours.user, organization_id)
            ours.actor = Actor.of_admin(ours.user)
            if closed := answer_if_closed(ours, ours.membership, while_deleted=while_deleted):
                return closed
            if unmet := answer_if_unmet(ours, ours.membership):
                return unmet
            note_visit(ours, organization_id)
            changes = writes or (request.method not in READING and not own)
            if changes and not _may_change(ours.membership, network_writes):
                raise PermissionDenied
            if recent and (asked := ask_again(ours)):
                return asked
            activity.note(ours.membership)
            with timezone.override(ours.membership.organization.zone):
                response = view(ours, ours.membership.organization, *args, **kwargs)
            # What one admin saw must not come back out of a shared browser's or a proxy's memory.
            patch_cache_control(response, private=True, no_store=True)
            return response

        return noted(wrapper)

    return decorate


def _may_change(membership: Membership, network_writes: bool) -> bool:
    return membership.can_write_somewhere if network_writes else membership.can_write
