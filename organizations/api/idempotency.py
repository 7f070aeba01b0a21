"""`Idempotency-Key`: a POST that is sent again is answered again, and done once.

The first request claims the key by inserting its row. The row keeps a digest of what was sent and,
later, the answer; never the request itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api.parameters import BadParameter
from organizations.models import Admin, IdempotentAnswer
from organizations.refusals import Conflict

HEADER = "Idempotency-Key"
LONGEST = 255
# A claim without an answer for this long belongs to a process that died; no request takes as long.
ABANDONED_AFTER = timedelta(minutes=5)


class KeyUsedForAnother(Conflict):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            f"This {HEADER} was already used for another request. Use a new key for a new request."
        )


class StillAtWork(Conflict):
    code = "idempotency_key_in_use"
    retry_after = 1

    def __init__(self) -> None:
        super().__init__(
            f"The first request with this {HEADER} is still at work. Ask again shortly."
        )


class AlreadyAnswered(Exception):  # not an error: the answer is inside
    def __init__(self, stored: IdempotentAnswer) -> None:
        self.stored = stored

    def response(self) -> Response:
        body = bytes(self.stored.body or b"")
        return Response(
            orjson.Fragment(body) if body else None,
            status=self.stored.status,
            headers={"Idempotency-Replayed": "true"},
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer for a key; lost when someone else had to take it over."""

    row_id: int
    claimed_at: datetime

    def keep(self, response: Response) -> None:
        """Remember the answer; what may go better in a while is forgotten, so that it can."""
        if response.status_code >= 500 or "Retry-After" in response:
            self._unanswered().delete()
        else:
            self.keep_body(response.status_code, response.content)

    def keep_body(self, status: int, body: bytes) -> None:
        """Where what is answered holds a secret: what is answered to the same request again."""
        self._unanswered().update(status=status, body=body)

    def _unanswered(self) -> QuerySet[IdempotentAnswer]:
        return IdempotentAnswer.objects.filter(
            pk=self.row_id, created_at=self.claimed_at, status=None
        )


def claim(request: Request, admin: Admin) -> Claim | None:
    """None where the client asked for nothing; raises when this is not the first request."""
    key = request.headers.get(HEADER, "").strip().replace("\x00", "")
    if not key:
        return None
    if len(key) > LONGEST:
        raise BadParameter(HEADER, f"must not be longer than {LONGEST} characters")
    digest = _digest(request)
    try:
        with transaction.atomic():
            row = IdempotentAnswer.objects.create(admin=admin, key=key, request_digest=digest)
    except IntegrityError:
        first = IdempotentAnswer.objects.filter(admin=admin, key=key).first()
        return _second_request(first, digest) if first else claim(request, admin)
    return Claim(row.pk, row.created_at)


def _second_request(row: IdempotentAnswer, digest: str) -> Claim:
    if row.request_digest != digest:
        raise KeyUsedForAnother
    if row.status is not None:
        raise AlreadyAnswered(row)
    return _take_over(row)


def _take_over(row: IdempotentAnswer) -> Claim:
    now = timezone.now()
    taken = IdempotentAnswer.objects.filter(
        pk=row.pk, status=None, created_at__lt=now - ABANDONED_AFTER
    ).update(created_at=now)
    if not taken:
        raise StillAtWork
    return Claim(row.pk, now)


def _digest(request: Request) -> str:
    """Of method, address and body. A form's boundary differs each time it is sent, so it is left out."""
    body = _body_of(request._request)
    main, _, boundary = (request.content_type or "").partition("boundary=")
    if main.startswith("multipart/") and boundary:
        body = body.replace(boundary.strip('"').encode(), b"")
    head = f"{request.method}\n{request.get_full_path()}\n".encode()
    return hashlib.sha256(head + body).hexdigest()


def _body_of(request: HttpRequest) -> bytes:
    """The door has measured it; Django's own limit would refuse a file that the door lets in."""
    if not hasattr(request, "_body"):
        request._body = request.read()
    return request.body
