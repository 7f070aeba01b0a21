"""What the client may rely on, asked of both doors of the fake and of Apple itself.

Apple is asked when APPLE_VPP_LIVE_TOKEN_FILE names a `.vpptoken` file: reads only, unless
APPLE_VPP_LIVE_WRITE=1. What is written there is undone: one client user with a random id, retired in
the end, and one license that goes to a serial number nobody has, and comes back.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from vpp_accounts.apple import (
    Accepted,
    AppleClient,
    EventState,
    EventStatus,
    ManageAssets,
    ManageUsers,
    RequestUser,
    RevokeAssets,
    WriteResult,
    chunks_of,
    errors,
)
from vpp_accounts.apple.fake import FakeApple, FakeAppleAdapter, serving
from vpp_accounts.apple.types import UNLIMITED, Asset, Assignment, ClientUser

APPLE = "https://vpp.itunes.apple.com/mdm/v2/"
TITLE, BOOK = "1187400216", "1801147365"
PATIENCE = 20  # half minutes

LIVE_TOKEN = os.environ.get("APPLE_VPP_LIVE_TOKEN_FILE", "")
MAY_WRITE = os.environ.get("APPLE_VPP_LIVE_WRITE") == "1"
live = pytest.param(
    "live",
    marks=[
        pytest.mark.enable_socket,
        pytest.mark.skipif(not LIVE_TOKEN, reason="APPLE_VPP_LIVE_TOKEN_FILE is not set"),
    ],
)
writing_live = pytest.param(
    "live",
    marks=[
        *live.marks,
        pytest.mark.skipif(not MAY_WRITE, reason="APPLE_VPP_LIVE_WRITE is not 1"),
    ],
)

Connect = Callable[..., AppleClient]


class Door:
    """A location behind a token, and how to wait for what it does."""

    def __init__(self, connect: Connect, stoken: str, wait: Callable[[], object]) -> None:
        self.connect = connect
        self.stoken = stoken
        self.wait = wait
        self.client = connect(stoken)

    def done(self, result: WriteResult) -> EventStatus:
        """The status of the event when it is over."""
        assert isinstance(result, Accepted)
        for _ in range(PATIENCE):
            self.wait()
            status = self.client.event_status(result.event_id)
            if status.is_over:
                return status
        raise AssertionError(f"{status} after {PATIENCE / 2} minutes")


def prepared(apple: FakeApple) -> str:
    """A location with three pages of everything; the text of its token."""
    apple.change_settings({"pageSize": 10, "maxRequestPerSecond": 10_000})
    uid = apple.create_location(name="Lindenhof", country="DE").uid
    apple.fill(uid, TITLE, 20)
    apple.fill(uid, BOOK, 3, "user")
    apple.add_users(uid, [{"clientUserId": f"user-{number}"} for number in range(20)])
    for number in range(20):
        apple.purchase(uid, str(400_000_000 + number), 5)
    apple.purchase(uid, TITLE, 50)
    return apple.issue_token(uid)


@contextmanager
def in_process() -> Iterator[Door]:
    apple = FakeApple()
    session = requests.Session()
    session.mount("https://", FakeAppleAdapter(apple))

    def connect(stoken: str, **options: Any) -> AppleClient:
        return AppleClient(base_url=APPLE, stoken=stoken, session=session, **options)

    yield Door(connect, prepared(apple), lambda: apple.advance(60))


@contextmanager
def over_http() -> Iterator[Door]:
    apple = FakeApple()
    stoken = prepared(apple)
    clients: list[AppleClient] = []

    with serving(apple) as server:

        def connect(stoken: str, **options: Any) -> AppleClient:
            base_url = server.url.rstrip("/") + "/mdm/v2/"
            clients.append(AppleClient(base_url=base_url, stoken=stoken, **options))
            return clients[-1]

        yield Door(connect, stoken, lambda: apple.advance(60))
        for client in clients:
            client.close()


@contextmanager
def at_apple() -> Iterator[Door]:
    clients: list[AppleClient] = []

    def connect(stoken: str, **options: Any) -> AppleClient:
        clients.append(AppleClient(base_url=APPLE, stoken=stoken, **options))
        return clients[-1]

    # Apple asks for 30 seconds between two questions about an event.
    yield Door(connect, Path(LIVE_TOKEN).read_text().strip(), lambda: time.sleep(30))
    for client in clients:
        client.close()


DOORS = {"in process": in_process, "http": over_http, "live": at_apple}
reads = pytest.mark.parametrize("door", ["in process", "http", live], indirect=True)
writes = pytest.mark.parametrize("door", ["in process", "http", writing_live], indirect=True)


@pytest.fixture
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    with DOORS[request.param]() as opened:
        yield opened


# Reads


@reads
def test_service_config_names_limits_and_urls(door: Door) -> None:
    config = door.client.service_config()

    assert min(vars_of(config.limits).values()) > 0
    assert {"ASSET_MANAGEMENT", "ASSET_COUNT", "USER_MANAGEMENT", "USER_ASSOCIATED"} <= set(
        config.notification_types
    )
    assert "%25inviteCode%25" in config.urls["invitationEmail"]


def vars_of(value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


@reads
def test_client_config_names_the_location(door: Door) -> None:
    config = door.client.client_config()

    assert config.uid.isdecimal()
    assert config.location_name
    assert len(config.country) == 2
    assert config.default_platform in ("volumestore", "enterprisestore")
    assert config.token_expires_at == door.client.token_expires_at


@reads
def test_every_list_is_walked_whole(door: Door) -> None:
    for name in ("assets", "assignments", "users"):
        walk = getattr(door.client, name)()
        rows = list(walk.rows())

        assert walk.unreadable == []
        assert walk.pages_done == walk.total_pages
        assert walk.version_id
        if walk.is_stable:
            assert len(set(rows)) == len(rows)


@reads
def test_an_asset_has_sensible_counts(door: Door) -> None:
    for asset in door.client.assets().rows():
        assert asset.adam_id.isdecimal()
        assert asset.pricing_param in ("STDQ", "PLUS")
        assert asset.product_type in ("App", "Book")
        assert 0 <= asset.assigned_count <= asset.total_count <= UNLIMITED
        assert asset.device_assignable <= (asset.product_type != "Book")


@reads
def test_assignments_can_be_asked_for_by_title_and_holder(door: Door) -> None:
    asset = next((found for found in door.client.assets().rows() if found.assigned_count), None)
    if asset is None:
        pytest.skip("no license of this location is in use")

    held = door.client.assignments(adam_id=asset.adam_id, pricing_param=asset.pricing_param)
    first = next(held.rows())
    theirs = door.client.assignments(
        client_user_id=first.client_user_id, serial_number=first.serial_number
    )

    assert {(first.adam_id, first.pricing_param)} == {(asset.adam_id, asset.pricing_param)}
    assert first in set(theirs.rows())


@reads
def test_active_users_are_not_retired(door: Door) -> None:
    active = {user.status for user in door.client.users(active_only=True).rows()}
    retired = {user.status for user in door.client.users(retired_only=True).rows()}

    assert active <= {"Registered", "Associated"}
    assert retired <= {"Retired", "Deleted"}


@reads
def test_a_delta_starts_from_a_version_of_its_own_list(door: Door) -> None:
    for name in ("assignments", "users"):
        ask = getattr(door.client, name)
        since = ask().version_id

        delta = ask(since_version_id=since)

        assert delta.version_id
        if delta.version_id == since:
            assert list(delta.rows()) == []


@reads
@pytest.mark.parametrize(
    ("ask", "kind", "number"),
    [
        (
            lambda client: list(client.assignments(since_version_id="never").rows()),
            errors.VersionNotFound,
            9721,
        ),
        (
            lambda client: client._read("users", [("pageIndex", "99999")], lambda data: data),
            errors.PageOutOfRange,
            9650,
        ),
        (
            lambda client: client._read("users", [("pageIndex", "first")], lambda data: data),
            errors.RequestRefused,
            9602,
        ),
        (
            lambda client: client.event_status("00000000-0000-4000-8000-000000000000"),
            errors.EventNotFound,
            9708,
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_by_number(
    door: Door, ask: Callable[[AppleClient], object], kind: type[errors.AppleError], number: int
) -> None:
    with pytest.raises(kind) as caught:
        ask(door.client)

    assert (type(caught.value), caught.value.number) == (kind, number)


@reads
@pytest.mark.parametrize("stoken", ["bm90IGEgdG9rZW4=", "not a token"])
def test_a_text_that_is_no_token_opens_nothing_but_service_config(door: Door, stoken: str) -> None:
    client = door.connect(stoken)

    assert client.service_config().limits
    with pytest.raises(errors.TokenDead):
        client.client_config()


@reads
def test_whoever_manages_the_location_is_named_on_every_answer(door: Door) -> None:
    holder = door.client.client_config().mdm_info
    if holder is None:
        assert list(door.connect(door.stoken, own_mdm_id="nobody").users().pages())
        return

    with pytest.raises(errors.ClaimedByAnother) as caught:
        door.connect(door.stoken, own_mdm_id="nobody").client_config()
    assert caught.value.mdm_info == holder


# Writes: refused at once


@writes
def test_a_refused_write_has_its_number_and_does_nothing(door: Door) -> None:
    app = (spare_app(door).adam_id, "STDQ")
    user = RequestUser("contract-nobody")
    refused: dict[int, Callable[[], WriteResult]] = {
        9718: lambda: door.client.associate_assets(ManageAssets((), serial_numbers=("C0",))),
        9719: lambda: door.client.associate_assets(ManageAssets((app,))),
        9703: lambda: door.client.associate_assets(
            ManageAssets((app, app), serial_numbers=("C0",))
        ),
        9705: lambda: door.client.associate_assets(
            ManageAssets((app,), serial_numbers=("C0", "C0"))
        ),
        9720: lambda: door.client.create_users(ManageUsers(())),
        9715: lambda: door.client.create_users(ManageUsers((user, user))),
        9717: lambda: door.client.create_users(ManageUsers((RequestUser("u", "not an address"),))),
    }
    before = door.client.assignments().version_id, door.client.users().version_id

    for number, write in refused.items():
        with pytest.raises(errors.RequestRefused) as caught:
            write()
        assert caught.value.number == number

    assert (door.client.assignments().version_id, door.client.users().version_id) == before


@writes
def test_more_than_the_limits_is_refused_and_cut_work_is_not_larger(door: Door) -> None:
    limits = door.client.service_config().limits
    names = tuple(f"contract-{number}" for number in range(limits.max_revoke_serial_numbers + 1))
    people = tuple(RequestUser(f"contract-{number}") for number in range(limits.max_users + 1))

    with pytest.raises(errors.LimitsMoved):
        door.client.revoke_assets(RevokeAssets(serial_numbers=names))
    with pytest.raises(errors.LimitsMoved):
        door.client.retire_users(ManageUsers(people))

    assert len(list(chunks_of([RevokeAssets(serial_numbers=names)], limits))) == 2
    assert len(list(chunks_of([ManageUsers(people)], limits))) == 2


# Writes: done by an event


@writes
def test_a_license_goes_out_and_comes_back(door: Door) -> None:
    asset = spare_app(door)
    serial = f"CONTRACT{uuid.uuid4().hex[:8].upper()}"
    request = ManageAssets(((asset.adam_id, asset.pricing_param),), serial_numbers=(serial,))

    given = door.done(door.client.associate_assets(request))
    again = door.done(door.client.associate_assets(request))
    held = list(door.client.assignments(serial_number=serial).rows())
    taken = door.done(door.client.disassociate_assets(request))
    gone = door.done(door.client.revoke_assets(RevokeAssets(serial_numbers=(serial,))))

    assert [told(status) for status in (given, again, taken)] == [
        ("ASSOCIATE", EventState.COMPLETE, 1, 1, []),
        ("ASSOCIATE", EventState.COMPLETE, 1, 1, []),
        ("DISASSOCIATE", EventState.COMPLETE, 1, 1, []),
    ]
    assert (gone.type, gone.state) == ("REVOKE", EventState.COMPLETE)
    assert held == [Assignment(asset.adam_id, asset.pricing_param, None, serial)]
    assert list(door.client.assignments(serial_number=serial).rows()) == []


@writes
def test_an_unknown_user_is_a_failure_that_names_the_user(door: Door) -> None:
    asset = spare_app(door)
    key = (asset.adam_id, asset.pricing_param)
    nobody = f"contract-{uuid.uuid4()}"

    status = door.done(
        door.client.associate_assets(ManageAssets((key,), client_user_ids=(nobody,)))
    )

    assert told(status) == ("ASSOCIATE", EventState.FAILED, 1, 0, [9609])
    (failure,) = status.failures
    assert failure.error_info is not None
    assert failure.error_info.client_user_ids == (nobody,)


@writes
def test_a_user_is_created_changed_and_retired(door: Door) -> None:
    name = str(uuid.uuid4())
    created = ManageUsers((RequestUser(name, "first@example.org"),))
    changed = ManageUsers((RequestUser(name, "second@example.org"),))

    statuses = [
        door.done(door.client.create_users(created)),
        door.done(door.client.create_users(created)),
        door.done(door.client.update_users(changed)),
    ]
    (registered,) = door.client.users(client_user_id=name).rows()
    statuses.append(door.done(door.client.retire_users(ManageUsers((RequestUser(name),)))))
    (retired,) = door.client.users(client_user_id=name).rows()

    assert [told(status) for status in statuses] == [
        ("CREATE", EventState.COMPLETE, 1, 1, []),
        ("CREATE", EventState.FAILED, 1, 0, [9716]),
        ("UPDATE", EventState.COMPLETE, 1, 1, []),
        ("RETIRE", EventState.COMPLETE, 1, 1, []),
    ]
    assert shown(registered) == (name, "Registered", "second@example.org")
    assert registered.invite_code
    assert retired.status == "Retired"


def spare_app(door: Door) -> Asset:
    """An app with a license to spare that can go to a device and come back."""
    for asset in door.client.assets(device_assignable=True, revocable=True).rows():
        if asset.available_count > 1 and asset.pricing_param == "STDQ":
            return asset
    pytest.skip("this location has no license to spare")


def told(status: EventStatus) -> tuple[str, EventState, int, int, list[int]]:
    numbers = [failure.number for failure in status.failures]
    return status.type, status.state, status.requested, status.completed, numbers


def shown(user: ClientUser) -> tuple[str, str, str | None]:
    return user.client_user_id, user.status, user.email
