"""Two organizations, filled in every table with values that are recognised wherever they turn up."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.utils import timezone

from apps_catalog.models import ChannelSettings
from licensing.models import LicensingSettings, ProtectedHolder
from organizations.admins import links as admin_links
from organizations.models import (
    Admin,
    ApiKey,
    AuditEvent,
    IdentityProvider,
    Logo,
    Membership,
    Network,
    NetworkTagAccess,
    OutgoingMail,
    WebhookEvent,
)
from tests import factories, saml_provider, signing_in
from tests.sweep import deployment
from tests.sweep.accounts import rows_of
from tests.sweep.tenant import PASSWORD, SECRET, Tenant
from users.models import InvitationSettings
from vpp_accounts.apple.fake import FakeApple


def fill(apple: FakeApple, mark: str, number: int) -> Tenant:
    organization = factories.OrganizationFactory(name=f"{mark} Schools")
    tenant = Tenant(mark=mark, number=number, organization=organization)
    network = factories.NetworkFactory(
        organization=organization, name=f"{tenant.inner} Campus", tags=[f"{tenant.inner}-tag"]
    )
    _people_of(tenant, network)
    _organization_rows(tenant, network)
    tenant.rows |= rows_of(tenant, apple, network, "named", 1)
    tenant.rows |= deployment.rows_of(tenant)
    tenant.network_rows |= tenant.rows | rows_of(tenant, apple, network, "networks", 2)
    return tenant


# --- People ---------------------------------------------------------------------------------------


def _people_of(tenant: Tenant, network: Network) -> None:
    """Who asks (knocking.py): the kinds of memberships that there are."""
    annexe = factories.NetworkFactory(
        organization=tenant.organization, name=f"{tenant.mark} Annexe"
    )
    accesses = {"full": "full", "reader": "read-only", "named": "none", "allowed": "none"}
    for who, access in (accesses | {"apart": "none", "invited": "full"}).items():
        membership = factories.MembershipFactory(
            organization=tenant.organization,
            access=access,
            admin__email=f"{who}@{tenant.mark}.example",
            admin__name=f"{tenant.mark} {who}",
            admin__password=PASSWORD,
        )
        tenant.admins[who] = membership.admin
        if who in ("named", "allowed", "apart"):
            theirs = annexe if who == "apart" else network
            factories.NetworkAccessFactory(membership=membership, network=theirs)
    invited = Membership.objects.filter(admin=tenant.admins["invited"])
    invited.update(accepted_at=None, invited_at=timezone.now(), invited_by=f"{tenant.mark} full")
    NetworkTagAccess.objects.create(
        organization=tenant.organization,
        membership=tenant.membership("named"),
        tag=f"{tenant.inner}-tag",
    )


def key_of(tenant: Tenant, who: str, **fields: Any) -> str:
    """A key's text. Its prefix is a value of the organization's, its text nobody's to see again."""
    name = f"{tenant.mark} key of {who}"
    key, text = ApiKey.objects.issue(admin=tenant.admins[who], name=name, **fields)
    tenant.values.append(key.prefix)
    tenant.secrets += [text, key.digest]
    tenant.digests.append(key.digest)
    return text


def second_factor_of(admin: Admin) -> Authenticator:
    """Of each kind; answers the passkey."""
    signing_in.with_app(admin)
    signing_in.with_passkey(admin)
    passkey: Authenticator = Authenticator.objects.get(user=admin, type="webauthn")
    return passkey


def _key_here(tenant: Tenant) -> ApiKey:
    """The full admin's own, for this organization alone: other full admins may revoke it, too."""
    text = key_of(tenant, "full", organization=tenant.organization)
    return ApiKey.objects.get(digest=ApiKey.digest_of(text))


# --- What belongs to the organization -------------------------------------------------------------


def _organization_rows(tenant: Tenant, network: Network) -> None:
    organization, inner = tenant.organization, tenant.inner
    owner = factories.OwnerFactory(
        organization=organization,
        name=f"{inner} Person",
        email=f"person@{inner}.example",
        username=f"{inner}.person",
        managed_apple_account=f"person@{inner}.appleid.example",
    )
    tag = factories.TagFactory(organization=organization, name=f"{tenant.mark}-tag")
    device = factories.DeviceFactory(
        organization=organization,
        network=network,
        serial_number=f"{tenant.mark}SERIAL".upper(),
        name=f"{inner} iPad",
        owner=owner,
        tag_ids=[tag.pk],
    )
    people_import = factories.PeopleImportFactory(
        organization=organization, file_name=f"{inner}.csv", actor_name=f"{inner} admin"
    )
    factories.ImportRowFactory(
        people_import=people_import, name=f"{inner} Row", email=f"row@{inner}.example"
    )
    _settings_of(tenant)
    protected = ProtectedHolder.objects.create(
        organization=organization,
        holder_kind="device",
        holder=device.serial_number,
        name=device.name,
        reason=f"{inner} says so",
        by_name=f"full@{inner}.example",
    )
    group = factories.TargetGroupFactory(
        network=network, name=f"{inner} Group", operator="withAny", tag_ids=[tag.pk]
    )
    tenant.rows |= {
        "target_group_id": group.pk,
        "role_id": 1,
        "protected_id": protected.pk,
        "organization_id": organization.pk,
        "network_id": network.pk,
        "admin_id": tenant.membership("reader").pk,
        "own_membership_id": tenant.membership("full").pk,
        "membership_id": tenant.membership("invited").pk,
        "admin_link": admin_links.token_of(tenant.membership("invited")),
        "key_id": _key_here(tenant).pk,
        "owner_id": owner.pk,
        "device_id": device.pk,
        "import_id": people_import.pk,
        "channel_uuid": _channel_of(tenant).uuid,
        **_webhook_of(tenant),
    }


def _webhook_of(tenant: Tenant) -> dict[str, Any]:
    """What was delivered names somebody, whom readers may not see."""
    event = WebhookEvent.objects.create(
        organization=tenant.organization,
        kind="user.associated",
        payload={"email": f"person@{tenant.inner}.example"},
        at=timezone.now(),
    )
    webhook = factories.WebhookFactory(
        organization=tenant.organization,
        name=f"{tenant.inner} desk",
        url=f"https://hooks.{tenant.inner}.example/",
        created_by=f"full@{tenant.inner}.example",
    )
    tenant.secrets.append(webhook.secret)
    delivery = factories.WebhookDeliveryFactory(
        webhook=webhook,
        event=event,
        state="delivered",
        next_attempt_at=None,
        answer=f"{tenant.inner} has it",
    )
    return {"webhook_id": webhook.pk, "delivery_id": delivery.pk}


def _channel_of(tenant: Tenant) -> ChannelSettings:
    """Of its own. That events without a signature come was noted just now, so that more leave no trace."""
    channel = ChannelSettings(
        organization=tenant.organization,
        kind="nanomdm",
        base_url=f"https://mdm.{tenant.inner}.example",
        topic=f"com.apple.mgmt.{tenant.inner}",
        refused_at=timezone.now(),
    )
    channel.api_key, channel.webhook_key = f"{SECRET} api key", f"{SECRET} webhook key"
    channel.save()
    return channel


def _settings_of(tenant: Tenant) -> None:
    organization, inner = tenant.organization, tenant.inner
    Logo.objects.create(organization=organization, png=b"\x89PNG", width=1, height=1)
    LicensingSettings.objects.create(organization=organization, low_threshold=3)
    InvitationSettings.objects.create(organization=organization, wording=f"Yours, {inner}")
    provider = IdentityProvider(
        organization=organization,
        kind="oidc",
        name=f"{inner} Directory",
        issuer=f"https://{tenant.mark}.example/oidc",
        client_id=f"{inner}-client",
        email_domains=[f"{tenant.mark}.example"],
        last_used_at=timezone.now(),
    )
    provider.client_secret = f"{SECRET} of {inner}"
    provider.save()
    saml = IdentityProvider.objects.create(
        organization=organization,
        kind="saml",
        name=f"{inner} SAML Directory",
        entity_id=f"https://{tenant.mark}.example/saml",
        sign_in_url=f"https://{tenant.mark}.example/saml/sso",
        certificate=saml_provider.CERTIFICATE,
    )
    OutgoingMail.objects.create(
        organization=organization,
        key=f"{inner}-mail",
        to=f"mail@{inner}.example",
        subject=f"About {inner}",
        text=f"Dear {inner}",
    )
    event = AuditEvent.objects.create(
        organization=organization,
        actor_kind="admin",
        actor_name=f"full@{inner}.example",
        action="network.renamed",
        target_kind="network",
        target_name=f"{inner} Campus",
        before={"name": f"{inner} before"},
        after={"name": f"{inner} after"},
        address=f"203.0.113.{tenant.number}",
    )
    tenant.rows |= {
        "provider_id": provider.pk,
        "provider_uuid": provider.uuid,
        "saml_uuid": saml.uuid,
        "event_id": event.pk,
    }
    tenant.values += [str(provider.uuid), str(saml.uuid), f"203.0.113.{tenant.number}"]
