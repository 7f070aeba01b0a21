"""What each fault does to a call (protocol reference 7.4)."""

from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any

import orjson

from vpp_accounts.apple.fake import shifting
from vpp_accounts.apple.fake.errors import refusal
from vpp_accounts.apple.fake.faults import Kind, Proceed, Situation
from vpp_accounts.apple.fake.meeting import (
    anything,
    deltas,
    lists,
    metadata,
    service,
    with_token,
    writes,
)
from vpp_accounts.apple.fake.trouble_later import LATER
from vpp_accounts.apple.fake.wire import Answer, Json

Act = Callable[[Situation, Proceed], Answer]

PROXY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


# Refusals


def _refuse(number: int, status: int | None = None) -> Act:
    return lambda situation, proceed: refusal(number, status=status)


def _overload(situation: Situation, proceed: Proceed) -> Answer:
    answer = refusal(9729)
    answer.headers["Retry-After"] = str(situation.args["retryAfter"])
    return answer


def _overload_date(situation: Situation, proceed: Proceed) -> Answer:
    answer = refusal(9729)
    until = situation.apple.clock.now() + situation.args["retryAfter"]
    answer.headers["Retry-After"] = formatdate(until, usegmt=True)
    return answer


def _proxy_html(situation: Situation, proceed: Proceed) -> Answer:
    return Answer.html(PROXY_PAGE, 502)


def _token_error_200(situation: Situation, proceed: Proceed) -> Answer:
    return refusal(situation.args["errorNumber"], status=200)


def _metadata_forbidden(situation: Situation, proceed: Proceed) -> Answer:
    error = {"status": "403", "code": "40300", "title": "Forbidden", "detail": "Not authorized."}
    return Answer.json({"errors": [error | {"id": "FAKE"}]}, 403)


def _metadata_throttled(situation: Situation, proceed: Proceed) -> Answer:
    error = {"status": "429", "code": "42900", "title": "Too Many Requests"}
    return Answer.json({"errors": [error | {"id": "FAKE"}]}, 429)


# The data moves


def _takeover(situation: Situation, proceed: Proceed) -> Answer:
    if situation.location:
        situation.apple.claim(situation.location.uid, situation.args)
    return proceed()


def _limits_change(situation: Situation, proceed: Proceed) -> Answer:
    situation.apple.change_settings({"limits": situation.args["limits"]})
    return proceed()


def _after_a_page(move: Callable[[Situation], None]) -> Act:
    def act(situation: Situation, proceed: Proceed) -> Answer:
        answer = proceed()
        if answer.status == 200 and situation.location:
            with situation.apple.lock:
                move(situation)
                situation.apple.revision += 1
        return answer

    return act


# The answer changes


def _rewritten(rewrite: Callable[[Json, Situation], Json]) -> Act:
    def act(situation: Situation, proceed: Proceed) -> Answer:
        answer = proceed()
        if answer.status == 200:
            answer.body = orjson.dumps(rewrite(orjson.loads(answer.body), situation))
        return answer

    return act


def _without_fields(body: Json, situation: Situation) -> Json:
    left_out = situation.args["fields"]
    return {
        name: [_row_without(row, left_out) for row in value] if _is_rows(value) else value
        for name, value in body.items()
        if name not in left_out and value != []
    }


def _row_without(row: Json, left_out: Iterable[str]) -> Json:
    return {name: value for name, value in row.items() if name not in left_out}


def _with_unknown_fields(body: Json, situation: Situation) -> Json:
    strange = {"fieldOfTomorrow": {"kind": "unknown", "values": [1, None, "two"]}}
    return {
        name: [_strange_row(row) | strange for row in value] if _is_rows(value) else value
        for name, value in body.items()
    } | strange


def _strange_row(row: Json) -> Json:
    return row | {"adamId": int(row["adamId"])} if "adamId" in row else row


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _no_results(body: Json, situation: Situation) -> Json:
    return body | {"results": {}}


# The line breaks


def _refused_connection(situation: Situation, proceed: Proceed) -> Answer:
    return Answer(refused=True)


def _answer_lost(situation: Situation, proceed: Proceed) -> Answer:
    proceed()
    return Answer(refused=True)


def _slow_body(situation: Situation, proceed: Proceed) -> Answer:
    answer = proceed()
    answer.slow_seconds = situation.args["seconds"]
    return answer


def _truncated_json(situation: Situation, proceed: Proceed) -> Answer:
    answer = proceed()
    if situation.args["dropConnection"]:
        answer.cut = True
    else:
        answer.body = answer.body[: len(answer.body) // 2]
    return answer


OTHER_MDM = {
    "id": "7e1d9f20-0000-4000-8000-00000000beef",
    "name": "Another MDM",
    "metadata": "set by the fault takeover",
}

_ALL = (
    Kind(
        "overload",
        "503, 9729, Retry-After in seconds",
        _overload,
        service,
        {"retryAfter": 120},
    ),
    Kind(
        "overload_date",
        "503, 9729, Retry-After as an HTTP date",
        _overload_date,
        service,
        {"retryAfter": 120},
    ),
    Kind("proxy_html", "502 with an HTML page and no Retry-After", _proxy_html, anything),
    Kind("rate_limit", "429, 9646", _refuse(9646), with_token),
    Kind("rate_limit_200", "HTTP 200 with 9646 in the body", _refuse(9646, 200), with_token),
    Kind("internal", "500, 9603", _refuse(9603), service),
    Kind("maintenance_sync", "503, 9644", _refuse(9644), service),
    Kind("token_expired", "401, 9621", _refuse(9621), with_token),
    Kind("token_revoked", "401, 9625", _refuse(9625), with_token),
    Kind("token_malformed", "401, 9722", _refuse(9722), with_token),
    Kind(
        "token_error_200",
        "HTTP 200 with a token error in the body",
        _token_error_200,
        with_token,
        {"errorNumber": 9625},
    ),
    Kind("read_only", "403, 9637 on every POST", _refuse(9637), writes),
    Kind("apple_managed", "403, 9645 on every POST", _refuse(9645), writes),
    Kind("legacy_token", "403, 9647", _refuse(9647), with_token),
    Kind("withdrawn", "410, 9634", _refuse(9634), service),
    Kind("since_rejected", "400, 9721 to every sinceVersionId", _refuse(9721), deltas),
    Kind(
        "takeover",
        "another MDM writes its mdmInfo before this call, and stays",
        _takeover,
        with_token,
        OTHER_MDM,
        times=1,
    ),
    Kind(
        "limits_change",
        "the limits change before this call, and stay; clients that remember the old ones learn late",
        _limits_change,
        service,
        {"limits": {"maxAssets": 10, "maxClientUserIds": 100, "maxSerialNumbers": 100}},
        times=1,
    ),
    Kind(
        "version_changes",
        "versionId changes after this page, with no row changed",
        _after_a_page(shifting.new_version),
        lists,
    ),
    Kind(
        "pages_grow",
        "rows appear at the end of the list after this page (rows 0: one page full)",
        _after_a_page(shifting.grow),
        lists,
        {"rows": 0},
        times=1,
    ),
    Kind(
        "pages_shrink",
        "rows vanish at the end of the list after this page (rows 0: one page full)",
        _after_a_page(shifting.shrink),
        lists,
        {"rows": 0},
        times=1,
    ),
    Kind(
        "item_slips",
        'after this page the first row goes ("missed") or a new first row comes ("twice")',
        _after_a_page(shifting.slip),
        lists,
        {"how": "missed"},
        times=1,
    ),
    Kind(
        "fields_missing",
        "without these fields and without empty lists",
        _rewritten(_without_fields),
        with_token,
        {"fields": ["tokenExpirationDate"]},
    ),
    Kind(
        "fields_unknown",
        "with fields nobody knows, adamId as a number",
        _rewritten(_with_unknown_fields),
        with_token,
    ),
    Kind("metadata_empty", "metadata without results", _rewritten(_no_results), metadata),
    Kind("metadata_forbidden", "metadata: 403, code 40300", _metadata_forbidden, metadata),
    Kind("metadata_throttled", "metadata: 429", _metadata_throttled, metadata),
    Kind("refused_connection", "no answer, the line is cut", _refused_connection, anything),
    Kind("answer_lost", "a POST is done, then the line is cut", _answer_lost, writes),
    Kind(
        "slow_body",
        "half of the answer, then a pause of so many seconds",
        _slow_body,
        anything,
        {"seconds": 60.0},
    ),
    Kind(
        "truncated_json",
        "half of the body; with dropConnection less than the announced length",
        _truncated_json,
        anything,
        {"dropConnection": False},
    ),
)

KINDS = {kind.name: kind for kind in (*_ALL, *LATER)}
