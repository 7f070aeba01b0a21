"""The tenant: who signs in, what they may touch, what was done, and what they own."""

from organizations.models.audit import AuditEvent
from organizations.models.device_imports import DeviceImport, DeviceImportRow
from organizations.models.inventory import Device, DeviceSource, Owner, Platform, Tag
from organizations.models.mail import OutgoingMail
from organizations.models.people import (
    Admin,
    ApiKey,
    Membership,
    NetworkAccess,
    NetworkTagAccess,
    OrganizationAccess,
)
from organizations.models.requests import IdempotentAnswer
from organizations.models.signing_in import IdentityProvider, SignInFailure
from organizations.models.target_groups import TargetGroup
from organizations.models.tenant import OF_OPEN, Logo, Network, Organization
from organizations.models.webhooks import EventKind, Webhook, WebhookDelivery, WebhookEvent

__all__ = [
    "OF_OPEN",
    "Admin",
    "ApiKey",
    "AuditEvent",
    "Device",
    "DeviceImport",
    "DeviceImportRow",
    "DeviceSource",
    "EventKind",
    "IdempotentAnswer",
    "IdentityProvider",
    "Logo",
    "Membership",
    "Network",
    "NetworkAccess",
    "NetworkTagAccess",
    "Organization",
    "OrganizationAccess",
    "OutgoingMail",
    "Owner",
    "Platform",
    "SignInFailure",
    "Tag",
    "TargetGroup",
    "Webhook",
    "WebhookDelivery",
    "WebhookEvent",
]
