"""How much of what is sent is taken in: no disk fills up before a form can say that it is too large."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, UnreadablePostError

LARGEST = 20 * 1024 * 1024  # that any page takes


class BodyRefused(Exception):
    """What a program posts is not taken in; `status` is HTTP's."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def read_body(request: HttpRequest, *, largest: int) -> bytes:
    """The raw body of what a program posts."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    too_large = BodyRefused(413, f"More than {largest:,} bytes are not taken in.")
    if announced.isdecimal() and int(announced) > largest:
        raise too_large
    # A body that comes in chunks announces no length, and Django takes it for an empty one.
    in_chunks = not announced and request.META.get("wsgi.input_terminated")
    stream = request.META["wsgi.input"] if in_chunks else request
    try:
        body: bytes = stream.read(largest + 1)
    except UnreadablePostError:
        raise BodyRefused(400, "The body broke off. Send it again.") from None
    if len(body) > largest:
        raise too_large
    return body


class BoundedUploadHandler(FileUploadHandler):
    """Stands before those that keep a file, and lets pass little more than the largest one.

    Its form refuses what is larger than that, so that half a file is never taken for a whole one.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return raw_data if start <= LARGEST else None

    def file_complete(self, file_size: int) -> UploadedFile[bytes] | None:
        return None
