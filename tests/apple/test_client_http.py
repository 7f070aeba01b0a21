"""The client over real sockets: what the network does that no adapter can play."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest

from tests.apple.scripted import STOKEN, serials
from vpp_accounts.apple import AppleClient, LocalPacer, errors

Handle = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def client_of(handle: Handle) -> Iterator[AppleClient]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            handle(self)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        client = client_at(server.server_port)
        try:
            yield client
        finally:
            client.close()
            server.shutdown()
            thread.join()


def client_at(port: int) -> AppleClient:
    return AppleClient(
        base_url=f"http://127.0.0.1:{port}/mdm/v2/",
        stoken=STOKEN,
        pacer=LocalPacer(100_000),
        timeout=(2, 0.3),
        retries=0,
    )


def respond(handler: BaseHTTPRequestHandler, body: bytes, **headers: str) -> None:
    handler.send_response(200)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def test_pages_over_kept_connections() -> None:
    ports = set()

    def handle(handler: BaseHTTPRequestHandler) -> None:
        ports.add(handler.client_address[1])
        index = int(handler.path.partition("pageIndex=")[2] or 0)
        body = {"assignments": serials(f"C{index}"), "totalPages": 40, "versionId": "v1"}
        respond(handler, orjson.dumps(body))

    with client_of(handle) as client:
        rows = list(client.assignments().rows())

    assert {row.serial_number for row in rows} == {f"C{index}" for index in range(40)}
    assert len(ports) <= 6


def test_a_packed_answer_is_unpacked() -> None:
    packed = gzip.compress(orjson.dumps({"uId": "1", "locationName": "Lindenhof"}))

    with client_of(lambda handler: respond(handler, packed, Content_Encoding="gzip")) as client:
        assert client.client_config().location_name == "Lindenhof"


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        client = client_at(taken.getsockname()[1])

        with pytest.raises(errors.Unavailable) as caught:
            client.client_config()
        client.close()

    assert caught.value.could_not_connect
    assert caught.value.text == "127.0.0.1 could not be reached (NewConnectionError)"


def silence(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def half(handler: BaseHTTPRequestHandler) -> None:
    respond(handler, b'{"uId": "20490', Content_Length="100")
    handler.close_connection = True


def not_packed(handler: BaseHTTPRequestHandler) -> None:
    respond(handler, b"{}", Content_Encoding="gzip")


def too_slow(handler: BaseHTTPRequestHandler) -> None:
    respond(handler, b"{", Content_Length="100")
    handler.rfile.read(1)  # until the client has gone
    handler.close_connection = True


@pytest.mark.parametrize(
    ("trouble", "name"),
    [
        (silence, "RemoteDisconnected"),
        (half, "IncompleteRead"),
        (not_packed, "error"),
        (too_slow, "ReadTimeoutError"),
    ],
)
def test_an_answer_that_breaks_off_is_trouble_on_the_way(trouble: Handle, name: str) -> None:
    with client_of(trouble) as client, pytest.raises(errors.Unavailable) as caught:
        client.client_config()

    assert caught.value.text == f"127.0.0.1 gave no complete answer ({name})"
    assert not caught.value.could_not_connect
    assert STOKEN not in repr(vars(caught.value))
