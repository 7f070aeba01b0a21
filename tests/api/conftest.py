"""Clients with an API key, for each kind of admin."""

import pytest
from django.test import Client

from organizations.api import openapi as openapi_module
from organizations.models import Admin, ApiKey, Organization
from tests import factories
from tests.api.rows import rows_of

BASE = "/api/v1"


class ApiClient(Client):
    """Django's test client, speaking JSON with a key to addresses below /api/v1."""

    def generic(self, method, path, data="", content_type="application/json", *args, **kwargs):
        return super().generic(method, BASE + path, data, content_type, *args, **kwargs)

    def send(self, method, path, body=None, **kwargs):
        encoded = self._encode_json({} if body is None else body, "application/json")
        return self.generic(method, path, encoded, **kwargs)


def key_of(admin: Admin, **fields: object) -> str:
    return ApiKey.objects.issue(admin=admin, name="Tests", **fields)[1]


def client_of(admin: Admin, **fields: object) -> ApiClient:
    return ApiClient(headers={"Authorization": f"Bearer {key_of(admin, **fields)}"})


@pytest.fixture
def owner_api(owner: Admin) -> ApiClient:
    return client_of(owner)


@pytest.fixture
def reader_api(reader: Admin) -> ApiClient:
    return client_of(reader)


@pytest.fixture
def outsider_api(outsider: Admin) -> ApiClient:
    return client_of(outsider)


@pytest.fixture
def network_admin_api(organization: Organization) -> ApiClient:
    """An admin of one network of the organization, and of nothing else."""
    network = factories.NetworkFactory(organization=organization, name="Theirs")
    access = factories.NetworkAccessFactory(membership__organization=organization, network=network)
    return client_of(access.membership.admin)


@pytest.fixture
def rows(organization: Organization) -> dict[str, object]:
    """One row for every name that an address may contain, all of one organization."""
    return rows_of(organization)


@pytest.fixture
def nobody_api(db: None) -> ApiClient:
    return ApiClient()


@pytest.fixture(scope="session")
def openapi() -> dict:
    """The description of the API, as /api/v1/openapi.json gives it."""
    return openapi_module.openapi()
