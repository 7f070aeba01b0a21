"""Client and fake against each other, through both doors: every trouble a read can meet."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.apple.scripted import BASE_URL, EagerPacer
from vpp_accounts.apple import (
    Accepted,
    AnswerLost,
    AppleClient,
    EventState,
    ManageAssets,
    ManageUsers,
    RequestUser,
    RevokeAssets,
    WriteResult,
    errors,
    send_in_chunks,
)
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


ONE = ManageAssets(((TITLE, "STDQ"),), serial_numbers=("C02NEW",))
ADA = ManageUsers((RequestUser("ada", "ada@example.org"),))
WRITES: list[Callable[[AppleClient], WriteResult]] = [
    lambda client: client.associate_assets(ONE),
    lambda client: client.disassociate_assets(ONE),
    lambda client: client.revoke_assets(RevokeAssets(serial_numbers=("C02NEW",))),
    lambda client: client.create_users(ADA),
    lambda client: client.update_users(ADA),
    lambda client: client.retire_users(ADA),
]


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
    for write in WRITES:
        with pytest.raises(kind):
            write(meeting.client())
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


# Writes and their events


def shown(client: AppleClient, result: WriteResult) -> tuple[EventState, int, list[int]]:
    """How the event stands: state, tasks done, numbers of failures."""
    assert isinstance(result, Accepted)
    status = client.event_status(result.event_id)
    return status.state, status.completed, [failure.number for failure in status.failures]


def holds(client: AppleClient, serial: str = "C02NEW") -> bool:
    return bool(list(client.assignments(serial_number=serial).rows()))


def test_a_license_goes_out_when_its_event_has_run(meeting: Meeting) -> None:
    meeting.apple.purchase(meeting.uid, TITLE, 5)
    meeting.apple.change_settings({"eventDelaySeconds": 5})
    client = meeting.client()

    result = client.associate_assets(ONE)
    pending = shown(client, result), holds(client)
    meeting.apple.advance(5)

    assert pending == ((EventState.PENDING, 0, []), False)
    assert (shown(client, result), holds(client)) == ((EventState.COMPLETE, 1, []), True)


@pytest.mark.parametrize(
    ("fault", "args", "at_once", "after_a_minute"),
    [
        ("slow_event", {"seconds": 30}, (EventState.PENDING, 0, []), (EventState.COMPLETE, 1, [])),
        ("stuck_event", {}, (EventState.PENDING, 0, []), (EventState.PENDING, 0, [])),
        (
            "completed_not_visible",
            {"seconds": 30},
            (EventState.COMPLETE, 1, []),
            (EventState.COMPLETE, 1, []),
        ),
        ("maintenance_async", {}, (EventState.PENDING, 0, []), (EventState.FAILED, 0, [9644])),
        ("shortage", {"licenses": 5}, (EventState.PENDING, 0, []), (EventState.FAILED, 0, [9709])),
        (
            "notification_before_answer",
            {},
            (EventState.COMPLETE, 1, []),
            (EventState.COMPLETE, 1, []),
        ),
    ],
)
def test_an_event_goes_its_own_way(
    meeting: Meeting, fault: str, args: dict[str, Any], at_once: object, after_a_minute: object
) -> None:
    meeting.apple.purchase(meeting.uid, TITLE, 5)
    meeting.apple.change_settings({"eventDelaySeconds": 5})
    meeting.apple.set_fault(fault, args=args, times=1)
    client = meeting.client()

    result = client.associate_assets(ONE)
    first, seen = shown(client, result), holds(client)
    meeting.apple.advance(60)

    assert (first, seen) == (at_once, fault == "notification_before_answer")
    assert shown(client, result) == after_a_minute
    assert holds(client) == (after_a_minute == (EventState.COMPLETE, 1, []))


def test_an_event_that_apple_has_forgotten_was_done_all_the_same(meeting: Meeting) -> None:
    meeting.apple.purchase(meeting.uid, TITLE, 5)
    meeting.apple.set_fault("event_lost", times=1)
    client = meeting.client()

    result = client.associate_assets(ONE)
    meeting.apple.advance(60)

    with pytest.raises(errors.EventNotFound):
        shown(client, result)
    assert holds(client)


@pytest.mark.parametrize("fault", ["answer_lost", "truncated_json", "slow_body", "proxy_html"])
def test_after_a_lost_answer_the_truth_is_read_and_the_rest_sent(
    meeting: Meeting, fault: str
) -> None:
    meeting.apple.purchase(meeting.uid, TITLE, 5)
    meeting.apple.set_fault(fault, times=1)
    client = meeting.client()

    lost = client.associate_assets(ONE)
    meeting.apple.advance(60)
    done = holds(client)
    again = client.associate_assets(ONE)
    meeting.apple.advance(60)

    assert isinstance(lost, AnswerLost)
    assert (lost.path, lost.content) == ("assets/associate", ONE.wire())
    assert done == (fault != "proxy_html")
    assert (shown(client, again), holds(client)) == ((EventState.COMPLETE, 1, []), True)
    assert sum(row.assigned_count for row in client.assets(adam_id=TITLE).rows()) == 24


@pytest.mark.parametrize(
    "fault", ["overload", "rate_limit", "rate_limit_200", "internal", "maintenance_sync"]
)
def test_a_write_that_is_refused_for_now_is_sent_until_it_is_taken(
    meeting: Meeting, fault: str
) -> None:
    args = {"retryAfter": 5} if fault == "overload" else {}
    meeting.apple.set_fault(fault, times=2, args=args)

    for write in WRITES:
        assert isinstance(write(meeting.client()), Accepted)


def test_limits_that_change_between_two_chunks(meeting: Meeting) -> None:
    serials = tuple(f"C02{number:03}" for number in range(25))
    meeting.apple.purchase(meeting.uid, TITLE, 25)
    meeting.apple.change_settings({"limits": {"maxSerialNumbers": 10}})
    client = meeting.client()
    client.service_config()
    meeting.apple.set_fault("limits_change", after=1, args={"limits": {"maxSerialNumbers": 4}})
    work = [ManageAssets(((TITLE, "STDQ"),), serial_numbers=serials)]

    sizes = [
        len(chunk.serial_numbers)
        for chunk, _ in send_in_chunks(client, client.associate_assets, work)
    ]
    meeting.apple.advance(60)

    assert sizes == [10, 4, 4, 2, 4, 1]
    assert holders(client) == (48, True)


def test_a_location_taken_over_tells_the_event_of_the_write(meeting: Meeting) -> None:
    meeting.apple.purchase(meeting.uid, TITLE, 5)
    meeting.client().set_client_config(mdm_info=OURS)
    client = meeting.client(own_mdm_id=OURS.id)
    meeting.apple.set_fault("takeover")

    with pytest.raises(errors.ClaimedByAnother) as caught:
        client.associate_assets(ONE)
    meeting.apple.advance(60)

    assert caught.value.event_id
    assert holds(meeting.client())


def test_users_are_created_changed_and_retired(meeting: Meeting) -> None:
    client = meeting.client()

    results = []
    for write in WRITES[3:]:
        results.append(write(client))
        meeting.apple.advance(60)

    (user,) = client.users(client_user_id="ada").rows()
    assert [shown(client, result) for result in results] == [(EventState.COMPLETE, 1, [])] * 3
    assert (user.status, user.email) == ("Retired", "ada@example.org")
