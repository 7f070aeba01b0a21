"""Addresses of the organization's part of the API, without trailing slashes (see vpp_dashboard)."""

from django.urls import path

import organizations.api.converters  # noqa: F401  # registers <row:…>
from organizations.api.admin_actions import (
    AdminKeysView,
    InviteAdminView,
    LeaveView,
    RevokeAdminKeyView,
    SignOutAdminView,
    UnlockAdminView,
)
from organizations.api.admins import AdminsView, AdminView
from organizations.api.alarms import AlarmsView
from organizations.api.device_imports import (
    CancelDeviceImportView,
    ConfirmDeviceImportView,
    DeviceImportRowsView,
    DeviceImportsView,
    DeviceImportView,
)
from organizations.api.keys import ApiKeysView, GenerateApiKeyView, RevokeApiKeyView
from organizations.api.networks import NetworksView, NetworkView
from organizations.api.organizations import (
    IdentityView,
    OrganizationsView,
    OrganizationView,
)
from organizations.api.profiles import ProfilesView
from organizations.api.retention import RetentionView
from organizations.api.roles import RolesView, RoleView
from organizations.api.settings import SettingsView
from organizations.api.sign_in import ProvidersView, ProviderView, SignInView
from organizations.api.target_groups import TargetGroupsView, TargetGroupView
from organizations.api.webhooks import (
    DeliveriesView,
    DeliveryView,
    RedeliverView,
    RotateSecretView,
    SendTestView,
    WebhooksView,
    WebhookView,
)

ORGANIZATION = "organizations/<row:organizationId>"
WEBHOOK = f"{ORGANIZATION}/webhooks/<row:webhookId>"
DELIVERY = f"{WEBHOOK}/deliveries/<row:deliveryId>"
ADMIN = f"{ORGANIZATION}/admins/<row:adminId>"
DEVICE_IMPORTS = f"{ORGANIZATION}/sm/devices/imports"
DEVICE_IMPORT = f"{DEVICE_IMPORTS}/<uuid:importId>"

urlpatterns = [
    path("administered/identities/me", IdentityView.as_view()),
    path("administered/identities/me/api/keys", ApiKeysView.as_view()),
    path("administered/identities/me/api/keys/generate", GenerateApiKeyView.as_view()),
    path("administered/identities/me/api/keys/<row:keyId>/revoke", RevokeApiKeyView.as_view()),
    path("organizations", OrganizationsView.as_view()),
    path(ORGANIZATION, OrganizationView.as_view()),
    path(f"{ORGANIZATION}/admins", AdminsView.as_view()),
    path(ADMIN, AdminView.as_view()),
    path(f"{ADMIN}/invite", InviteAdminView.as_view()),
    path(f"{ADMIN}/signOut", SignOutAdminView.as_view()),
    path(f"{ADMIN}/unlock", UnlockAdminView.as_view()),
    path(f"{ADMIN}/apiKeys", AdminKeysView.as_view()),
    path(f"{ADMIN}/apiKeys/<row:keyId>/revoke", RevokeAdminKeyView.as_view()),
    path(f"{ORGANIZATION}/leave", LeaveView.as_view()),
    path(f"{ORGANIZATION}/settings", SettingsView.as_view()),
    path(f"{ORGANIZATION}/alarms", AlarmsView.as_view()),
    path(f"{ORGANIZATION}/auditEvents/retention", RetentionView.as_view()),
    path(f"{ORGANIZATION}/signIn", SignInView.as_view()),
    path(f"{ORGANIZATION}/signIn/providers", ProvidersView.as_view()),
    path(f"{ORGANIZATION}/signIn/providers/<row:providerId>", ProviderView.as_view()),
    path(f"{ORGANIZATION}/networks", NetworksView.as_view()),
    path(DEVICE_IMPORTS, DeviceImportsView.as_view()),
    path(DEVICE_IMPORT, DeviceImportView.as_view()),
    path(f"{DEVICE_IMPORT}/rows", DeviceImportRowsView.as_view()),
    path(f"{DEVICE_IMPORT}/confirm", ConfirmDeviceImportView.as_view()),
    path(f"{DEVICE_IMPORT}/cancel", CancelDeviceImportView.as_view()),
    path("networks/<row:networkId>", NetworkView.as_view()),
    path("networks/<row:networkId>/sm/profiles", ProfilesView.as_view()),
    path("networks/<row:networkId>/sm/targetGroups", TargetGroupsView.as_view()),
    path("networks/<row:networkId>/sm/targetGroups/<row:targetGroupId>", TargetGroupView.as_view()),
    path(f"{ORGANIZATION}/sm/admins/roles", RolesView.as_view()),
    path(f"{ORGANIZATION}/sm/admins/roles/<row:roleId>", RoleView.as_view()),
    path(f"{ORGANIZATION}/webhooks", WebhooksView.as_view()),
    path(WEBHOOK, WebhookView.as_view()),
    path(f"{WEBHOOK}/test", SendTestView.as_view()),
    path(f"{WEBHOOK}/rotateSecret", RotateSecretView.as_view()),
    path(f"{WEBHOOK}/deliveries", DeliveriesView.as_view()),
    path(DELIVERY, DeliveryView.as_view()),
    path(f"{DELIVERY}/redeliver", RedeliverView.as_view()),
]
