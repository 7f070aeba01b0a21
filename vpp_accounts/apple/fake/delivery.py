"""Handing a notification to its receiver over HTTP."""

import http.client
import ssl
from urllib.parse import urlsplit

TIMEOUT = 10.0


def post(url: str, headers: dict[str, str], body: bytes) -> int | None:
    """The receiver's status; None when nobody answered within ten seconds. Redirects are not followed."""
    parts = urlsplit(url)
    try:
        connection = _connection(parts.scheme, parts.hostname or "", parts.port)
        try:
            connection.request("POST", parts.path or "/", body, headers)
            return connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return None


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT)
