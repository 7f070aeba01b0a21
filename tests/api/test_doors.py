"""What the doors of the API say, in words and as JSON. Who gets what is in tests/sweep."""

import re

import pytest
from jsonschema import Draft202012Validator

from organizations.models import ApiKey, Organization
from tests import factories
from tests.api.conftest import ApiClient, client_of
from tests.api.routes import METHODS, Route, operations, routes
from vpp_accounts.models import VppAccount

READS = operations("get")
WRITES = operations("post", "put", "delete")
TENANT = [pair for pair in READS + WRITES if pair[0].names]
# One's own, whatever one may do to the organization: keys, mail, and going away.
OWN = re.compile(r"^administered/|/(?:alarms|leave|foreignChanges/seen)$")
FULL_ONLY = [pair for pair in WRITES if not OWN.search(pair[0].path)]


def named(pairs: list[tuple[Route, str]]) -> pytest.MarkDecorator:
    ids = [f"{method}-{route}" for route, method in pairs]
    return pytest.mark.parametrize(("route", "method"), pairs, ids=ids)


@named(READS)
def test_the_owner_reads_what_the_schema_promises(
    route: Route, method: str, rows: dict[str, object], owner_api: ApiClient, openapi: dict
) -> None:
    response = owner_api.get(route.filled(rows))

    assert response.status_code == 200
    described = openapi["paths"][route.template][method]["responses"]["200"]
    schema = described["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": openapi["components"]}).validate(response.json())
    assert b"c2VjcmV0" not in response.content


@named(FULL_ONLY)
def test_a_reader_does_not_write(
    route: Route, method: str, rows: dict[str, object], reader_api: ApiClient
) -> None:
    response = reader_api.send(method, route.filled(rows))

    assert (response.status_code, response.json()) == (
        403,
        {
            "errors": [
                "You have read-only access here; this needs full access to the organization."
            ],
            "code": "read_only",
        },
    )


@named(WRITES)
def test_a_read_only_key_does_not_write(
    route: Route, method: str, rows: dict[str, object], owner: object
) -> None:
    api = client_of(owner, read_only=True)

    response = api.send(method, route.filled(rows))

    assert (response.status_code, response.json()) == (
        403,
        {
            "errors": ["This API key is read-only. Use a key that may write."],
            "code": "read_only_key",
        },
    )


@named([pair for pair in TENANT if "vppAccountId" in pair[0].names and len(pair[0].names) > 2])
def test_rows_of_another_account_are_not_found(
    route: Route, method: str, rows: dict[str, object], owner_api: ApiClient
) -> None:
    other = factories.VppAccountFactory(organization_id=rows["organizationId"])

    response = owner_api.send(method, route.filled(rows | {"vppAccountId": other.pk}))

    assert response.status_code == 404


@named(READS + WRITES)
def test_nobody_gets_nowhere(
    route: Route, method: str, rows: dict[str, object], nobody_api: ApiClient
) -> None:
    response = nobody_api.send(method, route.filled(rows))

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="VPP Dashboard API"'
    assert response.json()["errors"][0] == "Invalid API key"


@pytest.mark.parametrize("route", routes(), ids=str)
def test_methods_nobody_thought_of_are_refused_as_json(
    route: Route, rows: dict[str, object], owner_api: ApiClient
) -> None:
    others = [method for method in (*METHODS, "options", "trace") if method not in route.methods]

    answers = [owner_api.send(method, route.filled(rows)) for method in others]

    assert {answer.status_code for answer in answers} == {405}
    assert all(len(answer.json()["errors"]) == 1 for answer in answers)
    assert {answer.json()["code"] for answer in answers} == {"method_not_allowed"}


def test_a_network_admin_sees_their_network_and_nothing_of_the_organization(
    rows: dict[str, object], network_admin_api: ApiClient, organization: Organization
) -> None:
    base = f"/organizations/{organization.pk}"

    networks = network_admin_api.get(f"{base}/networks")
    another = network_admin_api.get(f"/networks/{rows['networkId']}")
    admins = network_admin_api.get(f"{base}/admins")
    events = network_admin_api.get(f"{base}/auditEvents")
    accounts = network_admin_api.get(f"{base}/sm/vppAccounts")

    assert [network["name"] for network in networks.json()] == ["Theirs"]
    assert another.status_code == 404
    assert (admins.status_code, events.status_code) == (403, 403)
    assert accounts.json() == []


@pytest.mark.parametrize(
    "part",
    [
        "assets",
        "assets/{adamId}/{pricingParam}",
        "assignments",
        "batches",
        "batches/{batchId}",
        "batches/{batchId}/items",
        "users",
        "users/{userId}",
    ],
)
def test_the_licenses_of_an_account_are_for_its_allowed_admins(
    rows: dict[str, object], owner_api: ApiClient, part: str
) -> None:
    account = VppAccount.objects.get(pk=rows["vppAccountId"])
    account.allowed_admins = "named"
    account.save()
    base = f"/organizations/{rows['organizationId']}/sm/vppAccounts/{account.pk}"

    itself = owner_api.get(base)
    licenses = owner_api.get(f"{base}/{part.format(**rows)}")

    assert itself.status_code == 200
    assert (licenses.status_code, licenses.json()) == (
        403,
        {
            "errors": [
                "You are not among the allowed admins of this VPP account, "
                "so its licenses and users are not shown to you."
            ],
            "code": "no_access",
        },
    )


def test_organizations_of_others_are_not_listed(
    owner_api: ApiClient, outsider_api: ApiClient, organization: Organization
) -> None:
    ours, theirs = owner_api.get("/organizations"), outsider_api.get("/organizations")

    assert [row["name"] for row in ours.json()] == ["Example Schools"]
    assert [row["name"] for row in theirs.json()] == ["Elsewhere"]


def test_a_key_stops_with_its_admin(owner_api: ApiClient, owner: object) -> None:
    before = owner_api.get("/organizations")
    owner.is_active = False
    owner.save()

    after = owner_api.get("/organizations")

    assert (before.status_code, after.status_code) == (200, 401)
    assert ApiKey.objects.usable().count() == 0
