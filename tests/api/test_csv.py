"""Lists as CSV: the whole of them, page after page, with the columns that the description promises."""

import csv
import io
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers

from organizations.api import csv_answers, paging
from organizations.api.csv_answers import Table
from organizations.api.networks import network_json
from organizations.models import Organization
from tests import factories
from tests.api.conftest import ApiClient
from tests.api.routes import Route, operations
from tests.api.test_doors import named
from vpp_accounts.models import VppAccount

CSV = {"Accept": "text/csv"}
LISTS = operations("get")


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/networks"


def text_of(answer: object) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode()


def table(answer: object) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text_of(answer), newline="")))


def column(answer: object, name: str) -> list[str]:
    labels, *lines = table(answer)
    return [line[labels.index(name)] for line in lines]


# --- What a list looks like -----------------------------------------------------------------------


@time_machine.travel("2026-11-22T23:30:00Z", tick=False)
def test_a_list_is_answered_as_csv(
    owner_api: ApiClient, path: str, organization: Organization
) -> None:
    network = factories.NetworkFactory(
        organization=organization, name="Oak, “Ost”", tags=["a", "b"], notes="=1+1\nÄ"
    )

    answer = owner_api.get(path, headers=CSV)

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="networks-2026-11-22.csv"'
    assert text_of(answer) == (
        "id,organizationId,name,productTypes,timeZone,tags,enrollmentString,url,notes,"
        "isBoundToConfigTemplate\r\n"
        f'{network.pk},{organization.pk},"Oak, “Ost”",systemsManager,{network.time_zone},a b,,'
        f'{network_json(network)["url"]},"\'=1+1\nÄ",false\r\n'
    )


class InnerSerializer(serializers.Serializer):
    name = serializers.CharField()


class EntrySerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    count = serializers.IntegerField()
    right = serializers.BooleanField()
    inner = InnerSerializer(allow_null=True)
    words = serializers.ListField()
    many = InnerSerializer(many=True)
    any = serializers.DictField()


PATHS = tuple(csv_answers._paths(EntrySerializer()))
WHEN = datetime(2026, 11, 22, 8, 5, 7, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            {
                "at": WHEN,
                "count": -3,
                "right": True,
                "inner": {"name": "@home"},
                "words": ["-a", "b"],
                "many": [{"name": "A"}],
                "any": {"at": WHEN},
                "more": "not described",
            },
            [
                *("2026-11-22T08:05:07Z", "-3", "true", "'@home", "'-a b"),
                *('[{"name":"A"}]', '{"at":"2026-11-22T08:05:07Z"}'),
            ],
        ),
        (
            {"at": None, "inner": None, "words": [], "many": [], "right": False},
            ["", "", "false", "", "", "", ""],
        ),
    ],
)
def test_every_kind_of_value_has_its_cell(entry: dict[str, object], line: list[str]) -> None:
    text = "".join(Table("entries", PATHS).lines([[entry]]))

    assert list(csv.reader(io.StringIO(text))) == [
        ["at", "count", "right", "inner.name", "words", "many", "any"],
        line,
    ]


# --- Who gets it ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/csv, */*", "text/csv; charset=utf-8"),
        ("text/*", "text/csv; charset=utf-8"),
        ("text/csv; charset=utf-8", "text/csv; charset=utf-8"),
        ("application/json;q=0.5, text/csv;q=0.6", "text/csv; charset=utf-8"),
        ("application/json, text/csv", "application/json"),
        ("application/json;q=0.6, text/csv;q=0.5", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("nonsense", "application/json"),
        ("", "application/json"),
    ],
)
def test_what_is_preferred_is_answered(
    owner_api: ApiClient, path: str, accept: str, kind: str
) -> None:
    answer = owner_api.get(path, headers={"Accept": accept})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert {"Accept", "Authorization"} <= set(answer.headers["Vary"].split(", "))


@named(LISTS)
def test_every_list_has_the_columns_of_its_entries(
    route: Route, method: str, rows: dict[str, object], owner_api: ApiClient, openapi: dict
) -> None:
    json, answer = owner_api.get(route.filled(rows)), owner_api.get(route.filled(rows), headers=CSV)

    content = openapi["paths"][route.template]["get"]["responses"]["200"]["content"]
    assert answer.status_code == 200
    if "text/csv" not in content:
        assert answer.json().keys() == json.json().keys()
        return
    labels, *lines = table(answer)
    entries = json.json()
    assert len(lines) == len(entries)
    tops = {label.partition(".")[0] for label in labels}
    assert all(entry.keys() <= tops for entry in entries)
    assert all(len(line) == len(labels) for line in lines)


def test_an_object_and_an_error_stay_json(
    owner_api: ApiClient, path: str, organization: Organization
) -> None:
    one = owner_api.get(f"/organizations/{organization.pk}", headers=CSV)
    refused = owner_api.get(path, {"isBoundToConfigTemplate": "yes"}, headers=CSV)
    nothing = owner_api.get(f"{path}/nothing", headers=CSV)
    made = owner_api.send("POST", path, {"name": "A"}, headers=CSV)

    assert [each.status_code for each in (one, refused, nothing, made)] == [200, 400, 404, 201]
    assert one.json()["name"] == "Example Schools"
    assert refused.json()["code"] == "bad_parameter"
    assert made.json()["name"] == "A"


def test_an_empty_list_has_its_columns(
    owner_api: ApiClient, path: str, organization: Organization
) -> None:
    paged = owner_api.get(path, headers=CSV)
    unpaged = owner_api.get(f"/organizations/{organization.pk}/sm/vppAccounts", headers=CSV)

    assert [len(table(each)) for each in (paged, unpaged)] == [1, 1]


def test_what_is_not_paged_is_csv_too(owner_api: ApiClient, organization: Organization) -> None:
    factories.VppAccountFactory(organization=organization, name="North")
    factories.VppAccountFactory(organization=organization, name="South")

    answer = owner_api.get(f"/organizations/{organization.pk}/sm/vppAccounts", headers=CSV)

    assert not answer.streaming
    assert column(answer, "name") == ["North", "South"]
    assert "parsedToken.hashedToken" in table(answer)[0]


def test_the_description_names_csv_where_it_is(openapi: dict) -> None:
    """And `Accept` chooses it: no parameter has to be described for that."""
    answers = {
        path: openapi["paths"][path]["get"]["responses"]["200"]["content"]
        for path in ("/organizations", "/organizations/{organizationId}")
    }

    assert answers["/organizations"]["text/csv"] == {"schema": {"type": "string"}}
    assert list(answers["/organizations/{organizationId}"]) == ["application/json"]


# --- All of it, or a page -------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 7])
def test_the_whole_list_comes_page_after_page(
    owner_api: ApiClient,
    path: str,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    monkeypatch.setattr(paging, "MOST_AT_ONCE", 2)
    made = [str(factories.NetworkFactory(organization=organization).pk) for _ in range(number)]

    answer = owner_api.get(path, headers=CSV)

    assert answer.streaming
    assert "Link" not in answer.headers
    assert column(answer, "id") == made


def test_newest_first_stays_so(
    owner_api: ApiClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_AT_ONCE", 2)
    account = factories.VppAccountFactory(organization=organization)
    runs = [
        factories.SyncRunFactory(account=account, finished_at=account.created_at) for _ in range(5)
    ]

    answer = owner_api.get(
        f"/organizations/{organization.pk}/sm/vppAccounts/{account.pk}/syncRuns", headers=CSV
    )

    assert column(answer, "id") == [str(run.pk) for run in reversed(runs)]


def test_the_filters_hold_for_the_whole_list(
    owner_api: ApiClient, account: VppAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a key of several columns."""
    monkeypatch.setattr(paging, "MOST_AT_ONCE", 2)
    one, other = (factories.LicensedAppFactory(account=account) for _ in range(2))
    for title in (one, other):
        for number in range(5):
            factories.AssignmentFactory(licensed_app=title, holder=f"F{number}")
    path = f"/organizations/{account.organization_id}/sm/vppAccounts/{account.pk}/assignments"

    every = owner_api.get(path, headers=CSV)
    some = owner_api.get(path, {"adamId": one.adam_id}, headers=CSV)

    serials = [f"F{number}" for number in range(5)]
    assert column(every, "serialNumber") == serials * 2
    labels, *lines = table(some)
    found = [(line[labels.index("adamId")], line[labels.index("serialNumber")]) for line in lines]
    assert found == [(one.adam_id, serial) for serial in serials]


def test_a_page_that_is_asked_for_is_a_page(
    owner_api: ApiClient, path: str, organization: Organization
) -> None:
    made = [str(factories.NetworkFactory(organization=organization).pk) for _ in range(5)]

    first = owner_api.get(path, {"perPage": 3}, headers=CSV)
    after = owner_api.get(path, {"startingAfter": made[2]}, headers=CSV)
    last = owner_api.get(path, {"endingBefore": "end"}, headers=CSV)

    assert column(first, "id") == made[:3]
    assert f"startingAfter={made[2]}>; rel=next" in first.headers["Link"]
    assert (column(after, "id"), column(last, "id")) == (made[3:], made)


def test_a_head_reads_no_rows(owner_api: ApiClient, path: str, organization: Organization) -> None:
    factories.NetworkFactory(organization=organization)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = owner_api.generic("HEAD", path, headers=CSV)
        list(answer.streaming_content)

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert not [each for each in queries if 'FROM "organizations_network"' in each["sql"]]


def test_a_reader_gets_what_is_theirs_and_strangers_nothing(
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
    path: str,
    organization: Organization,
) -> None:
    factories.NetworkFactory(organization=organization, name="Not theirs")

    all_of_them = column(reader_api.get(path, headers=CSV), "name")
    theirs = column(network_admin_api.get(path, headers=CSV), "name")
    none = outsider_api.get(path, headers=CSV)

    assert (all_of_them, theirs) == (["Theirs", "Not theirs"], ["Theirs"])
    assert (none.status_code, none.json()["code"]) == (404, "not_found")


def test_the_organizations_of_a_key_are_read_while_they_are_sent(
    owner_api: ApiClient, owner: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_AT_ONCE", 2)
    for number in range(4):
        factories.MembershipFactory(
            admin=owner, access="full", organization__name=f"Example {number}"
        )
    factories.OrganizationFactory(name="Elsewhere")

    answer = owner_api.get("/organizations", headers=CSV)

    assert column(answer, "name") == [
        "Example Schools",
        *(f"Example {number}" for number in range(4)),
    ]


@pytest.mark.parametrize("number", [1, 3])
def test_more_rows_cost_no_more_statements(
    owner_api: ApiClient, path: str, organization: Organization, number: int
) -> None:
    factories.NetworkFactory.create_batch(number, organization=organization)
    owner_api.get(path)  # notes that the key is used

    with CaptureQueriesContext(connection) as json:
        owner_api.get(path)
    with CaptureQueriesContext(connection) as lines:
        table(owner_api.get(path, headers=CSV))

    assert len(lines) == len(json)
