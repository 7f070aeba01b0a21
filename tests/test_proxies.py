"""Proxies in front, which are believed only where they are ours, and the one on the way out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from django.http import HttpRequest
from django.test import Client

from apps_catalog.metadata import MetadataUnavailable, lookup
from organizations.addresses import client_address
from organizations.signin import outbound
from organizations.throttle import address_of
from tools import paths
from tools.variables import for_production_checks
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.errors import Unavailable

TOLD = {
    "X-Forwarded-For": "198.51.100.1, 203.0.113.9, 10.0.0.2",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "vpp.example.com",
}
UNTOUCHED = ("10.0.0.3", "http", "testserver")


def received(remote: str, headers: dict[str, str]) -> HttpRequest:
    """The request as the views get it."""
    request: HttpRequest = (
        Client().get("/health/live", headers=headers, REMOTE_ADDR=remote).wsgi_request
    )
    return request


def seen(request: HttpRequest) -> tuple[str | None, str | None, str]:
    return client_address(request), request.scheme, request.get_host()


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        ([], UNTOUCHED),
        (["192.0.2.1", "unix"], UNTOUCHED),
        (["10.0.0.3"], ("10.0.0.2", "https", "vpp.example.com")),
        (["10.0.0.0/8"], ("203.0.113.9", "https", "vpp.example.com")),
        (["10.0.0.3", "10.0.0.2", "203.0.113.9"], ("198.51.100.1", "https", "vpp.example.com")),
    ],
)
def test_headers_are_believed_of_trusted_proxies_only(
    settings, trusted: list[str], expected: tuple[str, str, str]
) -> None:
    settings.TRUSTED_PROXIES = trusted

    request = received("10.0.0.3", TOLD)

    assert seen(request) == expected


def test_what_a_stranger_claims_reaches_nobody(settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    claims = {"Forwarded": "for=1.2.3.4", "X-Real-IP": "1.2.3.4", "Client-IP": "1.2.3.4"}

    request = received("203.0.113.9", {**TOLD, **claims})

    assert seen(request) == ("203.0.113.9", "http", "testserver")
    assert {name for name in request.headers if "Forward" in name or "Ip" in name} == set()


@pytest.mark.parametrize(
    ("hops", "address"),
    [
        ("203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8::7]:51234", "2001:db8::7"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1"),
        ("unknown", "10.0.0.3"),
        ("203.0.113.9, unknown", "10.0.0.3"),
        ("' OR 1=1 --", "10.0.0.3"),
        ("", "10.0.0.3"),
    ],
)
def test_an_address_is_read_however_a_proxy_writes_it(settings, hops: str, address: str) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.3"]

    request = received("::ffff:10.0.0.3", {"X-Forwarded-For": hops})

    assert client_address(request) == address


def test_a_proxy_on_a_socket_file_is_trusted_by_its_own_word(settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    stranger = received("", TOLD)
    settings.TRUSTED_PROXIES = ["unix"]
    ours = received("", TOLD)

    assert seen(stranger) == (None, "http", "testserver")
    assert seen(ours) == ("10.0.0.2", "https", "vpp.example.com")
    assert (address_of(stranger), address_of(ours)) == ("unknown", "10.0.0.2")


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_refused_whoever_tells_it(settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.3"]
    settings.ALLOWED_HOSTS = ["vpp.example.com"]

    answers = [
        Client().get("/accounts/login/", headers=headers, REMOTE_ADDR="10.0.0.3").status_code
        for headers in (TOLD, TOLD | {"X-Forwarded-Host": "evil.example"}, {"Host": "testserver"})
    ]

    assert answers == [200, 400, 400]


@pytest.mark.parametrize("entry", ["10.0.0.0/99", "proxy.example.com", "10.0.0"])
def test_a_typing_error_in_the_list_stops_the_start(entry: str) -> None:
    env = os.environ | for_production_checks() | {"TRUSTED_PROXIES": f"10.0.0.0/8, {entry}"}

    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=env,
        cwd=paths.ROOT,
        capture_output=True,
        timeout=60,
    )

    assert done.returncode != 0
    assert f"TRUSTED_PROXIES names “{entry}”" in done.stderr.decode()


# --- The way out ----------------------------------------------------------------------------------


class Listener:
    """Notes the first line of whatever connects, and hangs up with an error."""

    def __init__(self, server: socket.socket) -> None:
        self.server, self.lines = server, list[str]()
        self.address = f"127.0.0.1:{server.getsockname()[1]}"

    def listen(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.lines.append(connection.recv(4096).split(b"\r\n")[0].decode(errors="replace"))
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")


@contextmanager
def listening() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Listener(server)
        thread = threading.Thread(target=listener.listen)
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)


@pytest.fixture
def proxy(monkeypatch, settings) -> Iterator[Listener]:
    settings.SSO_ALLOW_PRIVATE = True  # what listens here does so at 127.0.0.1
    for name in ("https_proxy", "no_proxy", "NO_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with listening() as listener:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{listener.address}")
        yield listener


def ask_apple(host: str) -> None:
    client = AppleClient(base_url=f"https://{host}/mdm/v2/", stoken="token", retries=0)
    with pytest.raises(Unavailable):
        client.client_config()


def ask_the_store(host: str) -> None:
    with pytest.raises(MetadataUnavailable):
        lookup(
            ["1"],
            url=f"https://{host}/lookup",
            country="US",
            platform="",
            stoken="token",
            session=requests.Session(),
        )


def ask_an_identity_provider(host: str) -> None:
    with pytest.raises(outbound.Unreachable):
        outbound.get_json(f"https://{host}/.well-known/openid-configuration")


ASKING = [ask_apple, ask_the_store, ask_an_identity_provider]


@pytest.mark.parametrize("ask", ASKING)
def test_whatever_leaves_the_house_goes_through_the_proxy(ask, proxy: Listener) -> None:
    ask("somewhere.test")

    assert [line.split()[:2] for line in proxy.lines] == [["CONNECT", "somewhere.test:443"]]


@pytest.mark.parametrize("ask", ASKING)
def test_what_no_proxy_names_goes_straight(ask, proxy: Listener, monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    with listening() as direct:
        ask(direct.address)

    assert (proxy.lines, len(direct.lines)) == ([], 1)
