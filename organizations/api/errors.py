"""Every error in one shape: `{"errors": ["a sentence", …], "code": "a_stable_word"}`, never HTML.

There is always a sentence: clients of Meraki show `errors[0]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from organizations.audit import current_request_id
from organizations.refusals import Conflict, Refusal

NOT_FOUND = "Not found: there is nothing at this address that this key may see."
NO_KEY = "No API key was sent. Send it as “Authorization: Bearer <key>” or as “X-Cisco-Meraki-API-Key: <key>”."
WRONG_TYPE = "Send the body as application/json or multipart/form-data and say so in Content-Type."

CODES = {
    exceptions.ValidationError: "invalid",
    exceptions.ParseError: "malformed",
    exceptions.NotAuthenticated: "missing_key",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
}


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"

    def __init__(self, largest: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE) -> None:
        megabytes = largest // 2**20
        super().__init__(f"The body is larger than {megabytes} MB. Send it in parts.")


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER."""
    if isinstance(error, Refusal):
        return _refusal(error)
    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    if isinstance(error, exceptions.APIException):
        return Response(
            body(*_sentences(error), code=_code(error)),
            status=error.status_code,
            headers=_headers(error),
        )
    if isinstance(error, Http404):
        return Response(body(NOT_FOUND, code="not_found"), status=404)
    if isinstance(error, PermissionDenied):
        code = getattr(error, "code", "no_access")
        return Response(body(str(error) or "You may not do this.", code=code), status=403)
    if isinstance(error, SuspiciousOperation):
        return Response(body("The request is malformed.", code="malformed"), status=400)
    return _bug(context)


def body(*sentences: str, code: str) -> dict[str, Any]:
    return {"errors": list(sentences), "code": code}


@csrf_exempt
def not_found(request: HttpRequest, **path: str) -> HttpResponse:
    """Whatever else is asked for below /api/: the meraki SDK probes addresses that we do not have."""
    return JsonResponse(body(NOT_FOUND, code="not_found"), status=404)


def _refusal(refusal: Refusal) -> Response:
    retry_after = refusal.retry_after
    return Response(
        body(str(refusal), code=refusal.code),
        status=409 if isinstance(refusal, Conflict) else 400,
        headers={"Retry-After": str(retry_after)} if retry_after else None,
    )


def _bug(context: dict[str, Any]) -> Response:
    # The signal writes the traceback to the log, and makes Django's test client raise it.
    got_request_exception.send(sender=None, request=context["request"]._request)
    request_id = current_request_id()
    sentence = "Something went wrong here, not in your request. Try again"
    if request_id:
        sentence += f", and if it stays tell your administrator this request id: {request_id}"
    return Response(body(f"{sentence}.", code="internal"), status=500)


def _code(error: exceptions.APIException) -> str:
    """Where DRF has a word of its own that is as good, that one."""
    for kind, word in CODES.items():
        if isinstance(error, kind):
            return word
    return str(getattr(error.detail, "code", error.default_code))


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(max(1, int(wait) + 1))
    return headers


def _sentences(error: exceptions.APIException) -> Iterator[str]:
    if isinstance(error, exceptions.ValidationError):
        yield from _field_sentences(error.detail)
    elif isinstance(error, exceptions.NotAuthenticated):
        yield from ("Invalid API key", NO_KEY)
    elif isinstance(error, exceptions.UnsupportedMediaType):
        yield WRONG_TYPE
    else:
        yield str(error.detail)


def _field_sentences(detail: Any, path: str = "") -> Iterator[str]:
    """Walk DRF's nest of fields, rows and messages; each message becomes a sentence with its path."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            general = name == "non_field_errors"
            step = f"[{name}]" if isinstance(name, int) else f".{name}" if path else str(name)
            yield from _field_sentences(inner, path if general else path + step)
    elif isinstance(detail, list):
        for inner in detail:
            yield from _field_sentences(inner, path)
    else:
        yield _sentence(path, detail)


def _sentence(path: str, message: exceptions.ErrorDetail) -> str:
    if not path:
        return str(message)
    if message.code == "required":
        return f"“{path}” is missing."
    if message.code in ("blank", "null"):
        return f"“{path}” can't be blank."
    return f"“{path}”: {message}"
