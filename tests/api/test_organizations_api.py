"""Organizations, admins, and who I am, as Meraki answers."""

from datetime import UTC, datetime

import pytest

from organizations.models import Admin, Organization
from tests import factories
from tests.api.conftest import ApiClient, key_of

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
    }


def test_an_admin_of_two_organizations_lists_both(
    owner_api: ApiClient, owner: Admin, organization: Organization
) -> None:
    second = factories.MembershipFactory(admin=owner, access="read-only").organization

    answer = owner_api.get("/organizations")

    assert [row["id"] for row in answer.json()] == [str(organization.pk), str(second.pk)]


def test_admins_are_listed_with_their_access(
    owner_api: ApiClient, owner: Admin, organization: Organization
) -> None:
    Admin.objects.filter(pk=owner.pk).update(last_login=SIGNED_IN, name="Olga")
    access = factories.NetworkAccessFactory(
        membership__organization=organization,
        membership__admin__email="north@example.org",
        membership__admin__name="Nora",
        membership__admin__password=None,
        can_write=False,
    )

    answer = owner_api.get(f"/organizations/{organization.pk}/admins")

    shared = {"twoFactorAuthEnabled": False, "tags": [], "authenticationMethod": "Email"}
    assert answer.json() == [
        {
            "id": str(owner.pk),
            "name": "Olga",
            "email": "owner@example.org",
            "orgAccess": "full",
            "accountStatus": "ok",
            "hasApiKey": True,
            "lastActive": "2026-03-01T08:30:00Z",
            "networks": [],
            **shared,
        },
        {
            "id": str(access.membership.admin_id),
            "name": "Nora",
            "email": "north@example.org",
            "orgAccess": "none",
            "accountStatus": "pending",
            "hasApiKey": False,
            "lastActive": "",
            "networks": [{"id": str(access.network_id), "access": "read-only"}],
            **shared,
        },
    ]


def test_an_admin_who_was_locked_out_says_so(
    owner_api: ApiClient, organization: Organization
) -> None:
    factories.MembershipFactory(organization=organization, admin__is_active=False)

    answer = owner_api.get(f"/organizations/{organization.pk}/admins")

    assert [row["accountStatus"] for row in answer.json()] == ["ok", "locked"]


@pytest.mark.parametrize("count", [1, 3])
def test_listing_admins_costs_the_same_for_one_and_three(
    owner_api: ApiClient,
    organization: Organization,
    django_assert_num_queries: object,
    count: int,
) -> None:
    for _ in range(count):
        access = factories.NetworkAccessFactory(membership__organization=organization)
        key_of(access.membership.admin)
    owner_api.get("/organizations")  # notes the use of the key

    with django_assert_num_queries(4):
        answer = owner_api.get(f"/organizations/{organization.pk}/admins")

    assert len(answer.json()) == count + 1


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
