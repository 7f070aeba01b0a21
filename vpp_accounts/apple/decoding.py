"""From status, headers and body to a JSON object or the error it stands for. No I/O.

Apple's error number is looked for before the status: bad tokens and throttling have been seen with
HTTP 200 (protocol reference, section 9). What is optional at Apple is optional here, unknown fields
are ignored, and 2xx answers that are not JSON objects count as trouble on the way.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from vpp_accounts.apple.errors import AppleError, ClaimedByAnother, Unavailable, class_of
from vpp_accounts.apple.types import ErrorInfo, MdmInfo

JsonObject = dict[str, Any]

_LONGEST_TEXT = 500
_NO_TEXT = "The answer is an error that gives no reason"


def decode_answer(
    status: int, headers: Mapping[str, str], body: bytes, *, own_mdm_id: str | None = None
) -> JsonObject:
    """The JSON object of an answer; raises the `AppleError` that the answer means.

    With `own_mdm_id`, an answer that carries another's `mdmInfo` raises `ClaimedByAnother`; a missing
    or null one is no conflict. `headers` must be case-insensitive.
    """
    data = _json_object(body)
    if data is None:
        raise _not_apples(status, headers)
    _check_claim(data, own_mdm_id)
    number = whole_or_none(data.get("errorNumber"))
    if number is None and status < 300:
        return data
    raise _error(number, status, data, retry_after(headers))


def _json_object(body: bytes) -> JsonObject | None:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return data if isinstance(data, dict) else None


def _not_apples(status: int, headers: Mapping[str, str]) -> AppleError:
    # A page of HTML comes from something between us and Apple, so its 401 or 404 says nothing about
    # our token or request.
    kind = class_of(None, status) if status in (410, 429) else Unavailable
    text = f"The answer (HTTP {status}) is not Apple's: it holds no complete JSON object"
    return kind(text, status=status, retry_after=retry_after(headers))


def _check_claim(data: JsonObject, own_mdm_id: str | None) -> None:
    if own_mdm_id is None or not data.get("mdmInfo"):
        return
    info = mdm_info(data)
    if info is not None and info.id != own_mdm_id:
        raise ClaimedByAnother(info, text_or_none(data.get("eventId")))


def _error(number: int | None, status: int, data: JsonObject, wait: float | None) -> AppleError:
    text = text_or_none(data.get("errorMessage")) or _NO_TEXT
    return class_of(number, status)(
        text[:_LONGEST_TEXT],
        number=number,
        status=status,
        retry_after=wait,
        error_info=error_info(data.get("errorInfo")),
    )


def error_info(value: object) -> ErrorInfo | None:
    """Apple's errorInfo; each of its three lists is optional."""
    if not isinstance(value, dict):
        return None
    assets = [item for item in listed(value, "assets") if isinstance(item, dict)]
    return ErrorInfo(
        assets=tuple(
            (str(asset.get("adamId", "")), text_or_none(asset.get("pricingParam")) or "STDQ")
            for asset in assets
        ),
        client_user_ids=tuple(map(str, listed(value, "clientUserIds"))),
        serial_numbers=tuple(map(str, listed(value, "serialNumbers"))),
    )


def mdm_info(data: JsonObject) -> MdmInfo | None:
    """Who manages the location, if the answer says so and names an id."""
    info = data.get("mdmInfo")
    if not isinstance(info, dict) or not info.get("id"):
        return None
    texts = {key: text_or_none(info.get(key)) or "" for key in ("id", "name", "metadata")}
    return MdmInfo(**texts)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by the `Retry-After` header, given as seconds or as an HTTP date."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isdecimal():
        return float(value)
    until = _http_date(value)
    # The answer's own Date is the clock that Retry-After was reckoned with; ours may be off.
    now = _http_date(headers.get("Date", "")) or time.time()
    return None if until is None else max(0.0, until - now)


def _http_date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def moment(value: object) -> datetime | None:
    """A moment in UTC out of `…+0000`, `…+00:00` or `…Z`; None when missing or not a date."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def whole_or_none(value: object) -> int | None:
    """A whole number, also when sent as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    return None


def text_or_none(value: object) -> str | None:
    """A text that is not empty, also when an identifier was sent as a number; never with a NUL."""
    if isinstance(value, str):
        return value.replace("\x00", "") or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def truth(value: object, *, default: bool) -> bool:
    """A boolean, also when sent as the text `true` or `false`."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), default)
    return value if isinstance(value, bool) else default


def listed(data: JsonObject, key: str) -> list[Any]:
    """The list under `key`, empty when missing or null. Something else there is an error in transit."""
    value = data.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unavailable(f"Apple's answer has something under {key} that is not a list")
    return value
