"""Organizations, admins, and who I am, as Meraki answers."""

from datetime import UTC, datetime

from organizations.models import Admin, Organization
from tests import factories
from tests.api.conftest import ApiClient

SIGNED_IN = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def test_an_organization_has_meraki_s_fields(
    owner_api: ApiClient, organization: Organization
) -> None:
    answer = owner_api.get(f"/organizations/{organization.pk}")

    assert answer.json() == {
        "id": str(organization.pk),
        "name": "Example Schools",
        "url": f"http://127.0.0.1:8000/organizations/{organization.pk}/",
        "api": {"enabled": True},
        "licensing": {"model": "per-device"},
        "cloud": {"region": {"name": "Self-hosted", "host": {"name": "127.0.0.1"}}},
        "management": {"details": []},
        "privacy": {},
    }


def test_an_admin_of_two_organizations_lists_both(
    owner_api: ApiClient, owner: Admin, organization: Organization
) -> None:
    second = factories.MembershipFactory(admin=owner, access="read-only").organization

    answer = owner_api.get("/organizations")

    assert [row["id"] for row in answer.json()] == [str(organization.pk), str(second.pk)]


def test_i_am_the_admin_of_my_key(owner_api: ApiClient, owner: Admin) -> None:
    Admin.objects.filter(pk=owner.pk).update(last_login=SIGNED_IN, name="Olga")

    answer = owner_api.get("/administered/identities/me")

    assert answer.json() == {
        "name": "Olga",
        "email": "owner@example.org",
        "lastUsedDashboardAt": "2026-03-01T08:30:00Z",
        "authentication": {
            "mode": "email",
            "api": {"key": {"created": True}},
            "twoFactor": {"enabled": False},
            "saml": {"enabled": False},
        },
    }
