"""What an organization asks of a sign-in, held by both doors.

A browser is sent where it can be met, and back afterwards; an API key is told in a sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from organizations import audit
from organizations.audit import Actor
from organizations.models import Membership, Organization
from organizations.refusals import Forbidden, Refusal
from organizations.signin import conditions, factors, single
from organizations.signin.recent import ask_again, back_to, reauthenticate_before, sent_to

if TYPE_CHECKING:
    from organizations.models.people import MembershipQuerySet

__all__ = [
    "answer_if_unmet",
    "ask_again",
    "reauthenticate_before",
    "refuse_key",
    "require_second_factor",
    "without_second_factor",
]


class NoSecondFactorYourself(Refusal):
    code = "no_second_factor_yourself"
    field = "requires_second_factor"

    def __init__(self) -> None:
        super().__init__(
            "You have no second factor yourself and would be kept out at once."
            " Set one up on “Your account” first."
        )


def answer_if_unmet(request: HttpRequest, membership: Membership) -> HttpResponse | None:
    """What a browser is answered that has not signed in as this organization asks; None: go on."""
    return (
        _ended_by_an_admin(request, membership)
        or _single_sign_on_missing(request, membership)
        or _second_factor_missing(request, membership)
    )


def refuse_key(membership: Membership) -> None:
    """A key cannot sign in anew nor show a factor; but its admin has to have one."""
    organization = membership.organization
    if organization.requires_second_factor and not factors.has_second_factor(membership.admin):
        raise Forbidden(
            f"{organization} requires a second factor; sign in to the dashboard and set one up.",
            code="second_factor_required",
        )


def _ended_by_an_admin(request: HttpRequest, membership: Membership) -> HttpResponse | None:
    if not conditions.is_ended(request, membership):
        return None
    back = back_to(request)
    logout(request)
    messages.info(request, f"An admin of {membership.organization} has ended your sessions.")
    return sent_to(request, reverse("account_login"), back)


def _single_sign_on_missing(request: HttpRequest, membership: Membership) -> HttpResponse | None:
    if not conditions.lacks_single_sign_on(request, membership):
        return None
    organization = membership.organization
    url = single.sign_in_url(organization)
    if not url:
        raise PermissionDenied(
            f"{organization} requires single sign-on, and has none that works at the moment."
            " Ask a full admin who may sign in by password to mend it."
        )
    messages.info(request, f"{organization} requires single sign-on.")
    return sent_to(request, url, back_to(request))


def _second_factor_missing(request: HttpRequest, membership: Membership) -> HttpResponse | None:
    if not conditions.asks_for_second_factor(request, membership):
        return None
    if factors.has_second_factor(membership.admin):
        return None
    messages.info(
        request, f"{membership.organization} requires a second factor. Set one up to go on."
    )
    return sent_to(request, reverse("mfa_index"), back_to(request))


# --- The setting -------------------------------------------------------------------------------------


@transaction.atomic
def require_second_factor(*, by: Actor, organization: Organization, wanted: bool) -> None:
    """Ask every admin of the organization for one, or no longer; asking again changes nothing."""
    if wanted and not (by.admin and factors.has_second_factor(by.admin)):
        raise NoSecondFactorYourself
    ours = Organization.objects.filter(pk=organization.pk).exclude(requires_second_factor=wanted)
    if ours.update(requires_second_factor=wanted):
        audit.record(
            "organization.second_factor_required",
            by=by,
            organization=organization,
            target=organization,
            before={"requiresSecondFactor": not wanted},
            after={"requiresSecondFactor": wanted},
        )
    organization.requires_second_factor = wanted


def without_second_factor(organization: Organization) -> MembershipQuerySet:
    """Who would have to set one up before going on."""
    ones = Authenticator.objects.filter(user=OuterRef("admin"), type__in=factors.FACTORS)
    ours = Membership.objects.accepted().filter(organization=organization)
    return ours.filter(~Exists(ones), admin__is_active=True).select_related("admin")
