"""Single sign-on of an organization: where one signs in, whether one has to, and who need not."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from organizations import audit, lookups, outbox, tenancy
from organizations.audit import Actor
from organizations.models import (
    Admin,
    IdentityProvider,
    Membership,
    Organization,
)
from organizations.outbox import Letter
from organizations.refusals import Conflict
from organizations.signin.factors import with_second_factor


class ProviderNotTried(Conflict):
    code = "provider_not_tried"

    def __init__(self) -> None:
        super().__init__(
            "Nobody has come in by single sign-on since it was last changed. Sign in through it once"
            " yourself, in another browser, before you require it."
        )


class NobodyCouldSkip(Conflict):
    code = "nobody_could_skip"

    def __init__(self) -> None:
        super().__init__(
            "If single sign-on broke, nobody could repair it. Let at least one full admin who has a"
            " second factor sign in without it."
        )


class AdminsUnknown(Conflict):
    code = "admins_unknown"

    def __init__(self) -> None:
        super().__init__("An admin was removed meanwhile. Look at the list again.")


# --- Where ----------------------------------------------------------------------------------------


def sign_in_url(organization: Organization) -> str:
    """The organization's sign-in address; empty if it has no single sign-on that works."""
    provider = providers_of(organization).filter(is_enabled=True).first()
    return address_of(provider) if provider else ""


def address_of(provider: IdentityProvider) -> str:
    return f"{settings.BASE_URL}{reverse('sso_start', args=[provider.uuid])}"


def providers_of(organization: Organization) -> QuerySet[IdentityProvider]:
    return IdentityProvider.objects.filter(organization=organization)


def mail_addresses(email: str) -> None:
    """To whoever asks for them: the sign-in addresses of their organizations, one mail of each."""
    admin = Admin.objects.filter(email=email.strip().lower(), is_active=True).first()
    if admin is None:
        return
    for lookup in (lookups.accepted_memberships_of, lookups.invitations_of):
        for found in lookup.all(admin.pk):
            with tenancy.inside(found.organization_id):
                mail_address(Organization.objects.get(pk=found.organization_id), admin.email)


def mail_address(organization: Organization, email: str) -> None:
    url = sign_in_url(organization) if organization.is_open else ""
    if not url:
        return
    subject = f"Sign in to {organization.name}"
    context = {"organization": organization, "url": url, "subject": subject}
    letter = Letter(
        email,
        subject,
        render_to_string("mail/sign_in_address.txt", context),
        render_to_string("mail/sign_in_address.html", context),
    )
    # At most one an hour, however often somebody asks.
    key = f"sign-in-address:{timezone.now():%Y%m%d%H}"
    outbox.post_keyed(organization=organization, letters=[(key, letter)])


# --- Whether --------------------------------------------------------------------------------------


@transaction.atomic
def require(*, by: Actor, organization: Organization, wanted: bool) -> None:
    """Single sign-on for everybody but those who may skip it, from their next page on."""
    organization = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if organization.requires_single_sign_on == wanted:
        return
    if wanted:
        refuse_untried(organization)
        refuse_without_skippers(organization)
    organization.requires_single_sign_on = wanted
    organization.save(update_fields=["requires_single_sign_on"])
    audit.record(
        "organization.single_sign_on_required",
        by=by,
        organization=organization,
        target=organization,
        before={"requiresSingleSignOn": not wanted},
        after={"requiresSingleSignOn": wanted},
    )


def refuse_untried(organization: Organization) -> None:
    tried = providers_of(organization).filter(is_enabled=True, last_used_at__isnull=False)
    if not tried.exists():
        raise ProviderNotTried


def refuse_without_skippers(organization: Organization, but: Membership | None = None) -> None:
    full = Membership.objects.full().filter(organization=organization, may_skip_single_sign_on=True)
    others = full.exclude(pk=but.pk) if but else full
    if not with_second_factor(others.values_list("admin", flat=True)):
        raise NobodyCouldSkip


def keep_a_way_in(membership: Membership) -> None:
    """Refused where this full admin is the last who could repair a single sign-on that is required."""
    required = Organization.objects.filter(
        pk=membership.organization_id, requires_single_sign_on=True
    )
    if membership.may_skip_single_sign_on and required.exists():
        refuse_without_skippers(membership.organization, but=membership)


# --- Who need not ---------------------------------------------------------------------------------


@transaction.atomic
def let_skip(*, by: Actor, organization: Organization, membership_ids: Collection[int]) -> None:
    """Exactly these admins may sign in by password also where single sign-on is required."""
    organization = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    ours = Membership.objects.accepted().filter(organization=organization)
    members = {each.pk: each for each in ours.select_related("admin").order_by("pk")}
    if not set(membership_ids) <= members.keys():
        raise AdminsUnknown
    for membership in members.values():
        switch_skipping(by, membership, membership.pk in membership_ids)
    if organization.requires_single_sign_on:
        refuse_without_skippers(organization)


def switch_skipping(by: Actor, membership: Membership, may: bool) -> None:
    if membership.may_skip_single_sign_on == may:
        return
    membership.may_skip_single_sign_on = may
    membership.save(update_fields=["may_skip_single_sign_on"])
    audit.record(
        "admin.single_sign_on_exempted",
        by=by,
        organization=membership.organization,
        target=membership.admin,
        before={"maySkipSingleSignOn": not may},
        after={"maySkipSingleSignOn": may},
    )


def admins_of(organization: Organization) -> Iterator[tuple[Membership, bool]]:
    """Everybody who could skip it, and whether they have a second factor."""
    ours = Membership.objects.accepted().filter(organization=organization, admin__is_active=True)
    members = list(ours.select_related("admin").order_by("admin__email"))
    secured = with_second_factor([each.admin_id for each in members])
    for membership in members:
        yield membership, membership.admin_id in secured
