"""The tenant: who signs in, what they may touch, what was done, and what they own."""

from organizations.models.audit import AuditEvent
from organizations.models.inventory import Device, Owner, Tag
from organizations.models.mail import OutgoingMail
from organizations.models.people import Admin, ApiKey, Membership, NetworkAccess, OrganizationAccess
from organizations.models.requests import IdempotentAnswer
from organizations.models.tenant import Logo, Network, Organization

__all__ = [
    "Admin",
    "ApiKey",
    "AuditEvent",
    "Device",
    "IdempotentAnswer",
    "Logo",
    "Membership",
    "Network",
    "NetworkAccess",
    "Organization",
    "OrganizationAccess",
    "OutgoingMail",
    "Owner",
    "Tag",
]
