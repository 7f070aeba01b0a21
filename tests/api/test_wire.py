"""What every answer has in common, whatever was asked and however badly."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from organizations.models import Admin, ApiKey, Network, Organization
from tests.api.conftest import ApiClient, client_of, key_of


@pytest.fixture
def networks_path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/networks"


@pytest.mark.parametrize("header", ["Authorization", "X-Cisco-Meraki-API-Key"])
def test_both_headers_of_meraki_carry_the_key(owner: Admin, header: str) -> None:
    prefix = "Bearer " if header == "Authorization" else ""
    api = ApiClient(headers={header: prefix + key_of(owner)})

    me = api.get("/administered/identities/me")

    assert (me.status_code, me.json()["email"]) == (200, "owner@example.org")
    assert me.json()["authentication"]["api"] == {"key": {"created": True}}


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong"},
        {"X-Cisco-Meraki-API-Key": "wrong"},
        {"Authorization": "Bearer " + "\u00ff" * 40},
    ],
)
def test_a_wrong_key_is_refused(db: None, headers: dict[str, str]) -> None:
    answer = ApiClient(headers=headers).get("/organizations")

    assert (answer.status_code, answer.json()) == (
        401,
        {"errors": ["Invalid API key"], "code": "invalid_key"},
    )
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="VPP Dashboard API"'


def test_no_key_is_refused_with_how_to_send_one(nobody_api: ApiClient) -> None:
    answer = nobody_api.get("/organizations", headers={"Authorization": "Basic b3duZXI6"})

    assert answer.status_code == 401
    assert answer.json()["errors"] == [
        "Invalid API key",
        "No API key was sent. Send it as “Authorization: Bearer <key>” or as "
        "“X-Cisco-Meraki-API-Key: <key>”.",
    ]
    assert answer.json()["code"] == "missing_key"


def test_signing_in_to_the_pages_is_no_key(owner: Admin) -> None:
    api = ApiClient()
    api.force_login(owner)

    answer = api.get("/organizations")

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"revoked_at": timezone.now() - timedelta(seconds=1)},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_revoked_and_expired_keys_are_refused(owner: Admin, fields: dict[str, object]) -> None:
    api = client_of(owner)
    ApiKey.objects.update(**fields)

    answer = api.get("/organizations")

    assert answer.status_code == 401


def test_the_use_of_a_key_is_noted_at_most_once_a_minute(owner: Admin) -> None:
    api = client_of(owner)
    start = timezone.now()
    noted = []

    for seconds in (0, 30, 61):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            api.get("/organizations")
        key = ApiKey.objects.get()
        noted.append((key.last_used_at, key.last_used_address))

    later = start + timedelta(seconds=61)
    assert noted == [(start, "127.0.0.1"), (start, "127.0.0.1"), (later, "127.0.0.1")]


@pytest.mark.parametrize(
    ("trusted", "address"), [([], "127.0.0.1"), (["127.0.0.1", "10.0.0.2"], "203.0.113.9")]
)
def test_the_address_of_a_client_is_taken_from_trusted_proxies_only(
    owner: Admin, settings: object, trusted: list[str], address: str
) -> None:
    settings.TRUSTED_PROXIES = trusted

    client_of(owner).get(
        "/organizations", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9, 10.0.0.2"}
    )

    assert ApiKey.objects.get().last_used_address == address


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/organizations/",
        "/organizations/1/inventoryDevices",
        "/organizations/N_24/networks",
        "/organizations/99999999999999999999999999/networks",
        "/networks/L_12",
        "/nothing/like/this",
    ],
)
def test_unknown_addresses_answer_json_and_never_redirect(owner_api: ApiClient, path: str) -> None:
    answers = [owner_api.send(method, path) for method in ("get", "post", "put", "delete")]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert all(answer.json()["errors"] for answer in answers)
    assert {answer.json()["code"] for answer in answers} == {"not_found"}


def test_a_get_may_say_json_and_send_nothing(owner_api: ApiClient) -> None:
    """The meraki SDK does."""
    answer = owner_api.generic("GET", "/organizations", "", "application/json")

    assert answer.status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense"])
def test_whatever_is_accepted_the_answer_is_json(owner_api: ApiClient, accept: str) -> None:
    answer = owner_api.get("/organizations", headers={"Accept": accept})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('{"name": ', "The body is not valid JSON: "),
        ('{"name": "\\ud800"}', "The body is not valid JSON: "),
        ('{"name": NaN}', "The body is not valid JSON: "),
        ("[" * 5000, "The body is not valid JSON: "),
        (b"\xff\xfe", "The body is not valid JSON: "),
        ("[]", "The body must be a JSON object: {…}."),
        ('"text"', "The body must be a JSON object: {…}."),
        ("null", "The body must be a JSON object: {…}."),
        ("{}", "“name” is missing."),
        ('{"name": null}', "“name” can't be blank."),
        ('{"name": ""}', "“name” can't be blank."),
        ('{"name": "a\\u0000b"}', "“name”: Null characters are not allowed."),
        ('{"name": ["a"]}', "“name”: Not a valid string."),
        ('{"name": "A", "tags": "b"}', "“tags”: Expected a list of items but got type"),
        ('{"name": "A", "tags": ["b", ""]}', "“tags[1]” can't be blank."),
        ('{"name": "A", "productTypes": ["wireless"]}', "“productTypes[0]”: "),
    ],
)
def test_bad_bodies_get_a_sentence(
    owner_api: ApiClient, networks_path: str, body: str, sentence: str
) -> None:
    answer = owner_api.generic("POST", networks_path, body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0].startswith(sentence)
    assert Network.objects.count() == 0


def test_every_wrong_field_gets_its_sentence(owner_api: ApiClient, networks_path: str) -> None:
    answer = owner_api.send("POST", networks_path, {"name": "", "notes": None, "tags": [1, {}]})

    assert answer.json() == {
        "errors": [
            "“name” can't be blank.",
            "“tags[1]”: Not a valid string.",
            "“notes” can't be blank.",
        ],
        "code": "invalid",
    }


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/csv", ""])
def test_other_content_is_refused(owner_api: ApiClient, networks_path: str, kind: str) -> None:
    answer = owner_api.generic("POST", networks_path, "name=A", kind)

    assert (answer.status_code, answer.json()) == (
        415,
        {
            "errors": [
                "Send the body as application/json or multipart/form-data and say so in Content-Type."
            ],
            "code": "unsupported_media_type",
        },
    )


def test_a_broken_form_is_refused(owner_api: ApiClient, networks_path: str) -> None:
    answer = owner_api.generic("POST", networks_path, "name=A", "multipart/form-data; boundary=")

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert answer.json()["errors"]


def test_a_body_that_is_too_large_is_refused(owner_api: ApiClient, networks_path: str) -> None:
    body = " " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)

    answer = owner_api.generic("POST", networks_path, body)

    assert (answer.status_code, answer.json()) == (
        413,
        {"errors": ["The body is larger than 5 MB. Send it in parts."], "code": "too_large"},
    )


def test_a_bug_answers_json_without_details(
    owner_api: ApiClient, networks_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner_api.raise_request_exception = False
    monkeypatch.setattr(
        "organizations.api.networks.network_json", lambda network: {}["secret detail"]
    )

    answer = owner_api.send("POST", networks_path, {"name": "A"})

    assert answer.status_code == 500
    assert (len(answer.json()["errors"]), answer.json()["code"]) == (1, "internal")
    assert "request id" in answer.json()["errors"][0]
    assert b"secret detail" not in answer.content


def test_every_error_is_promised_a_sentence_and_a_code(openapi: dict) -> None:
    described = openapi["components"]["schemas"]["Errors"]

    assert sorted(described["required"]) == ["code", "errors"]
    assert described["properties"]["errors"]["minItems"] == 1


@pytest.mark.parametrize("name", ["tags[]", "tagsFilterType", "startingAfter", "configTemplateId"])
@pytest.mark.parametrize("value", ["a\x00b", "x" * 501])
def test_values_no_database_could_take_are_refused(
    owner_api: ApiClient, networks_path: str, name: str, value: str
) -> None:
    answer = owner_api.get(networks_path, {name: value})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")


@pytest.mark.parametrize("value", ["yes", "1", "on"])
def test_booleans_are_true_or_false(owner_api: ApiClient, networks_path: str, value: str) -> None:
    answer = owner_api.get(networks_path, {"isBoundToConfigTemplate": value})

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "errors": ["“isBoundToConfigTemplate” must be one of true, false."],
            "code": "bad_parameter",
        },
    )
