"""The HTTP door, the state that survives, and the command that starts both."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.apple.fake_kit import BOOK, OTHER, TITLE, Caller
from vpp_accounts.apple.fake import FakeApple, Server, delivery, serving
from vpp_accounts.apple.fake.persistence import StateFile, restore, snapshot


@pytest.fixture
def apple() -> FakeApple:
    apple = FakeApple()
    apple.settings.limits["maxRequestPerSecond"] = 10_000
    return apple


@pytest.fixture
def server(apple: FakeApple) -> Iterator[Server]:
    with serving(apple) as server:
        yield server


@pytest.fixture
def caller(apple: FakeApple, server: Server) -> Iterator[Caller]:
    location = apple.create_location(name="Oak")
    apple.fill(location.uid, TITLE, 1200)
    caller = Caller(apple, stoken=location.issue_token(), url=server.url)
    yield caller
    caller.session.close()


def raw(server: Server, sent: bytes) -> bytes:
    with socket.create_connection(server.server_address[:2], timeout=5) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := line.recv(65536):
            received += chunk
    return received


def test_both_doors_give_the_same_answer(apple: FakeApple, caller: Caller) -> None:
    stoken = str(caller.session.headers["Authorization"]).removeprefix("Bearer ")
    inside = Caller(apple, stoken=stoken)

    for name in ("client/config", "assets", "assignments", "users"):
        assert caller.get(name) == inside.get(name)
    urls = caller.get("service/config")["urls"]
    assert urls["getAssets"] == f"{caller.url}/mdm/v2/assets"


def test_one_connection_serves_many_requests(caller: Caller) -> None:
    pages = caller.walk("assignments")

    assert [page["size"] for page in pages] == [500, 500, 200]
    answer = caller.post("client/config", {"mdmInfo": {"id": "i", "name": "ü", "metadata": "m"}})
    assert answer["mdmInfo"]["name"] == "ü"


def test_the_journal_counts_calls_in_flight(apple: FakeApple, caller: Caller) -> None:
    apple.settings.latency_ms = 30
    caller.get("assets")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda index: caller.get("assignments", pageIndex=index), (0, 1, 2, 0)))

    assert apple.journal.since(0)[0]["inFlight"] == 1
    assert 2 <= max(entry["inFlight"] for entry in apple.journal.since(1)) <= 4


@pytest.mark.parametrize(
    ("fault", "args", "error"),
    [
        ("refused_connection", {}, requests.ConnectionError),
        ("slow_body", {"seconds": 60}, requests.ConnectionError),
        ("truncated_json", {"dropConnection": True}, requests.exceptions.ChunkedEncodingError),
    ],
)
def test_a_broken_line_breaks_for_real(
    apple: FakeApple, caller: Caller, fault: str, args: dict[str, object], error: type[Exception]
) -> None:
    apple.set_fault(fault, times=1, args=args)

    with pytest.raises(error):
        caller.session.get(f"{caller.url}/mdm/v2/assets", timeout=0.2)

    assert "assets" in caller.get("assets")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /control/reset HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST /control/reset HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST /control/reset HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", b"400"),
        (b"GET /mdm/v2/service/config HTTP/1.0\r\n\r\n", b"200"),
        (b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n", b"200"),
    ],
)
def test_what_is_no_request_is_told_so(server: Server, sent: bytes, status: bytes) -> None:
    assert raw(server, sent).split(b" ")[1] == status


def test_two_requests_in_one_packet(server: Server) -> None:
    one = b"GET /mdm/v2/assets HTTP/1.1\r\nHost: x\r\n\r\n"

    received = raw(server, one + one)

    assert received.count(b"HTTP/1.1 401 Unauthorized") == 2


def test_a_notification_is_delivered_over_http(server: Server) -> None:
    gone = f"http://127.0.0.1:{_free_port()}/"

    assert delivery.post(f"{server.url}/control/reset", {}, b"") == 200
    assert delivery.post(f"{server.url}/nothing", {}, b"{}") == 404
    assert delivery.post(gone, {}, b"{}") is None


def test_the_state_survives(tmp_path: Path, apple: FakeApple) -> None:
    path = tmp_path / "var" / "apple.json"
    kept = StateFile(apple, path)
    location = apple.create_location(name="Oak")
    stoken = location.issue_token()
    apple.fill(location.uid, TITLE, 5)
    apple.fill(location.uid, OTHER, 5, "user")
    apple.purchase(location.uid, BOOK, 3, "PLUS")
    apple.purchase(location.uid, "42", 3, name="Forty-two")
    (ada,) = apple.add_users(location.uid, [{"clientUserId": "ada"}])
    apple.assign(location.uid, BOOK, client_user_ids=["ada"], pricing_param="PLUS")
    apple.retire(location, [ada])
    apple.change_settings({"pageSize": 4, "guesses": {"emptyTotalPages": 0}}, location.uid)
    apple.set_fault("overload", times=2, path="/users")
    apple.advance(60)
    before = Caller(apple, stoken=stoken)
    seen = [before.get(name) for name in ("client/config", "assets", "assignments")]
    kept.stop()

    again = FakeApple()
    StateFile(again, path).load()

    after = Caller(again, stoken=stoken)
    assert [after.get(name) for name in ("client/config", "assets", "assignments")] == seen
    assert after.refused("users") == (503, 9729)
    assert snapshot(again)["locations"] == snapshot(apple)["locations"]
    assert again.titles == apple.titles
    assert again.create_location(name="Elm").uid != apple.create_location(name="Elm").uid
    assert path.stat().st_mode & 0o077 == 0


def test_a_snapshot_can_be_restored(apple: FakeApple) -> None:
    location = apple.create_location(name="Oak")
    taken = snapshot(apple)
    apple.rename(location.uid, "Elm")

    restore(apple, taken)

    assert [each.name for each in apple.locations.values()] == ["Oak"]


def test_nothing_is_written_while_nothing_changes(tmp_path: Path, apple: FakeApple) -> None:
    path = tmp_path / "apple.json"
    kept = StateFile(apple, path)

    kept.save()
    untouched = path.exists()
    apple.create_location(name="Oak")
    kept.save()

    assert (untouched, path.exists()) == (False, True)


@pytest.mark.slow
def test_the_command_serves_and_saves_when_it_is_stopped(tmp_path: Path) -> None:
    state = tmp_path / "apple.json"
    command = [sys.executable, "manage.py", "fake_apple", "--port", "0", "--state", str(state)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        assert process.stdout
        url = process.stdout.readline().split(" on ")[1].strip().rstrip("/")
        made = requests.post(f"{url}/control/locations", json={"name": "Oak"}, timeout=5).json()
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=10)
    finally:
        process.kill()
        process.communicate()

    assert code == 0
    again = FakeApple()
    StateFile(again, state).load()
    assert list(again.locations) == [made["uId"]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
