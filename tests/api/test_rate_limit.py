"""Buckets: what passes at once, what passes later, and whose is whose. Time stands still until moved."""

import uuid
from collections.abc import Callable

import pytest
import redis
from django.conf import settings as configured

from organizations.api import rate_limit
from organizations.models import IdempotentAnswer, Network, Organization
from tests import factories
from tests.api.conftest import ApiClient, client_of

LIMITED = {"errors": ["API rate limit exceeded for organization"], "code": "rate_limited"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Moves the time on by milliseconds. The buckets are this test's own."""
    at = [1_790_000_000_000_000]
    monkeypatch.setattr(rate_limit, "now", lambda: str(at[0]))
    monkeypatch.setattr(rate_limit, "PREFIX", f"test:{uuid.uuid4()}")
    rate_limit.buckets.cache_clear()

    def move(milliseconds: int) -> None:
        at[0] += milliseconds * 1000

    return move


@pytest.fixture
def ten(settings: object, clock: object) -> None:
    settings.API_RATE_PER_ORGANIZATION = 10


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/networks"


def statuses(api: ApiClient, path: str, times: int) -> list[int]:
    return [api.get(path).status_code for _ in range(times)]


def test_ten_at_once_and_ten_more_in_the_first_second(
    owner_api: ApiClient, path: str, ten: None, clock: Callable[[int], None]
) -> None:
    at_once = statuses(owner_api, path, 11)
    in_the_second = []
    for _ in range(10):
        clock(100)
        in_the_second += statuses(owner_api, path, 1)
    one_more = statuses(owner_api, path, 1)
    clock(60_000)
    much_later = statuses(owner_api, path, 11)

    assert at_once == [200] * 10 + [429]
    assert in_the_second == [200] * 10
    assert one_more == [429]
    assert much_later == [200] * 10 + [429]


def test_the_answer_is_the_one_that_the_sdk_waits_on(
    owner_api: ApiClient, path: str, ten: None
) -> None:
    statuses(owner_api, path, 10)

    answer = owner_api.get(path, headers={"Accept": "text/csv"})

    assert (answer.status_code, answer.json()) == (429, LIMITED)
    assert answer.headers["Retry-After"] == "1"


def test_refused_requests_cost_nothing(
    owner_api: ApiClient, path: str, ten: None, clock: Callable[[int], None]
) -> None:
    statuses(owner_api, path, 30)
    clock(100)

    assert statuses(owner_api, path, 2) == [200, 429]


def test_all_keys_and_networks_of_an_organization_share_its_bucket(
    owner_api: ApiClient, reader_api: ApiClient, path: str, organization: Organization, ten: None
) -> None:
    network = factories.NetworkFactory(organization=organization)

    statuses(owner_api, path, 5)
    by_network = statuses(owner_api, f"/networks/{network.pk}", 5)
    by_another_key = statuses(reader_api, path, 1)

    assert (by_network, by_another_key) == ([200] * 5, [429])


def test_organizations_have_buckets_of_their_own(
    owner_api: ApiClient, outsider_api: ApiClient, outsider: object, path: str, ten: None
) -> None:
    elsewhere = outsider.memberships.get().organization_id

    statuses(owner_api, path, 11)

    assert statuses(outsider_api, f"/organizations/{elsewhere}/networks", 1) == [200]


def test_strangers_cannot_use_up_a_bucket(
    owner_api: ApiClient, outsider_api: ApiClient, nobody_api: ApiClient, path: str, ten: None
) -> None:
    strangers = statuses(outsider_api, path, 11) + statuses(nobody_api, path, 11)

    assert strangers == [404] * 11 + [401] * 11
    assert statuses(owner_api, path, 1) == [200]


def test_what_is_of_no_organization_is_not_counted_for_one(
    owner_api: ApiClient, path: str, ten: None
) -> None:
    assert statuses(owner_api, "/organizations", 12) == [200] * 12
    assert statuses(owner_api, path, 1) == [200]


def test_an_address_is_limited_before_its_key_is_looked_at(
    owner: object, settings: object, clock: Callable[[int], None]
) -> None:
    settings.API_RATE_PER_ADDRESS = 3
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    here, elsewhere = {"X-Forwarded-For": "198.51.100.7"}, {"X-Forwarded-For": "198.51.100.8"}
    stranger = ApiClient(headers={"Authorization": "Bearer wrong"})

    wrong = [stranger.get("/organizations", headers=here).status_code for _ in range(4)]
    right = client_of(owner).get("/organizations", headers=here)
    other = client_of(owner).get("/organizations", headers=elsewhere)
    clock(334)
    later = client_of(owner).get("/organizations", headers=here)

    assert wrong == [401, 401, 401, 429]
    assert (right.status_code, right.json()) == (
        429,
        {"errors": ["API rate limit exceeded for address"], "code": "rate_limited"},
    )
    assert (other.status_code, later.status_code) == (200, 200)


def test_a_key_of_idempotency_is_not_claimed_by_what_was_refused(
    owner_api: ApiClient, path: str, ten: None, clock: Callable[[int], None]
) -> None:
    statuses(owner_api, path, 10)
    headers = {"Idempotency-Key": "once"}

    refused = owner_api.send("POST", path, {"name": "A"}, headers=headers)
    claimed = IdempotentAnswer.objects.count()
    clock(1000)
    done = owner_api.send("POST", path, {"name": "A"}, headers=headers)
    again = owner_api.send("POST", path, {"name": "A"}, headers=headers)

    assert (refused.status_code, claimed) == (429, 0)
    assert (done.status_code, again.status_code) == (201, 201)
    assert again.json() == done.json()
    assert Network.objects.count() == 1


def test_without_a_limit_nobody_is_counted(
    owner_api: ApiClient, path: str, settings: object, clock: object
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.API_RATE_PER_ORGANIZATION = settings.API_RATE_PER_ADDRESS = 0

    assert statuses(owner_api, path, 12) == [200] * 12
    assert rate_limit.buckets.cache_info().currsize == 0


def test_without_redis_nobody_is_limited_and_it_is_asked_now_and_then(
    owner_api: ApiClient,
    path: str,
    settings: object,
    ten: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.API_RATE_PER_ORGANIZATION = 1
    seconds = [100.0]
    monkeypatch.setattr(rate_limit.time, "monotonic", lambda: seconds[0])

    passed = statuses(owner_api, path, 3)
    seconds[0] += rate_limit.ASK_AGAIN_AFTER
    passed += statuses(owner_api, path, 1)

    assert passed == [200] * 4
    warned = [line for line in caplog.messages if "rate_limit.unavailable" in line]
    assert len(warned) == 2


def test_buckets_are_forgotten(clock: Callable[[int], None]) -> None:
    client = redis.Redis.from_url(configured.REDIS_URL)

    rate_limit.buckets(configured.REDIS_URL).take("organization:1", 10)

    [name] = client.keys(f"{rate_limit.PREFIX}:*")
    assert 0 < client.ttl(name) <= 60


def test_by_redis_own_clock(clock: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "now", lambda: "")
    buckets = rate_limit.buckets(configured.REDIS_URL)

    waits = [buckets.take("organization:1", 1) for _ in range(2)]

    assert waits[0] == 0
    assert 0 < waits[1] <= 1
