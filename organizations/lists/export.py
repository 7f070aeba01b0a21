"""CSV that a spreadsheet opens without surprises, sent while it is made."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo

from django.http import StreamingHttpResponse
from django.utils import timezone

from organizations.imports.reading import FORMULA_STARTS

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as something else


class _Echo:
    """The file that csv writes to: hands every line straight on."""

    def write(self, line: str) -> str:
        return line


def csv_response(
    name: str,
    labels: Sequence[str],
    chunks: Iterable[Iterable[Sequence[object]]],
    *,
    zone: tzinfo,
) -> StreamingHttpResponse:
    """A download called `name-2026-11-22.csv`; times are given in `zone`."""
    today = timezone.localdate(timezone=zone)
    return StreamingHttpResponse(
        _lines(labels, chunks, zone),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-{today}.csv"'},
    )


def _lines(
    labels: Sequence[str], chunks: Iterable[Iterable[Sequence[object]]], zone: tzinfo
) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    yield from written(
        labels, ([[cell(value, zone) for value in row] for row in c] for c in chunks)
    )


def written(labels: Sequence[str], chunks: Iterable[Iterable[Sequence[object]]]) -> Iterator[str]:
    """The lines of a chunk at a time, those of `labels` first."""
    writer = csv.writer(_Echo())
    yield writer.writerow(labels)
    for rows in chunks:
        yield "".join(writer.writerow(row) for row in rows)


def defused(text: str) -> str:
    """What a spreadsheet would run as a formula is made plain text by an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def cell(value: object, zone: tzinfo) -> object:
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(sep=" ", timespec="seconds")
    return defused(value) if isinstance(value, str) else value
