"""Client and fake against each other, through both doors: every trouble a read can meet."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.apple.scripted import BASE_URL, EagerPacer
from vpp_accounts.apple import AppleClient, errors
from vpp_accounts.apple.fake import FakeApple, FakeAppleAdapter, serving
from vpp_accounts.apple.types import MdmInfo

TITLE, BOOK = "1187400216", "1801147365"
OURS = MdmInfo("ours", "Dashboard", "{}")


class Meeting:
    """A location with 23 assignments on five pages, and the way to it."""

    def __init__(self, base_url: str, session: Callable[[], requests.Session | None]) -> None:
        self.apple = FakeApple()
        self.apple.change_settings({"pageSize": 5, "maxRequestPerSecond": 10_000})
        self.location = self.apple.create_location(name="Lindenhof", country="DE")
        self.uid = self.location.uid
        self.apple.fill(self.uid, TITLE, 20)
        self.apple.fill(self.uid, TITLE, 3, "user")
        self._base_url = base_url
        self._session = session
        self._open: list[AppleClient] = []

    def client(self, base_url: str | None = None, **options: Any) -> AppleClient:
        client = AppleClient(
            base_url=base_url or self._base_url,
            stoken=self.apple.issue_token(self.uid),
            session=self._session(),
            pacer=EagerPacer(),
            sleep=lambda seconds: None,
            **{"timeout": (2, 0.5), **options},
        )
        self._open.append(client)
        return client

    def close(self) -> None:
        for client in self._open:
            client.close()


@pytest.fixture(params=["in process", "http"])
def meeting(request: pytest.FixtureRequest) -> Iterator[Meeting]:
    made = Meeting(BASE_URL, lambda: None)
    if request.param == "in process":
        session = requests.Session()
        session.mount("https://", FakeAppleAdapter(made.apple))
        made._session = lambda: session
        yield made
        made.close()
    else:
        with serving(made.apple) as server:
            made._base_url = server.url.rstrip("/") + "/mdm/v2/"
            yield made
            made.close()


def holders(client: AppleClient) -> tuple[int, bool]:
    walk = client.assignments()
    return len(set(walk.rows())), walk.is_stable


def test_everything_that_can_be_read(meeting: Meeting) -> None:
    client = meeting.client()

    limits = client.service_config().limits
    config = client.client_config()
    (asset,) = client.assets().rows()
    users = list(client.users(active_only=True).rows())

    assert limits.max_request_per_second == 10_000
    assert (config.uid, config.location_name, config.country) == (meeting.uid, "Lindenhof", "DE")
    assert (asset.adam_id, asset.assigned_count, asset.is_unlimited) == (TITLE, 23, False)
    assert len(users) == 3
    assert holders(client) == (23, True)
    assert client.token_expires_at == config.token_expires_at


def test_filters_and_deltas(meeting: Meeting) -> None:
    client = meeting.client()
    walk = client.assignments()
    (first, *_) = list(walk.rows())

    meeting.apple.fill(meeting.uid, TITLE, 2)
    added = client.assignments(since_version_id=walk.version_id)
    holder = {"serial_number": first.serial_number, "client_user_id": first.client_user_id}

    assert len(list(added.rows())) == 2
    assert set(client.assignments(**holder).rows()) == {first}
    assert list(client.assignments(adam_id=BOOK).rows()) == []
    with pytest.raises(errors.VersionNotFound):
        list(client.assignments(since_version_id="never").rows())


def test_claiming_and_being_claimed(meeting: Meeting) -> None:
    config = meeting.client(own_mdm_id=OURS.id).set_client_config(mdm_info=OURS)
    assert config.mdm_info == OURS
    assert holders(meeting.client(own_mdm_id=OURS.id)) == (23, True)

    meeting.apple.set_fault("takeover", after=2)

    with pytest.raises(errors.ClaimedByAnother):
        holders(meeting.client(own_mdm_id=OURS.id))


@pytest.mark.parametrize(
    ("fault", "args"),
    [
        ("overload", {"retryAfter": 5}),
        ("overload_date", {"retryAfter": 5}),
        ("proxy_html", {}),
        ("rate_limit", {}),
        ("rate_limit_200", {}),
        ("internal", {}),
        ("maintenance_sync", {}),
        ("refused_connection", {}),
        ("slow_body", {"seconds": 1}),
        ("truncated_json", {}),
        ("truncated_json", {"dropConnection": True}),
    ],
)
def test_passing_trouble_is_ridden_out(meeting: Meeting, fault: str, args: dict[str, Any]) -> None:
    meeting.apple.set_fault(fault, times=2, after=1, args=args)

    assert holders(meeting.client()) == (23, True)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("token_expired", errors.TokenExpired),
        ("token_revoked", errors.TokenRevoked),
        ("token_malformed", errors.TokenNotAccepted),
        ("token_error_200", errors.TokenRevoked),
        ("legacy_token", errors.LegacyToken),
        ("withdrawn", errors.ServiceWithdrawn),
        ("overload", errors.Unavailable),
        ("overload_date", errors.Unavailable),
    ],
)
def test_lasting_trouble_stops_the_walk(
    meeting: Meeting, fault: str, kind: type[errors.AppleError]
) -> None:
    meeting.apple.set_fault(fault, after=2)

    with pytest.raises(kind):
        holders(meeting.client())


@pytest.mark.parametrize(
    ("fault", "kind"), [("read_only", errors.ReadOnly), ("apple_managed", errors.AppleManaged)]
)
def test_a_location_that_may_only_be_read(
    meeting: Meeting, fault: str, kind: type[errors.AppleError]
) -> None:
    meeting.apple.set_fault(fault)

    with pytest.raises(kind):
        meeting.client().set_client_config(mdm_info=OURS)
    assert holders(meeting.client()) == (23, True)


def test_a_lost_answer_to_a_write_is_seen_by_the_caller(meeting: Meeting) -> None:
    meeting.apple.set_fault("answer_lost", times=1)

    with pytest.raises(errors.Unavailable):
        meeting.client().set_client_config(mdm_info=OURS)

    assert meeting.client().client_config().mdm_info == OURS


@pytest.mark.parametrize(
    ("fault", "args", "found"),
    [
        ("version_changes", {}, (23, False)),
        ("pages_grow", {"rows": 7}, (30, False)),
        ("pages_shrink", {"rows": 7}, (16, False)),
        ("item_slips", {"how": "missed"}, (22, False)),
        ("fields_missing", {}, (23, True)),
        ("fields_missing", {"fields": ["versionId", "totalPages", "size"]}, (23, False)),
        ("fields_missing", {"fields": ["currentPageIndex", "nextPageIndex"]}, (23, True)),
        ("fields_unknown", {}, (23, True)),
    ],
)
def test_what_moves_under_a_walk_is_known(
    meeting: Meeting, fault: str, args: dict[str, Any], found: tuple[int, bool]
) -> None:
    meeting.apple.set_fault(fault, args=args)

    assert holders(meeting.client()) == found


def test_somebody_elses_text_is_not_a_token(meeting: Meeting) -> None:
    client = meeting.client()
    client._transport._headers["Authorization"] = "Bearer nonsense"

    with pytest.raises(errors.TokenNotAccepted):
        client.client_config()


def test_a_wrong_address_is_said_to_be_wrong(meeting: Meeting) -> None:
    client = meeting.client(meeting._base_url.replace("/v2/", "/v9/"), retries=0)

    with pytest.raises(errors.AppleError) as caught:
        client.client_config()

    assert isinstance(caught.value, errors.RequestRefused | errors.Unavailable)
