"""The in-process door: a transport adapter that answers a requests.Session without a socket."""

from io import BytesIO
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse

from vpp_accounts.apple.fake.fake import FakeApple
from vpp_accounts.apple.fake.wire import Answer, Request


class FakeAppleAdapter(HTTPAdapter):
    """`session.mount("https://", FakeAppleAdapter(fake))`; every host is this Apple."""

    def __init__(self, apple: FakeApple) -> None:
        super().__init__()
        self.apple = apple

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> requests.Response:
        answer = self.apple.respond(_understood(request))
        _play(answer, request, timeout)
        headers = {"Content-Type": answer.content_type, **answer.headers}
        raw = HTTPResponse(
            BytesIO(answer.body), headers=headers, status=answer.status, preload_content=False
        )
        response = self.build_response(request, raw)
        if not stream:
            response.content  # noqa: B018 - reads the body, as a session does
        return response


def _understood(request: requests.PreparedRequest) -> Request:
    body = request.body or b""
    headers = {
        name.lower(): value if isinstance(value, str) else value.decode("latin-1")
        for name, value in request.headers.items()
    }
    sent = body.encode() if isinstance(body, str) else bytes(body)
    return Request.from_url(request.method or "GET", request.url or "", headers, sent)


def _play(answer: Answer, request: requests.PreparedRequest, timeout: Any) -> None:
    """The accidents of a line that is not there; a slow body costs no time unless it is too slow."""
    patience = timeout[1] if isinstance(timeout, tuple) else timeout
    if answer.refused:
        raise requests.ConnectionError("Connection refused.", request=request)
    if answer.cut:
        raise requests.exceptions.ChunkedEncodingError("Connection broken.", request=request)
    if isinstance(patience, int | float) and answer.slow_seconds > patience:
        raise requests.ReadTimeout("Read timed out.", request=request)
