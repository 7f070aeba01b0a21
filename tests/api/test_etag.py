"""Asking again costs no body while nothing has changed."""

import pytest

from organizations.models import Organization
from tests import factories
from tests.api.conftest import ApiClient


@pytest.fixture
def path(organization: Organization) -> str:
    factories.NetworkFactory.create_batch(4, organization=organization)
    return f"/organizations/{organization.pk}/networks"


def ask(api: ApiClient, path: str, etag: str, **headers: str) -> object:
    return api.get(path, headers={"If-None-Match": etag, **headers})


def test_what_is_known_is_not_sent_again(owner_api: ApiClient, path: str) -> None:
    first = owner_api.get(path, {"perPage": 3})

    again = ask(owner_api, f"{path}?perPage=3", first.headers["ETag"])

    assert first.headers["ETag"].startswith('W/"')
    assert (again.status_code, again.content) == (304, b"")
    assert "Content-Type" not in again.headers
    kept = ("ETag", "Link", "Vary", "Cache-Control")
    assert [again.headers[name] for name in kept] == [first.headers[name] for name in kept]


def test_what_has_changed_is(owner_api: ApiClient, path: str, organization: Organization) -> None:
    before = owner_api.get(path).headers["ETag"]
    organization.networks.update(notes="New")

    after = ask(owner_api, path, before)

    assert (after.status_code, len(after.json())) == (200, 4)
    assert after.headers["ETag"] != before


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("*", 304),
        ("{etag}", 304),
        ('W/"other", {etag}', 304),
        ('"other", W/"another"', 200),
        ("nonsense", 200),
        ("", 200),
    ],
)
def test_one_of_several_is_enough(owner_api: ApiClient, path: str, asked: str, status: int) -> None:
    etag = owner_api.get(path).headers["ETag"]

    answers = [
        ask(owner_api, path, asked.format(etag=each)) for each in (etag, etag.removeprefix("W/"))
    ]

    assert [answer.status_code for answer in answers] == [status] * 2


def test_one_entry_has_an_etag_too(owner_api: ApiClient, organization: Organization) -> None:
    path = f"/organizations/{organization.pk}"

    answer = ask(owner_api, path, owner_api.get(path).headers["ETag"])

    assert answer.status_code == 304


def test_a_head_knows_the_same_etag(owner_api: ApiClient, path: str) -> None:
    head, body = owner_api.generic("HEAD", path), owner_api.get(path)

    assert head.headers["ETag"] == body.headers["ETag"]


def test_a_page_as_csv_is_something_else(owner_api: ApiClient, path: str) -> None:
    json = owner_api.get(f"{path}?perPage=3")

    lines = ask(owner_api, f"{path}?perPage=3", json.headers["ETag"], Accept="text/csv")

    assert lines.status_code == 200
    assert lines.headers["ETag"] != json.headers["ETag"]


def test_errors_changes_and_streams_have_none(owner_api: ApiClient, path: str) -> None:
    refused = ask(owner_api, f"{path}?perPage=1", "*")
    made = owner_api.send("POST", path, {"name": "A"}, headers={"If-None-Match": "*"})
    streamed = ask(owner_api, path, "*", Accept="text/csv")

    assert [each.status_code for each in (refused, made, streamed)] == [400, 201, 200]
    assert not any("ETag" in each.headers for each in (refused, made, streamed))


def test_who_may_not_look_is_not_told_that_nothing_changed(
    owner_api: ApiClient, outsider_api: ApiClient, path: str
) -> None:
    etag = owner_api.get(path).headers["ETag"]

    answers = [ask(outsider_api, path, each) for each in (etag, "*")]

    assert [answer.status_code for answer in answers] == [404, 404]
