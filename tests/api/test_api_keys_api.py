"""API keys over REST: what a key opens, how it ends, and the keys that it makes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from organizations.api import authentication
from organizations.models import (
    Admin,
    ApiKey,
    AuditEvent,
    IdempotentAnswer,
    Membership,
    Organization,
    OutgoingMail,
)
from tests import factories
from tests.api.conftest import ApiClient, client_of

KEYS = "/administered/identities/me/api/keys"


@pytest.fixture
def second(owner: Admin) -> Organization:
    organization = factories.OrganizationFactory(name="Second Schools")
    factories.MembershipFactory(organization=organization, admin=owner)
    return organization


@pytest.fixture
def limited_api(owner: Admin, organization: Organization, second: Organization) -> ApiClient:
    """A key of the owner for the first of two organizations."""
    return client_of(owner, organization=organization)


def with_text(text: str) -> ApiClient:
    return ApiClient(headers={"Authorization": f"Bearer {text}"})


def generate(api: ApiClient, body: dict[str, Any] | None = None, **headers: str) -> Any:
    return api.send("post", f"{KEYS}/generate", {"name": "Made", **(body or {})}, headers=headers)


# --- Which organizations a key opens ------------------------------------------------------------------


def test_a_key_for_one_organization_finds_no_other(
    limited_api: ApiClient, organization: Organization, second: Organization
) -> None:
    ours, theirs = (factories.NetworkFactory(organization=each) for each in (organization, second))

    listed = [each["name"] for each in limited_api.get("/organizations").json()]
    statuses = {
        path: limited_api.get(path).status_code
        for path in (
            f"/organizations/{organization.pk}",
            f"/organizations/{second.pk}",
            f"/organizations/{second.pk}/networks",
            f"/networks/{ours.pk}",
            f"/networks/{theirs.pk}",
        )
    }

    assert listed == ["Example Schools"]
    assert list(statuses.values()) == [200, 404, 404, 200, 404]


def test_a_key_for_one_organization_writes_in_no_other(
    limited_api: ApiClient, second: Organization
) -> None:
    answer = limited_api.send("post", f"/organizations/{second.pk}/networks", {"name": "X"})

    assert answer.status_code == 404
    assert (second.networks.count(), AuditEvent.objects.count()) == (0, 0)


def test_a_key_of_an_admin_who_left_opens_nothing(
    limited_api: ApiClient, organization: Organization
) -> None:
    Membership.objects.filter(organization=organization).delete()

    assert limited_api.get(f"/organizations/{organization.pk}").status_code == 404
    assert limited_api.get("/organizations").json() == []


def test_a_closed_organization_says_so_to_its_keys(
    owner_api: ApiClient, organization: Organization
) -> None:
    Organization.objects.update(suspended_at=timezone.now(), suspended_reason="Unpaid.")

    answer = owner_api.get(f"/organizations/{organization.pk}/networks")

    assert answer.status_code == 403
    assert "suspended" in answer.json()["errors"][0]
    assert not AuditEvent.objects.exists()


# --- Who is not let in --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sentence", "code"),
    [
        (
            {"expires_at": timezone.now() - timedelta(days=1)},
            "This API key has expired",
            "expired_key",
        ),
        ({"revoked_at": timezone.now()}, "Invalid API key", "invalid_key"),
        (
            {"revoked_at": timezone.now(), "expires_at": timezone.now() - timedelta(days=1)},
            "Invalid API key",
            "invalid_key",
        ),
    ],
)
def test_a_key_that_is_over_says_why_if_it_has_expired(
    owner: Admin, fields: dict[str, Any], sentence: str, code: str
) -> None:
    api = client_of(owner)
    ApiKey.objects.update(**fields)

    answer = api.get("/organizations")

    assert (answer.status_code, answer.json()) == (
        401,
        {"errors": [sentence], "code": code},
    )
    assert ApiKey.objects.get().last_used_at is None


def test_the_key_of_a_barred_admin_is_invalid(owner: Admin) -> None:
    api = client_of(owner)
    Admin.objects.update(is_active=False)

    assert api.get("/organizations").json() == {
        "errors": ["Invalid API key"],
        "code": "invalid_key",
    }


def test_too_many_wrong_keys_of_one_address_wait_and_a_valid_key_does_not(
    owner_api: ApiClient, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    wrong = with_text("0" * 40)
    most = authentication.WRONG_KEYS.most

    with time_machine.travel(timezone.now().replace(second=10), tick=False):
        statuses = [wrong.get("/organizations").status_code for _ in range(most)]
        refused = wrong.get("/organizations")
        elsewhere = wrong.get("/organizations", headers={"X-Forwarded-For": "203.0.113.7"})
        valid = owner_api.get("/organizations")

    assert set(statuses) == {401}
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "51")
    assert refused.json() == {
        "errors": [
            "Too many requests with an invalid API key came from this address. Correct the key,"
            " and try again in a minute."
        ],
        "code": "too_many_wrong_keys",
    }
    assert (elsewhere.status_code, valid.status_code) == (401, 200)


# --- The admin's keys ---------------------------------------------------------------------------------


def test_keys_are_listed_without_their_text(owner: Admin, organization: Organization) -> None:
    api = client_of(owner)
    text = ApiKey.objects.issue(
        admin=owner, name="Other", read_only=True, organization=organization
    )[1]
    used, other = ApiKey.objects.order_by("pk")

    answer = api.get(KEYS)

    used.refresh_from_db()
    shared = {"state": "usable", "expiresAt": None, "revokedAt": None}
    assert answer.json() == [
        {
            "id": str(used.pk),
            "name": "Tests",
            "prefix": used.prefix,
            "organizationId": None,
            "readOnly": False,
            "createdAt": used.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastUsedAt": used.last_used_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastUsedAddress": "127.0.0.1",
            **shared,
        },
        {
            "id": str(other.pk),
            "name": "Other",
            "prefix": text[:8],
            "organizationId": str(organization.pk),
            "readOnly": True,
            "createdAt": other.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastUsedAt": None,
            "lastUsedAddress": None,
            **shared,
        },
    ]


def test_a_key_sees_no_key_of_others_nor_one_that_opens_more(
    owner: Admin, reader: Admin, limited_api: ApiClient, second: Organization
) -> None:
    client_of(reader)
    client_of(owner)
    client_of(owner, organization=second)

    assert len(limited_api.get(KEYS).json()) == 1


def test_a_key_makes_a_key_that_works(
    owner: Admin, owner_api: ApiClient, organization: Organization
) -> None:
    answer = generate(owner_api, {"readOnly": True, "organizationId": str(organization.pk)})

    made = ApiKey.objects.get(name="Made")
    life = made.expires_at - made.created_at
    event = AuditEvent.objects.get()
    assert (answer.status_code, answer.json()["id"]) == (201, str(made.pk))
    assert (made.read_only, made.organization, life.days) == (True, organization, 364)
    assert with_text(answer.json()["key"]).get("/organizations").status_code == 200
    assert (event.action, event.actor_kind, event.address) == (
        "api_key.created",
        "api_key",
        "127.0.0.1",
    )
    assert OutgoingMail.objects.get().to == owner.email


def test_a_repeated_request_makes_one_key_and_tells_its_text_once(owner_api: ApiClient) -> None:
    first = generate(owner_api, **{"Idempotency-Key": "abc"})

    again = generate(owner_api, **{"Idempotency-Key": "abc"})

    text = first.json()["key"]
    assert (again.status_code, again.json()) == (201, first.json() | {"key": None})
    assert ApiKey.objects.filter(name="Made").count() == 1
    assert text not in str(list(IdempotentAnswer.objects.values_list("body", flat=True)))


def test_a_key_for_one_organization_makes_keys_for_that_only(
    limited_api: ApiClient, organization: Organization, second: Organization
) -> None:
    own = generate(limited_api)
    other = generate(limited_api, {"organizationId": str(second.pk)})

    assert own.json()["organizationId"] == str(organization.pk)
    assert (other.status_code, other.json()["code"]) == (400, "api_key_opens_nothing")
    assert ApiKey.objects.filter(name="Made").count() == 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"name": ""}, "“name” can't be blank."),
        ({"name": " \u00a0"}, "“name” can't be blank."),
        (
            {"expiresAt": "2020-01-01T00:00:00Z"},
            "An API key expires in the future, and at most two years from now.",
        ),
        ({"expiresAt": "9999-12-31T23:59:59Z"}, None),
        ({"expiresAt": None}, "“expiresAt” can't be blank."),
        ({"organizationId": "999999999999999999"}, None),
    ],
)
def test_what_makes_no_sense_makes_no_key(
    owner_api: ApiClient, body: dict[str, Any], sentence: str | None
) -> None:
    answer = generate(owner_api, body)

    assert answer.status_code == 400
    assert sentence in (None, answer.json()["errors"][0])
    assert not ApiKey.objects.filter(name="Made").exists()


def test_a_read_only_key_makes_and_revokes_none(owner: Admin, organization: Organization) -> None:
    api = client_of(owner, read_only=True)
    key = ApiKey.objects.get()

    answers = [generate(api), api.send("post", f"{KEYS}/{key.pk}/revoke")]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert ApiKey.objects.usable().count() == 1
    told = AuditEvent.objects.order_by("pk").values_list("organization", "action", "after__method")
    assert list(told) == [(organization.pk, "access.refused", "POST")] * 2


def test_a_key_revokes_itself_and_others_of_its_admin(owner: Admin, owner_api: ApiClient) -> None:
    other = client_of(owner)
    own, second = ApiKey.objects.order_by("pk")

    answers = [owner_api.send("post", f"{KEYS}/{key.pk}/revoke") for key in (second, own)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert [api.get(KEYS).status_code for api in (other, owner_api)] == [401, 401]
    assert AuditEvent.objects.filter(action="api_key.revoked").count() == 2


def test_keys_of_others_cannot_be_revoked(
    owner_api: ApiClient, limited_api: ApiClient, owner: Admin, reader: Admin, outsider: Admin
) -> None:
    for admin in (reader, outsider):
        client_of(admin)
    whole = ApiKey.objects.get(admin=owner, organization=None)
    others = ApiKey.objects.exclude(admin=owner)

    answers = [owner_api.send("post", f"{KEYS}/{key.pk}/revoke") for key in others]
    more = limited_api.send("post", f"{KEYS}/{whole.pk}/revoke")

    assert [answer.status_code for answer in (*answers, more)] == [404, 404, 404]
    assert not ApiKey.objects.exclude(revoked_at=None).exists()
