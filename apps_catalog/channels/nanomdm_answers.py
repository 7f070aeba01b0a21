"""What a NanoMDM server's answers mean; nothing is asked here (device-channel reference 1.2, 1.4).

Its status codes alone mislead: 500 is also said where the command was queued and only the push
failed, or where it was queued by an earlier call whose answer got lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from apps_catalog.channels.base import SendOutcome, SendResult

TOO_LONG = (413, 414, 431)  # said before the command was looked at
SPOKEN = (200, 207, 500)  # what NanoMDM itself answers to a command
LONGEST_DETAIL = 300
LONGEST_PAUSE = 3600.0
BAD_KEY = "The server refuses the API user or the API key. Enter them again."
NOT_FOUND = "There is no NanoMDM at this address (HTTP 404). Check its path."
# How the storage back ends call a command that is there already, and a device that is not.
TAKEN = ("already exists", "duplicate key", "duplicate entry", "unique constraint")
STRANGER = ("foreign key",)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Mapping[str, Any] | None  # None: it was no JSON object
    retry_after: float | None = None

    @classmethod
    def of(cls, status: int, text: bytes, retry_after: str | None) -> Answer:
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = None
        seconds = (retry_after or "").strip()
        pause = float(seconds[:6]) if seconds.isascii() and seconds.isdigit() else None
        return cls(
            status,
            body if isinstance(body, dict) else None,
            min(pause, LONGEST_PAUSE) if pause is not None else None,
        )


def queued(answer: Answer, ids: Sequence[str]) -> SendResult:
    if answer.status in TOO_LONG:
        split = SendOutcome.SPLIT if len(ids) > 1 else SendOutcome.REJECTED
        return of_all(ids, split, f"The server takes no call of this length ({answer.status}).")
    if problem := problem_of(answer):
        return of_all(ids, SendOutcome.RETRY, problem, answer.retry_after)
    body = answer.body or {}
    if error := _text(body, "command_error"):
        return of_all(ids, outcome_of(error, len(ids)), error)
    pushed_none = bool(_text(body, "push_error"))
    outcomes = {pk: _queued_one(row, pushed_none) for pk, row in _rows(body, ids).items()}
    if answer.status == 500 and set(outcomes.values()) == {SendOutcome.QUEUED}:
        # It failed in a way that it does not tell; asked again, it says whether the command is there.
        return of_all(ids, SendOutcome.RETRY, "The server failed without a reason (HTTP 500).")
    return SendResult(outcomes, _first_error(body, ids))


def _queued_one(row: Mapping[str, Any], pushed_none: bool) -> SendOutcome:
    if error := _text(row, "command_error"):
        return outcome_of(error, 1)
    not_woken = pushed_none or _text(row, "push_error")
    return SendOutcome.QUEUED_NOT_WOKEN if not_woken else SendOutcome.QUEUED


def woken(answer: Answer, ids: Sequence[str]) -> SendResult:
    if answer.status in TOO_LONG and len(ids) > 1:
        return of_all(ids, SendOutcome.SPLIT, f"The call is too long (HTTP {answer.status}).")
    if problem := problem_of(answer):
        return of_all(ids, SendOutcome.RETRY, problem, answer.retry_after)
    body = answer.body or {}
    outcomes = {
        pk: SendOutcome.QUEUED if _text(row, "push_result") else SendOutcome.QUEUED_NOT_WOKEN
        for pk, row in _rows(body, ids).items()
    }
    return SendResult(outcomes, _first_error(body, ids))


def outcome_of(error: str, devices: int) -> SendOutcome:
    words = error.lower()
    if words.startswith("decoding command"):
        return SendOutcome.REJECTED
    if any(word in words for word in TAKEN):
        return SendOutcome.ALREADY_QUEUED
    if any(word in words for word in STRANGER):
        return SendOutcome.UNKNOWN_DEVICE if devices == 1 else SendOutcome.SPLIT
    return SendOutcome.RETRY


def problem_of(answer: Answer, spoken: Sequence[int] = SPOKEN) -> str:
    """Why it is no answer of a NanoMDM that knows us; empty where it is one."""
    if answer.status in (401, 403):
        return BAD_KEY
    if answer.status == 404:
        return NOT_FOUND
    if answer.status not in spoken:
        return f"The server answered with HTTP {answer.status}."
    if answer.body is None:
        return f"The server's answer is not NanoMDM's (HTTP {answer.status})."
    return ""


def version_of(answer: Answer) -> str:
    told = (answer.body or {}).get("version")
    return told[:100] if answer.status == 200 and isinstance(told, str) else ""


def push_expiry(answer: Answer) -> datetime | None:
    """Of the push certificate; None where the server has none of that topic."""
    told = (answer.body or {}).get("not_after")
    try:
        moment = parse_datetime(told) if isinstance(told, str) else None
    except ValueError:
        return None
    is_naive = moment is not None and moment.tzinfo is None
    return moment.replace(tzinfo=UTC) if moment and is_naive else moment


def of_all(
    ids: Sequence[str], outcome: SendOutcome, detail: str, retry_after: float | None = None
) -> SendResult:
    return SendResult(dict.fromkeys(ids, outcome), detail[:LONGEST_DETAIL], retry_after)


def _rows(body: Mapping[str, Any], ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    told = body.get("status")
    rows = told if isinstance(told, dict) else {}
    return {pk: row if isinstance(row := rows.get(pk), dict) else {} for pk in ids}


def _first_error(body: Mapping[str, Any], ids: Sequence[str]) -> str:
    errors: list[Callable[[Mapping[str, Any]], str]] = [
        lambda row: _text(row, "command_error"),
        lambda row: _text(row, "push_error"),
    ]
    rows = [body, *_rows(body, ids).values()]
    found = (error for tell in errors for row in rows if (error := tell(row)))
    return next(found, "")[:LONGEST_DETAIL]


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""
