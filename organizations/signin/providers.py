"""What full admins do to the identity providers of their organization."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet
from django.db.models.functions import Cast
from django.utils import timezone

from organizations import audit
from organizations.audit import Actor
from organizations.models import Admin, IdentityProvider, Membership, Organization
from organizations.refusals import Conflict, Refusal
from organizations.signin import single
from organizations.signin.provider_checks import (
    ProviderDetails,
    ProviderWrong,
    checked_domains,
    checked_name,
    facts,
    missing,
    oidc,
    saml,
)

MOST = 10
Kind = IdentityProvider.Kind
# Changing one of these makes it another provider, through which nobody has come yet.
CONNECTION = (
    *("issuer", "client_id", "client_secret_ciphertext", "manages_addresses"),
    *("entity_id", "sign_in_url", "certificate", "email_attribute", "email_domains"),
)
# Somebody else answers under another one of these, and the same name there is another person.
ANSWERS = ("issuer", "entity_id")


class TooManyProviders(Refusal):
    code = "too_many_providers"

    def __init__(self) -> None:
        super().__init__(f"At most {MOST} are possible. Delete one that nobody uses.")


class ProviderRequired(Conflict):
    code = "provider_required"

    def __init__(self) -> None:
        super().__init__(
            "Single sign-on is required, and this is the only one. Add another, or stop requiring it"
            " first."
        )


class ProviderGone(Conflict):
    code = "provider_gone"

    def __init__(self) -> None:
        super().__init__("It was deleted meanwhile. Go back to the sign-in settings.")


@transaction.atomic
def add(*, by: Actor, organization: Organization, kind: str, name: str) -> IdentityProvider:
    """Switched off and empty: its addresses are needed at the provider before the rest is known."""
    lock(organization)
    if single.providers_of(organization).count() >= MOST:
        raise TooManyProviders
    provider = IdentityProvider(organization=organization, kind=kind, is_enabled=False)
    provider.name = checked_name(name)
    provider.save()
    audit.record(
        "single_sign_on.added",
        by=by,
        organization=organization,
        target=provider,
        after={"kind": provider.get_kind_display()},
    )
    return provider


def edit(*, by: Actor, provider: IdentityProvider, details: ProviderDetails) -> IdentityProvider:
    """An issuer is asked who it is before it is believed, and before any transaction."""
    details_of_kind = oidc if provider.kind == Kind.OIDC else saml
    wanted = details_of_kind(provider, details)
    wanted |= {
        "name": checked_name(details.name),
        "email_domains": checked_domains(details.email_domains),
        "is_enabled": details.is_enabled,
    }
    with transaction.atomic():
        return write(by, provider, wanted, details.client_secret)


def write(
    by: Actor, provider: IdentityProvider, wanted: dict[str, Any], secret: str
) -> IdentityProvider:
    lock(provider.organization)
    provider = fresh(provider)
    before, was = facts(provider), {name: getattr(provider, name) for name in CONNECTION}
    for name, value in wanted.items():
        setattr(provider, name, value)
    if secret:
        provider.client_secret = secret
    refuse_unfinished(provider)
    refuse_without_any(provider, before["enabled"] and not provider.is_enabled)
    if any(getattr(provider, name) != was[name] for name in CONNECTION):
        provider.last_used_at = None
    provider.save()
    is_another = any(getattr(provider, name) != was[name] for name in ANSWERS)
    if is_another or (before["enabled"] and not provider.is_enabled):
        end_sessions(provider)
    if is_another:
        bound(provider).delete()
    note_change(by, provider, before, secret)
    return provider


def note_change(by: Actor, provider: IdentityProvider, before: dict[str, Any], secret: str) -> None:
    after = facts(provider)
    changed = [name for name in after if after[name] != before[name]]
    told = {name: after[name] for name in changed}
    if secret:
        told["clientSecret"] = "a new one"
    if told:
        audit.record(
            "single_sign_on.edited",
            by=by,
            organization=provider.organization,
            target=provider,
            before={name: before[name] for name in changed},
            after=told,
        )


@transaction.atomic
def delete(*, by: Actor, provider: IdentityProvider) -> None:
    """With what it has bound; who came in through it signs in again."""
    lock(provider.organization)
    provider = fresh(provider)
    refuse_without_any(provider, provider.is_enabled)
    end_sessions(provider)
    bound(provider).delete()
    audit.record(
        "single_sign_on.deleted",
        by=by,
        organization=provider.organization,
        target=provider,
        before=facts(provider),
    )
    provider.delete()


@transaction.atomic
def reset(*, by: Actor, provider: IdentityProvider, admin: Admin) -> None:
    """The next sign-in with this address binds whatever account the provider then has for it."""
    ours = Membership.objects.filter(organization=provider.organization, admin=admin)
    if bound(provider).filter(user=admin).delete()[0]:
        ours.update(sign_in_again_after=timezone.now())
        audit.record(
            "admin.single_sign_on_reset",
            by=by,
            organization=provider.organization,
            target=admin,
            before={"provider": provider.name},
        )


def bound(provider: IdentityProvider) -> QuerySet[SocialAccount]:
    found: QuerySet[SocialAccount] = SocialAccount.objects.filter(provider=str(provider.uuid))
    return found


def end_sessions(provider: IdentityProvider) -> None:
    """Everybody who has ever come through it signs in again, here and nowhere else."""
    theirs = Membership.objects.filter(
        organization=provider.organization, admin__in=bound(provider).values("user")
    )
    theirs.update(sign_in_again_after=timezone.now())


def forget_member(instance: Membership, **kwargs: Any) -> None:
    """Who is removed and invited again is connected anew, to whatever account they then have."""
    uuids = IdentityProvider.objects.filter(organization=instance.organization_id)
    names = [str(uuid) for uuid in uuids.values_list("uuid", flat=True)]
    SocialAccount.objects.filter(provider__in=names, user=instance.admin_id).delete()


def forget_orphans() -> int:
    """Connections through providers that are gone: with their organization, past this service."""
    known = IdentityProvider.objects.annotate(name_=Cast("uuid", CharField()))
    orphans = SocialAccount.objects.using("system").filter(
        ~Exists(known.filter(name_=OuterRef("provider")))
    )
    return int(orphans.delete()[0])


# --- Before it is changed ---------------------------------------------------------------------------


def lock(organization: Organization) -> None:
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def fresh(provider: IdentityProvider) -> IdentityProvider:
    known = IdentityProvider.objects.select_related("organization")
    current = known.select_for_update(of=("self",), no_key=True).filter(pk=provider.pk).first()
    if current is None:
        raise ProviderGone
    return current


def refuse_unfinished(provider: IdentityProvider) -> None:
    if provider.is_enabled and (absent := missing(provider)):
        raise ProviderWrong(
            "is_enabled", f"Enter the {' and the '.join(absent)} before you switch it on."
        )


def refuse_without_any(provider: IdentityProvider, goes: bool) -> None:
    if not goes or not provider.organization.requires_single_sign_on:
        return
    others = single.providers_of(provider.organization).filter(is_enabled=True)
    if not others.exclude(pk=provider.pk).exists():
        raise ProviderRequired
