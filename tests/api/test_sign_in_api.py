"""How admins of an organization sign in, as programs read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from organizations.models import Admin, IdentityProvider, Organization
from organizations.signin import certificates
from tests import factories, saml_provider, signing_in
from tests.api.conftest import ApiClient

USED = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
SECRET = "swordfish of the directory"


@pytest.fixture
def base(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/signIn"


def oidc(organization: Organization, **fields: Any) -> IdentityProvider:
    known = {
        "kind": "oidc",
        "name": "Directory",
        "issuer": "https://login.example.org",
        "client_id": "vpp",
        "email_domains": ["example.org"],
        "last_used_at": USED,
    }
    provider = IdentityProvider(organization=organization, **(known | fields))
    provider.client_secret = SECRET
    provider.save()
    return provider


def test_what_is_required_is_told_with_whom_it_concerns(
    owner_api: ApiClient, owner: Admin, organization: Organization, base: str
) -> None:
    organization.requires_single_sign_on = True
    organization.save()
    signing_in.with_app(owner)
    own = owner.memberships.get()
    own.may_skip_single_sign_on = True
    own.save()
    bare = factories.MembershipFactory(organization=organization)

    answer = owner_api.get(base)

    assert answer.json() == {
        "requiresSecondFactor": False,
        "requiresSingleSignOn": True,
        "adminIdsWithoutSecondFactor": [str(bare.pk)],
        "adminIdsThatSkipSingleSignOn": [str(own.pk)],
    }


def test_an_openid_provider_is_shown_without_its_secret(
    owner_api: ApiClient, organization: Organization, base: str
) -> None:
    provider = oidc(organization)

    listed, shown = (
        owner_api.get(f"{base}/providers"),
        owner_api.get(f"{base}/providers/{provider.pk}"),
    )

    told = {
        "id": str(provider.pk),
        "kind": "oidc",
        "name": "Directory",
        "enabled": True,
        "emailDomains": ["example.org"],
        "missing": [],
        "signInUrl": f"http://127.0.0.1:8000/accounts/sso/{provider.uuid}/",
        "lastUsedAt": "2026-03-01T08:30:00Z",
        "openId": {
            "issuer": "https://login.example.org",
            "clientId": "vpp",
            "hasClientSecret": True,
            "managesAddresses": False,
            "redirectUri": f"http://127.0.0.1:8000/accounts/oidc/{provider.uuid}/callback/",
        },
        "saml": None,
    }
    assert (listed.json(), shown.json()) == ([told], told)
    assert SECRET not in listed.content.decode() + shown.content.decode()


def test_a_saml_provider_is_shown_with_its_certificates(
    owner_api: ApiClient, organization: Organization, base: str
) -> None:
    provider = IdentityProvider.objects.create(
        organization=organization,
        kind="saml",
        name="School directory",
        entity_id="https://idp.example.org/metadata",
        certificate=saml_provider.CERTIFICATE,
        is_enabled=False,
    )
    [known] = certificates.described(saml_provider.CERTIFICATE)

    told = owner_api.get(f"{base}/providers/{provider.pk}").json()

    own = f"http://127.0.0.1:8000/accounts/saml/{provider.uuid}"
    assert (told["enabled"], told["missing"], told["openId"]) == (False, ["singleSignOnUrl"], None)
    assert told["saml"] == {
        "entityId": "https://idp.example.org/metadata",
        "singleSignOnUrl": "",
        "emailAttribute": "",
        "certificates": [
            {
                "subject": known.subject,
                "fingerprint": known.fingerprint,
                "endsAt": known.ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        ],
        "ownEntityId": f"{own}/metadata/",
        "consumerUrl": f"{own}/acs/",
    }


@pytest.mark.parametrize("count", [1, 3])
def test_listing_providers_costs_the_same_for_one_and_three(
    owner_api: ApiClient,
    organization: Organization,
    base: str,
    django_assert_num_queries: Any,
    count: int,
) -> None:
    for _ in range(count):
        oidc(organization)
    owner_api.get("/organizations")  # notes the use of the key

    with django_assert_num_queries(3):
        answer = owner_api.get(f"{base}/providers")

    assert len(answer.json()) == count


def test_what_is_still_missing_is_named_as_on_the_wire(
    owner_api: ApiClient, organization: Organization, base: str
) -> None:
    for kind in ("oidc", "saml"):
        IdentityProvider.objects.create(organization=organization, kind=kind, name=kind)

    told = owner_api.get(f"{base}/providers").json()

    assert [(each["kind"], each["missing"]) for each in told] == [
        ("oidc", ["issuer", "clientId", "clientSecret"]),
        ("saml", ["entityId", "singleSignOnUrl", "certificate"]),
    ]


def test_signing_in_is_shown_to_the_organization_alone_and_changed_by_no_key(
    owner_api: ApiClient,
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    organization: Organization,
    base: str,
) -> None:
    provider = oidc(organization)
    addresses = (base, f"{base}/providers", f"{base}/providers/{provider.pk}")
    knockers = (owner_api, reader_api, network_admin_api, outsider_api)

    looks = [{api.get(address).status_code for address in addresses} for api in knockers]
    changes = {
        owner_api.send(method, address).status_code
        for address in addresses
        for method in ("post", "put", "delete")
    }

    assert (looks, changes) == ([{200}, {200}, {403}, {404}], {405})


def test_a_provider_of_another_organization_is_not_found(
    owner_api: ApiClient, outsider: Admin, base: str
) -> None:
    theirs = oidc(outsider.memberships.get().organization)

    answers = owner_api.get(f"{base}/providers"), owner_api.get(f"{base}/providers/{theirs.pk}")

    assert (answers[0].json(), answers[1].status_code) == ([], 404)
