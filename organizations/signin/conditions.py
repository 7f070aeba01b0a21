"""Whether a session meets what an organization asks of a sign-in.

The doors answer to it (`requirements`), and a summary of several organizations leaves out those whose
own pages would ask for more (`organizations/switching.py`).
"""

from __future__ import annotations

from django.http import HttpRequest

from organizations.models import Membership
from organizations.signin import limits, sessions


def is_ended(request: HttpRequest, membership: Membership) -> bool:
    """An admin has ended their sessions after this one began."""
    after = membership.sign_in_again_after
    return after is not None and sessions.began_at(request) < after.timestamp()


def lacks_single_sign_on(request: HttpRequest, membership: Membership) -> bool:
    required = membership.organization.requires_single_sign_on
    return required and not membership.may_skip_single_sign_on and not _came(request, membership)


def asks_for_second_factor(request: HttpRequest, membership: Membership) -> bool:
    """Who comes through single sign-on shows it there: the organization's directory asks for it."""
    return membership.organization.requires_second_factor and not _came(request, membership)


def _came(request: HttpRequest, membership: Membership) -> bool:
    return limits.only_organization(request) == membership.organization_id
