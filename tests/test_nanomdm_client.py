"""The client of NanoMDM, over real HTTP: what was measured of the server, by the reference's numbers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from django.conf import LazySettings

from apps_catalog.channels import plists
from apps_catalog.channels.addresses import problem_of
from apps_catalog.channels.base import DeviceCommand, Health, SendOutcome, SendResult
from apps_catalog.channels.nanomdm import NanoMdmChannel, Server
from organizations import outbound
from tests.nanomdm_stub import NanoMdmStub, Refused
from tests.nanomdm_stub.fleet import TOPIC

QUEUED, ALREADY = SendOutcome.QUEUED, SendOutcome.ALREADY_QUEUED


@pytest.fixture(params=["pgsql", "filekv"])
def stub(request: pytest.FixtureRequest) -> Iterator[NanoMdmStub]:
    with NanoMdmStub(request.param) as server:
        yield server


@pytest.fixture
def pgsql() -> Iterator[NanoMdmStub]:
    with NanoMdmStub("pgsql") as server:
        yield server


def server_of(stub: NanoMdmStub, **changes: Any) -> Server:
    return replace(Server(stub.url, stub.user, stub.key, TOPIC), **changes)


def channel_of(stub: NanoMdmStub, **changes: Any) -> NanoMdmChannel:
    return NanoMdmChannel(server_of(stub, **changes))


def information(uuid: UUID | None = None) -> DeviceCommand:
    return DeviceCommand(uuid or uuid4(), *plists.device_information())


def test_a_command_reaches_every_device_and_wakes_none(stub: NanoMdmStub) -> None:
    one, two = stub.device(1).enroll(), stub.device(2).enroll()

    result = channel_of(stub).send(information(), [one.udid, two.udid], wake=False)

    assert result == SendResult({one.udid: QUEUED, two.udid: QUEUED})
    assert (one.awake, two.awake) == (False, False)
    one.connect()
    assert one.seen == ["DeviceInformation"]


def test_one_push_a_device_wakes_those_that_are_there(stub: NanoMdmStub) -> None:
    there, away = stub.device(1).enroll(), stub.device(2, is_offline=True).enroll()

    result = channel_of(stub).wake([there.udid, away.udid])

    assert result == SendResult({there.udid: QUEUED, away.udid: QUEUED})
    assert (there.awake, away.awake) == (True, False)  # (12) nobody tells of the second


def test_1_a_failed_push_is_no_failed_command(stub: NanoMdmStub) -> None:
    device = stub.device().enroll()
    stub.push_fails = True

    result = channel_of(stub).send(information(), [device.udid])

    not_woken = {device.udid: SendOutcome.QUEUED_NOT_WOKEN}
    assert result == SendResult(not_woken, "push: no push info")
    device.connect()
    assert device.seen == ["DeviceInformation"]
    assert channel_of(stub).wake([device.udid]).outcomes == not_woken


def test_2_a_command_whose_answer_was_lost_is_sent_again_and_queued_once(
    stub: NanoMdmStub,
) -> None:
    device, command = stub.device().enroll(), information()
    stub.loses_answers = 1

    lost = channel_of(stub).send(command, [device.udid], wake=False)
    again = channel_of(stub).send(command, [device.udid], wake=False)

    assert (lost.outcomes, again.outcomes) == (
        {device.udid: SendOutcome.RETRY},
        {device.udid: ALREADY},
    )
    device.connect()
    assert device.seen == ["DeviceInformation"]


def test_2_a_uuid_that_was_answered_is_taken_still(stub: NanoMdmStub) -> None:
    device, command = stub.device().enroll(), information()
    channel = channel_of(stub)
    channel.send(command, [device.udid])
    device.connect()

    result = channel.send(command, [device.udid])

    assert result.outcomes == {device.udid: ALREADY}


def test_3_one_unknown_device_among_several_splits_the_call(pgsql: NanoMdmStub) -> None:
    device = pgsql.device().enroll()

    result = channel_of(pgsql).send(information(), [device.udid, "unknown"])

    assert set(result.outcomes.values()) == {SendOutcome.SPLIT}
    device.connect()
    assert device.seen == []
    alone = channel_of(pgsql).send(information(), ["unknown"])
    assert alone.outcomes == {"unknown": SendOutcome.UNKNOWN_DEVICE}


def test_3_a_server_with_files_takes_any_device() -> None:
    with NanoMdmStub("filekv") as stub:
        result = channel_of(stub).send(information(), ["unknown"], wake=False)

    assert result == SendResult({"unknown": QUEUED})


def test_4_what_the_server_cannot_read_is_rejected_for_good(
    stub: NanoMdmStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plists, "wire", lambda *command: b"<plist><dict/></plist>")

    result = channel_of(stub).send(information(), ["device"])

    assert result.outcomes == {"device": SendOutcome.REJECTED}
    assert result.detail.startswith("decoding command")


def test_5_what_was_queued_before_a_device_enrolled_anew_is_gone(stub: NanoMdmStub) -> None:
    device = stub.device().enroll()
    device.check_out()
    result = channel_of(stub).send(information(), [device.udid])

    device.enroll()
    device.connect()

    assert (result.outcomes, device.seen) == ({device.udid: QUEUED}, [])


def test_9_what_a_busy_device_refuses_is_offered_again(stub: NanoMdmStub) -> None:
    device, channel = stub.device().enroll(), channel_of(stub)
    device.answers["InstallApplication"] = lambda command: {"Status": "NotNow"}
    install = plists.install(plists.AppFacts("361309726", "iOS"), plists.InstallOptions())
    channel.send(DeviceCommand(uuid4(), *install), [device.udid], wake=False)
    device.connect()

    device.answers.clear()
    device.connect()

    assert device.seen == ["InstallApplication", "InstallApplication"]


def test_10_a_server_with_files_loses_a_command() -> None:
    """Not ours to mend: the reason for a deadline of every command, and for a database there."""
    delivered = {}
    for backend in ("pgsql", "filekv"):
        with NanoMdmStub(backend) as stub:
            device, channel = stub.device().enroll(), channel_of(stub)
            device.answers["InstallApplication"] = lambda command: {"Status": "NotNow"}
            install = plists.install(plists.AppFacts("361309726", "iOS"), plists.InstallOptions())
            channel.send(DeviceCommand(uuid4(), *install), [device.udid], wake=False)
            channel.send(information(), [device.udid], wake=False)
            device.connect()
            first = list(device.seen)
            device.connect()
            delivered[backend] = (first, device.seen[len(first) :])

    a, b = "InstallApplication", "DeviceInformation"
    assert delivered == {"pgsql": ([a, b, a], [a]), "filekv": ([a, b, a, b], [])}


def test_11_a_device_with_another_certificate_is_not_let_in(stub: NanoMdmStub) -> None:
    device = stub.device().enroll()
    device.certificate = "another"

    with pytest.raises(Refused):
        device.connect()

    assert [b"mdm.Connect" in body for body in stub.webhook.bodies] == [False, False]


def test_13_a_call_that_is_too_long_is_split(stub: NanoMdmStub) -> None:
    devices = [stub.device(number).enroll().udid for number in range(1, 41)]
    stub.longest_address = 500

    result = channel_of(stub).send(information(), devices)
    few = channel_of(stub).send(information(), devices[:10], wake=False)

    assert set(result.outcomes.values()) == {SendOutcome.SPLIT}
    assert set(few.outcomes.values()) == {QUEUED}


def test_most_devices_of_a_call_is_set_by_the_installation(
    settings: Any, pgsql: NanoMdmStub
) -> None:
    settings.NANOMDM_MOST_DEVICES = 7
    few = channel_of(pgsql).most_devices
    settings.NANOMDM_MOST_DEVICES = 27_000
    many = channel_of(pgsql).most_devices

    assert (few, many) == (7, 5000)


@pytest.mark.parametrize(
    ("answer", "retry_after", "words"),
    [
        ((503, {"Retry-After": "40"}, b"<html>busy"), 40.0, "HTTP 503"),
        ((502, {"Retry-After": "soon"}, b""), None, "HTTP 502"),
        ((200, {}, b"<html>a proxy's own page"), None, "not NanoMDM's"),
        ((500, {}, b"Internal Server Error"), None, "not NanoMDM's"),
        ((500, {}, b"{}"), None, "without a reason"),
        ((404, {}, b"not found"), None, "no NanoMDM at this address"),
        ((401, {}, b""), None, "refuses the API user or the API key"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), None, "HTTP 302"),
        ((200, {}, b'{"command_error": "pq: too many connections"}'), None, "too many"),
    ],
)
def test_whatever_may_get_better_is_tried_again(
    pgsql: NanoMdmStub, answer: Any, retry_after: float | None, words: str
) -> None:
    pgsql.fails_with.append(answer)

    result = channel_of(pgsql).send(information(), ["a", "b"])

    assert result.outcomes == {"a": SendOutcome.RETRY, "b": SendOutcome.RETRY}
    assert (result.retry_after, words in result.detail) == (retry_after, True)


def test_some_of_many_may_fail(pgsql: NanoMdmStub) -> None:
    body = (
        b'{"status": {"a": {"command_error": "command already exists: x"},'
        b' "b": {"push_error": "gone"}, "c": {"push_result": "id"}}}'
    )
    pgsql.fails_with.append((207, {}, body))

    result = channel_of(pgsql).send(information(), ["a", "b", "c"])

    outcomes = {"a": ALREADY, "b": SendOutcome.QUEUED_NOT_WOKEN, "c": QUEUED}
    assert result == SendResult(outcomes, "command already exists: x")


def test_ids_of_users_keep_their_colon(pgsql: NanoMdmStub) -> None:
    device = pgsql.device().enroll()
    user = device.user_token_update("B2C3")

    result = channel_of(pgsql).send(information(), [user], wake=False)

    assert result.outcomes == {user: QUEUED}


def test_the_key_is_told_to_nobody() -> None:
    assert "secret" not in repr(Server("https://mdm.example.org", "nanomdm", "secret"))


# --- Where its API lies -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "api", "version"),
    [
        ("https://mdm.example.org", "/v1", "/version"),
        ("https://mdm.example.org/", "/v1", "/version"),
        ("https://mdm.example.org/nanomdm/v1", "/nanomdm/v1", "/nanomdm/version"),
        ("https://mdm.example.org/api/v1/nanomdm", "/api/v1/nanomdm", "/version"),
    ],
)
def test_where_the_api_lies(base_url: str, api: str, version: str) -> None:
    server = Server(base_url, "nanomdm", "key")

    host = "https://mdm.example.org"
    assert (server.api, server.version_url) == (f"{host}{api}", f"{host}{version}")


def test_a_nanohub_is_asked_below_its_path() -> None:
    with NanoMdmStub(user="nanohub", path="/api/v1/nanomdm") as hub:
        device = hub.device().enroll()
        channel = channel_of(hub, base_url=f"{hub.url}/api/v1/nanomdm", api_user="nanohub")

        result = channel.send(information(), [device.udid], wake=False)

        assert result.outcomes == {device.udid: QUEUED}
        assert channel.health().problem == ""


# --- How it is ---------------------------------------------------------------------------------------


def test_a_server_that_works(pgsql: NanoMdmStub) -> None:
    health = channel_of(pgsql).health()

    assert health == Health("", "v0.9.1", TOPIC, pgsql.push_expires_at)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"api_key": "wrong"}, "The server refuses the API user or the API key. Enter them again."),
        ({"topic": ""}, "No topic of the push certificate is entered."),
        (
            {"topic": "other"},
            "The server has no push certificate of the topic other. Upload it there.",
        ),
        ({"api_key": ""}, "No API key of the MDM server is entered."),
        ({"base_url": ""}, "No address of the MDM server is entered."),
    ],
)
def test_what_is_wrong_with_a_server(
    pgsql: NanoMdmStub, changes: dict[str, str], problem: str
) -> None:
    assert channel_of(pgsql, **changes).health().problem == problem


def test_a_path_where_no_api_is(pgsql: NanoMdmStub) -> None:
    health = channel_of(pgsql, base_url=f"{pgsql.url}/elsewhere").health()

    assert health == Health(
        "There is no NanoMDM at this address (HTTP 404). Check its path.", "v0.9.1"
    )


def test_nobody_is_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    channel = NanoMdmChannel(Server(f"http://127.0.0.1:{port}", "nanomdm", "key", TOPIC))

    health, result = channel.health(), channel.send(information(), ["a"])

    words = "127.0.0.1 cannot be reached. Check its address, and that it runs."
    assert (health, result) == (Health(words), SendResult({"a": SendOutcome.RETRY}, words))


# --- Where it may be ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "address", "is_fine"),
    [
        ("http://mdm.internal", "10.1.2.3", True),
        ("https://mdm.internal", "fd00::7", True),
        ("https://mdm.example.org", "93.184.215.14", True),
        ("http://mdm.example.org", "93.184.215.14", False),  # not over the internet in the clear
        ("http://mdm.internal", "169.254.169.254", False),
        ("https://mdm.internal", "fe80::1", False),
        ("https://mdm.internal", "::ffff:169.254.169.254", False),
        ("https://mdm.internal", "64:ff9b::a9fe:a9fe", False),
        ("https://mdm.internal", "fd00:ec2::254", False),
        ("http://mdm.internal", "0.0.0.0", False),
        ("http://mdm.internal", "224.0.0.1", False),
    ],
)
def test_where_a_server_may_be(
    monkeypatch: pytest.MonkeyPatch, url: str, address: str, is_fine: bool
) -> None:
    """By the address that the name means at this moment, and that is then connected to."""
    asked: list[str] = []

    def answer(adapter: Any, request: Any, **options: Any) -> Any:
        pool = adapter.get_connection_with_tls_context(request, True)
        asked.append(pool.host)
        raise requests.ConnectionError

    monkeypatch.setattr(outbound.HTTPAdapter, "send", answer)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)

    result = NanoMdmChannel(Server(url, "nanomdm", "key")).send(information(), ["a"])

    assert result.outcomes == {"a": SendOutcome.RETRY}
    assert asked == ([address] if is_fine else [])


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "fd00::7"])
def test_a_private_network_is_asked_only_where_the_operator_allows_it(
    settings: LazySettings, address: str
) -> None:
    settings.NANOMDM_PRIVATE_ADDRESSES = False
    host = f"[{address}]" if ":" in address else address

    assert "in a private network" in problem_of(f"https://{host}")
