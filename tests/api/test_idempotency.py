"""A POST that is sent again is answered again, and done once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from organizations.models import Admin, IdempotentAnswer, Network, Organization
from tests.api.conftest import ApiClient, client_of

KEY = {"Idempotency-Key": "4f1c"}


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/networks"


def test_the_same_request_is_answered_the_same_and_done_once(
    owner_api: ApiClient, path: str
) -> None:
    first = owner_api.send("POST", path, {"name": "North"}, headers=KEY)
    second = owner_api.send("POST", path, {"name": "North"}, headers=KEY)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert (first.headers.get("Idempotency-Replayed"), second.headers["Idempotency-Replayed"]) == (
        None,
        "true",
    )
    assert Network.objects.count() == 1


def test_without_a_key_nothing_is_remembered(owner_api: ApiClient, path: str) -> None:
    answers = [owner_api.send("POST", path, {"name": "North"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 409]
    assert IdempotentAnswer.objects.count() == 0


def test_a_refusal_is_an_answer_too(owner_api: ApiClient, path: str) -> None:
    first = owner_api.send("POST", path, {"name": ""}, headers=KEY)
    second = owner_api.send("POST", path, {"name": ""}, headers=KEY)

    assert (first.status_code, second.status_code) == (400, 400)
    assert second.json() == first.json()


@pytest.mark.parametrize("change", ["body", "query", "path"])
def test_the_same_key_for_another_request_is_refused(
    owner_api: ApiClient, owner: Admin, organization: Organization, path: str, change: str
) -> None:
    owner_api.send("POST", path, {"name": "North"}, headers=KEY)
    body = {"name": "South"} if change == "body" else {"name": "North"}
    other = {
        "body": path,
        "query": f"{path}?a=b",
        "path": f"/organizations/{organization.pk}/sm/vppAccounts",
    }[change]

    answer = owner_api.send("POST", other, body, headers=KEY)

    assert (answer.status_code, answer.json()) == (
        409,
        {
            "errors": [
                "This Idempotency-Key was already used for another request. "
                "Use a new key for a new request."
            ],
            "code": "idempotency_key_reused",
        },
    )
    assert Network.objects.count() == 1


def test_two_admins_may_choose_the_same_key(
    owner_api: ApiClient, outsider_api: ApiClient, path: str
) -> None:
    elsewhere = Organization.objects.get(name="Elsewhere")

    ours = owner_api.send("POST", path, {"name": "North"}, headers=KEY)
    theirs = outsider_api.send(
        "POST", f"/organizations/{elsewhere.pk}/networks", {"name": "North"}, headers=KEY
    )

    assert (ours.status_code, theirs.status_code) == (201, 201)


def test_a_form_may_be_sent_again_with_another_boundary(
    owner_api: ApiClient, organization: Organization
) -> None:
    path = f"/organizations/{organization.pk}/sm/vppAccounts"
    bodies = [
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\nA\r\n--{boundary}--\r\n',
            f"multipart/form-data; boundary={boundary}",
        )
        for boundary in ("one", "another")
    ]

    first, second = [owner_api.generic("POST", path, *body, headers=KEY) for body in bodies]

    assert (first.status_code, second.status_code) == (400, 400)
    assert second.headers["Idempotency-Replayed"] == "true"


def at_work(owner: Admin, api: ApiClient, path: str, *, age: timedelta) -> IdempotentAnswer:
    """What a first request leaves behind while it runs, or when its process dies."""
    api.send("POST", path, {"name": "North"}, headers=KEY)
    Network.objects.all().delete()
    IdempotentAnswer.objects.update(status=None, body=None, created_at=timezone.now() - age)
    return IdempotentAnswer.objects.get(admin=owner)


def test_while_the_first_is_at_work_the_second_is_told_to_wait(
    owner_api: ApiClient, owner: Admin, path: str
) -> None:
    at_work(owner, owner_api, path, age=timedelta(seconds=59))

    answer = owner_api.send("POST", path, {"name": "North"}, headers=KEY)

    assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")
    assert answer.json()["code"] == "idempotency_key_in_use"
    assert Network.objects.count() == 0


def test_a_crash_does_not_block_the_key_for_ever(
    owner_api: ApiClient, owner: Admin, path: str
) -> None:
    at_work(owner, owner_api, path, age=timedelta(seconds=301))

    again = owner_api.send("POST", path, {"name": "North"}, headers=KEY)
    and_again = owner_api.send("POST", path, {"name": "North"}, headers=KEY)

    assert (again.status_code, and_again.status_code) == (201, 201)
    assert and_again.content == again.content


def test_a_failure_of_ours_is_not_kept(
    owner_api: ApiClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner_api.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr("organizations.services.checked_name", lambda text: 1 / 0)
        first = owner_api.send("POST", path, {"name": "North"}, headers=KEY)

    second = owner_api.send("POST", path, {"name": "North"}, headers=KEY)

    assert (first.status_code, second.status_code) == (500, 201)


def test_a_key_that_is_too_long_is_refused(owner_api: ApiClient, path: str) -> None:
    answer = owner_api.send("POST", path, {"name": "A"}, headers={"Idempotency-Key": "k" * 256})

    assert (answer.status_code, answer.json()["errors"]) == (
        400,
        ["“Idempotency-Key” must not be longer than 255 characters."],
    )


def test_what_was_sent_is_not_stored(owner_api: ApiClient, organization: Organization) -> None:
    secret = "c2VjcmV0IHRva2VuIHRleHQ="
    path = f"/organizations/{organization.pk}/sm/vppAccounts"
    body = {"name": "A", "email": "a@example.org"}

    owner_api.send("POST", path, body | {"contentToken": secret}, headers=KEY)
    stored = IdempotentAnswer.objects.get()

    assert stored.status == 400
    assert secret not in str(vars(stored) | {"body": bytes(stored.body)})


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_done(
    transactional_db: None, owner: Admin, organization: Organization
) -> None:
    api = client_of(owner)
    path = f"/organizations/{organization.pk}/networks"

    def send(_: int) -> int:
        try:
            return api.send("POST", path, {"name": "North"}, headers=KEY).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = set(pool.map(send, range(8)))

    assert 201 in statuses
    assert statuses <= {201, 409}
    assert Network.objects.count() == 1


def test_reading_takes_no_key(owner_api: ApiClient, path: str) -> None:
    owner_api.get(path, headers=KEY)

    assert IdempotentAnswer.objects.count() == 0
