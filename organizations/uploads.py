"""How much of an upload is taken in: no disk fills up before a form can say that it is too large."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

LARGEST = 20 * 1024 * 1024  # that any page takes


class BoundedUploadHandler(FileUploadHandler):
    """Stands before those that keep a file, and lets pass little more than the largest one.

    Its form refuses what is larger than that, so that half a file is never taken for a whole one.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return raw_data if start <= LARGEST else None

    def file_complete(self, file_size: int) -> UploadedFile[bytes] | None:
        return None
