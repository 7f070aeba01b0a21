"""Single sign-on that an organization requires, as the door of its pages holds it.

The second factor is in test_second_factor.py, the sign-in itself in test_single_sign_on_*.py.
"""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.asserts import assertRedirects

from organizations.models import Admin, ApiKey, IdentityProvider, Membership, Organization
from tests.conftest import signed_in
from tests.factories import MembershipFactory
from tests.reading import text_of


@pytest.fixture
def page(organization: Organization) -> str:
    """A page of an organization that requires single sign-on."""
    organization.requires_single_sign_on = True
    organization.save()
    return f"/organizations/{organization.pk}/networks/"


@pytest.fixture
def provider(organization: Organization) -> IdentityProvider:
    return IdentityProvider.objects.create(
        organization=organization, kind="oidc", name="Directory", issuer="https://id.example.org"
    )


def test_who_came_by_password_is_sent_to_the_directory(
    owner_client: Client, page: str, provider: IdentityProvider
) -> None:
    answer = owner_client.get(page)

    assert answer.status_code == 302
    assert f"/accounts/sso/{provider.uuid}/" in answer["Location"]
    assert answer["Location"].endswith(f"?next={page.replace('/', '%2F')}")


def test_who_may_skip_it_goes_on(
    owner: Admin, owner_client: Client, page: str, provider: IdentityProvider
) -> None:
    Membership.objects.filter(admin=owner).update(may_skip_single_sign_on=True)

    assert owner_client.get(page).status_code == 200


def test_who_came_through_it_goes_on_here_and_nowhere_else(
    owner: Admin, page: str, provider: IdentityProvider, organization: Organization
) -> None:
    other = MembershipFactory(admin=owner, organization__name="Second Schools").organization
    client = signed_in(owner)
    session = client.session
    session["only_organization"] = organization.pk
    session.save()

    assert client.get(page).status_code == 200
    assert client.get(f"/organizations/{other.pk}/networks/").status_code == 404


def test_through_the_directory_of_another_organization_nobody_comes_in(
    owner: Admin, page: str, provider: IdentityProvider
) -> None:
    other = MembershipFactory(admin=owner, organization__name="Second Schools").organization
    client = signed_in(owner)
    session = client.session
    session["only_organization"] = other.pk
    session.save()

    assert client.get(page).status_code == 404


def test_without_a_directory_that_works_one_is_told_whom_to_ask(
    owner_client: Client, page: str
) -> None:
    answer = owner_client.get(page)

    assert answer.status_code == 403
    assert "has none that works at the moment" in text_of(answer)


def test_keys_go_on(owner: Admin, page: str, client: Client, organization: Organization) -> None:
    _, text = ApiKey.objects.issue(admin=owner, name="Script")

    answer = client.get(
        f"/api/v1/organizations/{organization.pk}/networks",
        headers={"Authorization": f"Bearer {text}"},
    )

    assert answer.status_code == 200


def test_who_shows_the_second_factor_there_needs_none_here(
    owner: Admin, page: str, provider: IdentityProvider, organization: Organization
) -> None:
    Organization.objects.filter(pk=organization.pk).update(requires_second_factor=True)
    client = signed_in(owner)
    session = client.session
    session["only_organization"] = organization.pk
    session.save()

    assert client.get(page).status_code == 200


def test_outsiders_hear_nothing_of_it(
    outsider_client: Client, page: str, provider: IdentityProvider
) -> None:
    assert outsider_client.get(page).status_code == 404


def test_a_stranger_signs_in_first(client: Client, page: str, provider: IdentityProvider) -> None:
    assertRedirects(client.get(page), f"/accounts/login/?next={page}")
