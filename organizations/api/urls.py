"""Addresses of the organization's part of the API, without trailing slashes (see vpp_dashboard)."""

from django.urls import path

import organizations.api.converters  # noqa: F401  # registers <row:…>
from organizations.api.admins import AdminsView, AdminView
from organizations.api.devices import NetworkDevicesView
from organizations.api.keys import ApiKeysView, GenerateApiKeyView, RevokeApiKeyView
from organizations.api.networks import NetworksView, NetworkView
from organizations.api.organizations import (
    IdentityView,
    OrganizationsView,
    OrganizationView,
)

ORGANIZATION = "organizations/<row:organizationId>"

urlpatterns = [
    path("administered/identities/me", IdentityView.as_view()),
    path("administered/identities/me/api/keys", ApiKeysView.as_view()),
    path("administered/identities/me/api/keys/generate", GenerateApiKeyView.as_view()),
    path("administered/identities/me/api/keys/<row:keyId>/revoke", RevokeApiKeyView.as_view()),
    path("organizations", OrganizationsView.as_view()),
    path(ORGANIZATION, OrganizationView.as_view()),
    path(f"{ORGANIZATION}/admins", AdminsView.as_view()),
    path(f"{ORGANIZATION}/admins/<row:adminId>", AdminView.as_view()),
    path(f"{ORGANIZATION}/networks", NetworksView.as_view()),
    path("networks/<row:networkId>", NetworkView.as_view()),
    path("networks/<row:networkId>/sm/devices", NetworkDevicesView.as_view()),
]
