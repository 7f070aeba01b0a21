"""API keys: an admin makes them for programs, which then act as the admin; and what ends them.

A key opens every organization of its admin, or one of them. Each that it opens hears of it in its
audit log, and the admin by mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from organizations import audit, tenancy
from organizations.access import organizations_of
from organizations.audit import Actor
from organizations.models import Admin, ApiKey, Membership, Organization
from organizations.models.people import ApiKeyQuerySet
from organizations.outbox import post
from organizations.refusals import Conflict, Refusal

log = structlog.get_logger(__name__)

LONGEST_NAME = 100
LONGEST_LIFE = timedelta(days=731)  # two years, one of them a leap year
USUAL_LIFE = timedelta(days=365)
MOST_USABLE = 20  # of one admin
TELL_BEFORE = timedelta(days=14)


class KeyNameWrong(Refusal):
    code = "api_key_name_wrong"
    field = "name"


class KeyNameless(KeyNameWrong):
    def __init__(self) -> None:
        super().__init__("An API key needs a name: say what it is for.")


class ExpiryWrong(Refusal):
    code = "api_key_expiry_wrong"
    field = "expires_at"

    def __init__(self) -> None:
        super().__init__("An API key expires in the future, and at most two years from now.")


class NothingToOpen(Refusal):
    code = "api_key_opens_nothing"
    field = "organization"

    def __init__(self) -> None:
        super().__init__(
            "This key would open no organization. Choose one that this admin may enter."
        )


class TooManyKeys(Conflict):
    code = "too_many_api_keys"

    def __init__(self) -> None:
        super().__init__(
            f"There are {MOST_USABLE} usable API keys already. Revoke one that nobody needs first."
        )


# --- Which keys -----------------------------------------------------------------------------------


def keys_of(admin: Admin, only: int | None = None) -> ApiKeyQuerySet:
    """The admin's own. Who came in through one organization (`only`) sees what is limited to it."""
    own = ApiKey.objects.filter(admin=admin)
    return own if only is None else own.filter(organization=only)


def opening(membership: Membership) -> ApiKeyQuerySet:
    """The usable keys of an admin that open this organization; none of somebody only invited."""
    if membership.is_invited:
        return ApiKey.objects.none()
    usable = ApiKey.objects.usable().opening(membership.organization_id)
    return usable.filter(admin=membership.admin_id).order_by("name", "pk")


def revocable_by_others(membership: Membership) -> ApiKeyQuerySet:
    """Those for this organization alone; others are their admin's."""
    limited = opening(membership).filter(organization=membership.organization_id)
    return limited.select_related("admin")


def organizations_opened_by(key: ApiKey) -> list[int]:
    return opened(key.admin, key.organization_id)


def opened(admin: Admin, limit: int | None) -> list[int]:
    return [pk for pk in organizations_of(admin) if limit in (None, pk)]


# --- Making ---------------------------------------------------------------------------------------


@transaction.atomic
def create(
    *,
    by: Actor,
    admin: Admin,
    name: str,
    read_only: bool,
    expires_at: datetime | None,
    organization: Organization | None = None,
) -> tuple[ApiKey, str]:
    """The key and its text, which nobody can read again. Without `expires_at` it stays for good."""
    name, opens = checked_name(name), opened(admin, organization.pk if organization else None)
    refuse_moment(expires_at)
    if not opens:
        raise NothingToOpen
    # One after the other, or two requests would both take the last place.
    Admin.objects.select_for_update(no_key=True).get(pk=admin.pk)
    if keys_of(admin).usable().count() >= MOST_USABLE:
        raise TooManyKeys
    key, text = ApiKey.objects.all().issue(
        admin=admin,
        name=name,
        read_only=read_only,
        expires_at=expires_at,
        organization=organization,
    )
    audit.record_in(opens, "api_key.created", by=by, target=key, after=facts(key))
    mail_owner("created", key, opens, by=by)
    return key, text


def checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise KeyNameless
    if len(name) > LONGEST_NAME:
        raise KeyNameWrong(
            f"The name has {len(name)} characters; at most {LONGEST_NAME} are possible. Shorten it."
        )
    return name


def refuse_moment(expires_at: datetime | None) -> None:
    if expires_at is None:
        return
    left = expires_at - timezone.now()
    if not timedelta() < left <= LONGEST_LIFE:
        raise ExpiryWrong


def facts(key: ApiKey) -> dict[str, Any]:
    """Of a key that opens several organizations, none of them hears of the others."""
    return {
        "admin": key.admin.email,
        "readOnly": key.read_only,
        "expires": key.expires_at.isoformat() if key.expires_at else None,
        "opens": "all" if key.organization_id is None else "this",
    }


# --- Ending ---------------------------------------------------------------------------------------


@transaction.atomic
def revoke(*, by: Actor, key: ApiKey) -> bool:
    """Ends it at once, and for good; False where it had been revoked before."""
    now = timezone.now()
    ours = ApiKey.objects.filter(pk=key.pk, revoked_at=None)
    if not ours.update(revoked_at=now, revoked_by=by.name[:254]):
        return False
    key.revoked_at, key.revoked_by = now, by.name
    opens = organizations_opened_by(key)
    audit.record_in(opens, "api_key.revoked", by=by, target=key, before=facts(key))
    return True


def revoke_limited(*, by: Actor, admin: Admin, organization_id: int) -> int:
    """The keys that an admin made for one organization alone, which they leave or must leave."""
    limited = keys_of(admin, organization_id).filter(revoked_at=None).select_related("admin")
    return sum(revoke(by=by, key=key) for key in limited)


# --- Telling --------------------------------------------------------------------------------------


def tell_of_expiry() -> int:
    """A mail for each key that ends in a fortnight, once; answers how many."""
    now = timezone.now()
    # Whoever makes a key for a few days knows when it ends.
    ending = ApiKey.objects.usable().filter(
        expiry_told_at=None,
        expires_at__lte=now + TELL_BEFORE,
        expires_at__gt=F("created_at") + TELL_BEFORE,
    )
    told = 0
    for key in ending.select_related("admin").order_by("pk"):
        try:
            told += tell_once(key)
        except Exception:  # the other admins are told
            log.exception("api_keys.expiry_not_told", api_key=key.pk)
    return told


@transaction.atomic
def tell_once(key: ApiKey) -> bool:
    untold = ApiKey.objects.filter(pk=key.pk, expiry_told_at=None, revoked_at=None)
    if not untold.update(expiry_told_at=timezone.now()):
        return False
    mail_owner("expires", key, organizations_opened_by(key))
    return True


def mail_owner(news: str, key: ApiKey, opens: Sequence[int], *, by: Actor | None = None) -> None:
    """Through the outbox of an organization at work; nothing is said of any other one."""
    organization = place_for_mail(opens, key)
    if organization is None:
        return
    subject = {
        "created": f"A new API key acts as you: {key.name}",
        "expires": f"Your API key expires soon: {key.name}",
    }[news]
    context = {
        "key": key,
        "by": by.name if by and by.admin != key.admin else "",
        "opens": organization.name if key.organization_id else "every organization of yours",
        "subject": subject,
        "link": settings.BASE_URL + reverse("organizations:api_key_list"),
    }
    with tenancy.inside(organization.pk):
        post(
            organization=organization,
            key=f"api_key_{news}:{key.pk}",
            to=[key.admin.email],
            subject=subject,
            text=render_to_string(f"mail/api_key_{news}.txt", context),
            html=render_to_string(f"mail/api_key_{news}.html", context),
        )


def place_for_mail(opens: Sequence[int], key: ApiKey) -> Organization | None:
    with tenancy.among(opens):
        return Organization.objects.open().filter(pk__in=opens).order_by("pk").first()
