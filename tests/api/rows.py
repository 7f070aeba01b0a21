"""A row for everything that an address of the API may name."""

from __future__ import annotations

import uuid

from apps_catalog import store
from apps_catalog.codes import importing
from apps_catalog.models import ManagedApp
from licensing.models import ProtectedHolder
from organizations import audit
from organizations.audit import Actor
from organizations.models import Admin, ApiKey, IdentityProvider, Organization
from tests import factories
from tests.codes import BY, CODES, imported, sheet_of
from vpp_accounts.models import SyncRun


def key_with_id(admin: Admin) -> int:
    return ApiKey.objects.issue(admin=admin, name="Theirs")[0].pk


def event_of(organization: Organization) -> int:
    return audit.record(
        "network.added", by=Actor.system("Tests"), organization=organization, target=organization
    ).pk


def imports_of(organization: Organization) -> uuid.UUID:
    """One of people and one of devices, by the same id, each with a row."""
    people = factories.PeopleImportFactory(organization=organization)
    factories.ImportRowFactory(people_import=people)
    devices = factories.DeviceImportFactory(organization=organization, pk=people.pk)
    factories.DeviceImportRowFactory(device_import=devices)
    return people.pk


def protected_in(organization: Organization) -> int:
    row = ProtectedHolder(organization=organization, holder_kind="device", holder="DMQ1")
    row.save()
    return row.pk


def codes_of(managed_app: ManagedApp) -> dict[str, object]:
    (code,) = imported(managed_app, CODES[0])
    sheet = importing.start_import(
        by=BY, managed_app=managed_app, file_name="codes.csv", content=sheet_of(CODES[1])
    )
    return {"codeId": code.pk, "codeImportId": sheet.pk}


def rows_of(organization: Organization) -> dict[str, object]:
    """One row for every name that an address may contain, all of one organization."""
    account = factories.VppAccountFactory(organization=organization, token="c2VjcmV0LXRva2Vu")
    asset = factories.LicensedAppFactory(account=account)
    factories.AssignmentFactory(licensed_app=asset)
    batch = factories.BatchFactory(account=account)
    factories.BatchItemFactory(batch=batch, licensed_app=asset)
    network = factories.NetworkFactory(organization=organization)
    managed_app = factories.ManagedAppFactory(network=network)
    owner = factories.OwnerFactory(organization=organization)
    device = factories.DeviceFactory(organization=organization, network=network, owner=owner)
    delivery = factories.WebhookDeliveryFactory(
        webhook__organization=organization, state="delivered", next_attempt_at=None
    )
    return {
        "organizationId": organization.pk,
        "eventId": event_of(organization),
        "providerId": IdentityProvider.objects.create(organization=organization, kind="saml").pk,
        "adminId": factories.MembershipFactory(organization=organization).pk,
        "keyId": key_with_id(factories.MembershipFactory(organization=organization).admin),
        "networkId": network.pk,
        "appId": managed_app.pk,
        "deviceId": device.pk,
        "vppAccountId": account.pk,
        "syncRunId": factories.SyncRunFactory(account=account, trigger=SyncRun.Trigger.ADDED).pk,
        "batchId": batch.pk,
        "tagId": factories.TagFactory(organization=organization).pk,
        "importId": imports_of(organization),
        "webhookId": delivery.webhook_id,
        "deliveryId": delivery.pk,
        "ownerId": owner.pk,
        # An owner in Meraki's part of the API, a person of the account in ours.
        "userId": factories.VppUserFactory(account=account, pk=owner.pk).pk,
        "installationId": factories.InstallationFactory(managed_app=managed_app, device=device).pk,
        "searchId": store.ask(
            organization=organization, term="Keynote", country="US", platform="iOS"
        ).pk,
        **codes_of(managed_app),
        "targetGroupId": factories.TargetGroupFactory(network=network).pk,
        "roleId": 1,
        "adamId": asset.adam_id,
        "pricingParam": asset.pricing_param,
        "protectedId": protected_in(organization),
    }
