"""What an answer of Apple's means: errors by number, status and headers; values out of JSON."""

from datetime import UTC, datetime

import orjson
import pytest
from requests.structures import CaseInsensitiveDict

from vpp_accounts.apple import errors, reading
from vpp_accounts.apple.decoding import decode_answer, moment, retry_after
from vpp_accounts.apple.types import (
    UNLIMITED,
    Asset,
    Assignment,
    ClientConfig,
    ClientUser,
    ErrorInfo,
    Limits,
    MdmInfo,
    ServiceConfig,
    Unreadable,
)

NUMBERS = {
    errors.TokenExpired: [9621],
    errors.TokenRevoked: [9625],
    errors.TokenNotAccepted: [9601, 9622, 9722],
    errors.LegacyToken: [9647],
    errors.ReadOnly: [9637],
    errors.AppleManaged: [9645],
    errors.Throttled: [9646],
    errors.Unavailable: [9603, 9644, 9729],
    errors.LimitsMoved: [9700, 9701, 9702, 9714, 9805, 9816],
    errors.RequestRefused: [
        *(9602, 9623, 9703, 9704, 9705, 9710, 9711, 9712, 9713, 9715, 9717, 9718, 9719, 9720),
        *(9723, 9724, 9725, 9726, 9727, 9728, 9811, 9812, 9813, 9818),
    ],
    errors.StateDrift: [9609, 9635, 9641, 9706, 9707, 9709, 9716, 9814, 9815, 9817],
    errors.VersionNotFound: [9721],
    errors.PageOutOfRange: [9650],
    errors.EventNotFound: [9708],
    errors.ServiceWithdrawn: [9634],
}


def failure(status: int, body: object, **headers: str) -> errors.AppleError:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with pytest.raises(errors.AppleError) as caught:
        decode_answer(status, CaseInsensitiveDict(names), content)
    return caught.value


def said(error: errors.AppleError) -> tuple[type, int | None, int | None]:
    return type(error), error.number, error.status


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize(
    ("number", "kind"), [(number, kind) for kind, group in NUMBERS.items() for number in group]
)
def test_the_number_decides_whatever_the_status(
    number: int, kind: type[errors.AppleError], status: int
) -> None:
    error = failure(status, {"errorNumber": number, "errorMessage": "Apple's words"})

    assert (*said(error), error.text) == (kind, number, status, "Apple's words")


def test_every_number_of_the_table_is_tested() -> None:
    tested = {number for group in NUMBERS.values() for number in group}

    assert tested == set(errors.CLASS_OF_NUMBER)


@pytest.mark.parametrize("number", [None, 9999])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.RequestRefused),
        (401, errors.TokenNotAccepted),
        (403, errors.RequestRefused),
        (404, errors.RequestRefused),
        (410, errors.ServiceWithdrawn),
        (429, errors.Throttled),
        (500, errors.Unavailable),
        (503, errors.Unavailable),
    ],
)
def test_without_a_known_number_the_status_decides(
    number: int | None, status: int, kind: type[errors.AppleError]
) -> None:
    error = failure(status, {} if number is None else {"errorNumber": number})

    assert said(error) == (kind, number, status)


def test_an_unknown_number_with_200_is_an_error_too() -> None:
    assert said(failure(200, {"errorNumber": 9999})) == (errors.RequestRefused, 9999, 200)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, b"<html><h1>Bad Gateway</h1></html>", errors.Unavailable),
        (200, b"<html>Please sign in to the guest network</html>", errors.Unavailable),
        (401, b"<html>Proxy</html>", errors.Unavailable),
        (404, b"", errors.Unavailable),
        (200, b'{"assets": [{"adamId": "36130', errors.Unavailable),
        (200, b"[]", errors.Unavailable),
        (200, b"", errors.Unavailable),
        (429, b"slow down", errors.Throttled),
        (410, b"gone", errors.ServiceWithdrawn),
    ],
)
def test_what_is_not_a_json_object_is_not_apples(
    status: int, body: bytes, kind: type[errors.AppleError]
) -> None:
    error = failure(status, body)

    assert said(error) == (kind, None, status)
    assert (
        error.text == f"The answer (HTTP {status}) is not Apple's: it holds no complete JSON object"
    )


def test_an_error_number_may_be_a_text() -> None:
    assert said(failure(200, {"errorNumber": "9625"})) == (errors.TokenRevoked, 9625, 200)


def test_an_error_says_its_number_and_what_it_is_about() -> None:
    error = failure(
        400,
        {
            "errorNumber": 9706,
            "errorMessage": "Not revocable",
            "errorInfo": {
                "assets": [{"adamId": 361309726}, "junk"],
                "clientUserIds": ["u1"],
                "serialNumbers": None,
            },
        },
    )

    assert str(error) == "Not revocable (Apple's error 9706)"
    assert error.error_info == ErrorInfo(assets=(("361309726", "STDQ"),), client_user_ids=("u1",))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120.0),
        ({"retry-after": " 0 "}, 0.0),
        (
            {
                "Retry-After": "Sun, 22 Nov 2026 12:02:00 GMT",
                "Date": "Sun, 22 Nov 2026 12:00:00 GMT",
            },
            120.0,
        ),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"Retry-After": "tomorrow"}, None),
        ({"Retry-After": "-5"}, None),
    ],
)
def test_retry_after_in_both_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(CaseInsensitiveDict(headers)) == seconds


def test_the_wait_apple_names_stands_on_the_error() -> None:
    error = failure(503, {"errorNumber": 9729}, Retry_After="120")

    assert (type(error), error.retry_after) == (errors.Unavailable, 120.0)


@pytest.mark.parametrize(
    "text",
    [
        "2027-05-01T10:11:12+0000",
        "2027-05-01T10:11:12+00:00",
        "2027-05-01T10:11:12Z",
        "2027-05-01T03:11:12-0700",
        "2027-05-01T10:11:12",
    ],
)
def test_a_moment_is_read_in_every_form(text: str) -> None:
    assert moment(text) == datetime(2027, 5, 1, 10, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", "soon", 1809166272, True])
def test_what_is_no_moment_is_none(value: object) -> None:
    assert moment(value) is None


@pytest.mark.parametrize("status", [200, 401])
def test_a_foreign_mdm_info_is_a_claim(status: int) -> None:
    body = orjson.dumps({"mdmInfo": {"id": "theirs", "name": "Other MDM", "metadata": "m"}})

    with pytest.raises(errors.ClaimedByAnother) as caught:
        decode_answer(status, CaseInsensitiveDict(), body, own_mdm_id="ours")

    assert caught.value.mdm_info == MdmInfo("theirs", "Other MDM", "m")
    assert str(caught.value) == "Another device management service holds this location: Other MDM"


@pytest.mark.parametrize(
    "data",
    [{}, {"mdmInfo": None}, {"mdmInfo": {}}, {"mdmInfo": {"id": "ours", "name": "n"}}],
)
def test_our_own_or_no_mdm_info_is_no_conflict(data: dict[str, object]) -> None:
    body = orjson.dumps(data)

    assert decode_answer(200, CaseInsensitiveDict(), body, own_mdm_id="ours") == data


def test_plain_assignments() -> None:
    data = {
        "assignments": [
            {"adamId": "1", "pricingParam": "STDQ", "serialNumber": "C02A"},
            {"adamId": "2", "pricingParam": "PLUS", "clientUserId": "u1", "idHash": "new field"},
        ],
        "currentPageIndex": 3,
        "nextPageIndex": 4,
        "totalPages": 9,
        "versionId": "v1",
    }

    page = reading.assignment_page(data, 3)

    assert page.rows == [Assignment("1", "STDQ", None, "C02A"), Assignment("2", "PLUS", "u1", None)]
    assert (page.index, page.total_pages, page.next_index) == (3, 9, 4)
    assert (page.version_id, page.unreadable) == ("v1", [])


def test_odd_assignments_are_read_and_broken_ones_reported() -> None:
    data = {
        "assignments": [
            {"adamId": 361309726, "serialNumber": "C02A"},
            {"adamId": "1", "pricingParam": "STDQ", "serialNumber": "C02B", "clientUserId": ""},
            {"adamId": "1", "pricingParam": "STDQ", "serialNumber": "C", "clientUserId": "u"},
            {"adamId": "1", "pricingParam": "STDQ", "email": "private@example.org"},
            {"serialNumber": "C02C"},
            "nonsense",
        ]
    }

    page = reading.assignment_page(data, 0)

    assert page.rows == [
        Assignment("361309726", "STDQ", None, "C02A"),
        Assignment("1", "STDQ", None, "C02B"),
    ]
    either = "needs either clientUserId or serialNumber"
    assert page.unreadable == [
        Unreadable(
            "assignment",
            either,
            '{"adamId":"1","pricingParam":"STDQ","clientUserId":"u","serialNumber":"C"}',
        ),
        Unreadable("assignment", either, '{"adamId":"1","pricingParam":"STDQ"}'),
        Unreadable("assignment", "no adamId", '{"serialNumber":"C02C"}'),
        Unreadable("assignment", "not an object", "str"),
    ]


@pytest.mark.parametrize("holders", [{"serialNumber": "C02A", "clientUserId": "u1"}, {}])
def test_one_broken_assignment_does_not_spoil_the_plain_ones(holders: dict[str, str]) -> None:
    plain = {"adamId": "1", "pricingParam": "STDQ", "serialNumber": "C02B"}
    broken = {"adamId": "1", "pricingParam": "STDQ", **holders}

    page = reading.assignment_page({"assignments": [plain, broken, plain]}, 0)

    assert page.rows == [Assignment("1", "STDQ", None, "C02B")] * 2
    assert [item.kind for item in page.unreadable] == ["assignment"]


@pytest.mark.parametrize("holder", [{"serialNumber": 12345}, {"clientUserId": 12345}])
def test_a_holder_sent_as_a_number_becomes_text(holder: dict[str, int]) -> None:
    page = reading.assignment_page({"assignments": [{"adamId": "1", **holder}]}, 0)

    assert [row.client_user_id or row.serial_number for row in page.rows] == ["12345"]


@pytest.mark.parametrize("data", [{}, {"assignments": None}, {"assignments": [], "totalPages": 0}])
def test_an_empty_list_has_one_empty_page(data: dict[str, object]) -> None:
    page = reading.assignment_page(data, 0)

    assert (page.rows, page.total_pages, page.next_index, page.version_id) == ([], 1, None, "")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"size": 2}, "Page 0 announces records but carries no assignments"),
        (
            {"assignments": {"adamId": "1"}},
            "Apple's answer has something under assignments that is not a list",
        ),
        (
            {"assignments": [], "currentPageIndex": 4},
            "Apple answered page 4 when page 0 was asked for",
        ),
    ],
)
def test_a_page_that_would_lose_rows_is_not_taken(data: dict[str, object], text: str) -> None:
    with pytest.raises(errors.Unavailable) as caught:
        reading.assignment_page(data, 0)

    assert caught.value.text == text


def test_a_full_asset() -> None:
    data = {
        "assets": [
            {
                "adamId": "361309726",
                "pricingParam": "PLUS",
                "productType": "Book",
                "assignedCount": 3,
                "availableCount": 90,
                "retiredCount": 7,
                "totalCount": 100,
                "deviceAssignable": False,
                "revocable": False,
                "supportedPlatforms": ["iOS", "visionOS"],
            }
        ]
    }

    (asset,) = reading.asset_page(data, 0).rows

    assert asset == Asset(
        "361309726", "PLUS", "Book", 3, 90, 7, 100, False, False, ("iOS", "visionOS")
    )
    assert not asset.is_unlimited


def test_an_asset_of_which_little_is_told() -> None:
    data = {"assets": [{"adamId": 1, "totalCount": "10", "assignedCount": 4, "revocable": "false"}]}

    assert reading.asset_page(data, 0).rows == [
        Asset("1", "STDQ", "App", 4, 6, 0, 10, True, False, ())
    ]


def test_unlimited_assets_come_in_either_list() -> None:
    data = {
        "assets": [{"adamId": "1", "totalCount": UNLIMITED, "assignedCount": 5}],
        "unlimitedAssets": [{"adamId": "2", "assignedCount": 6}, 7],
    }

    page = reading.asset_page(data, 0)

    assert [(row.adam_id, row.assigned_count, row.is_unlimited) for row in page.rows] == [
        ("1", 5, True),
        ("2", 6, True),
    ]
    assert page.unreadable == [Unreadable("asset", "not an object", "int")]


def test_broken_assets_are_reported() -> None:
    data = {
        "assets": [
            {"adamId": "1", "productType": "App"},
            {"adamId": "2", "totalCount": 5, "assignedCount": "many"},
            {"totalCount": 5},
        ]
    }

    page = reading.asset_page(data, 0)

    assert page.rows == []
    assert page.unreadable == [
        Unreadable("asset", "no totalCount", '{"adamId":"1","productType":"App"}'),
        Unreadable("asset", "assignedCount is not a number", '{"adamId":"2"}'),
        Unreadable("asset", "no adamId", "{}"),
    ]


def test_users_and_broken_users() -> None:
    data = {
        "users": [
            {"clientUserId": "u1", "status": "Registered", "inviteCode": "f00d", "email": "a@b.c"},
            {"clientUserId": "u1", "status": "Retired", "idHash": "aGFzaA=="},
            {"clientUserId": "u2", "inviteCode": "cafe"},
        ]
    }

    page = reading.user_page(data, 0)

    assert page.rows == [
        ClientUser("u1", "Registered", "a@b.c", "f00d", None),
        ClientUser("u1", "Retired", None, None, "aGFzaA=="),
    ]
    assert page.unreadable == [Unreadable("user", "no status", '{"clientUserId":"u2"}')]
    assert "f00d" not in repr(page)


def test_service_config_with_holes_and_news() -> None:
    data = {
        "limits": {"maxAssets": 10, "maxUsers": 0, "maxMdmIdLength": "x", "maxNews": 1},
        "urls": {"invitationEmail": "https://…", "odd": 3},
        "notificationTypes": ["ASSET_COUNT", None],
    }

    assert reading.service_config(data) == ServiceConfig(
        Limits(max_assets=10), {"invitationEmail": "https://…"}, ("ASSET_COUNT",)
    )
    assert reading.service_config({}) == ServiceConfig(Limits(), {}, ())


def test_every_limit_is_read_under_apples_name() -> None:
    names = [
        *("maxAssets", "maxClientUserIds", "maxSerialNumbers", "maxRevokeClientUserIds"),
        *("maxRevokeSerialNumbers", "maxUsers", "maxNotificationLength", "maxMdmIdLength"),
        *("maxMdmNameLength", "maxMdmMetadataLength", "maxRequestPerSecond"),
    ]

    limits = reading.service_config({"limits": dict.fromkeys(names, 7)}).limits

    assert limits == Limits(*[7] * len(names))


def test_a_full_client_config_keeps_its_secret() -> None:
    data = {
        "uId": 2049025000431439,
        "locationName": "Lindenhof",
        "countryISO2ACode": "DE",
        "defaultPlatform": "volumestore",
        "websiteURL": "https://school.apple.com",
        "tokenExpirationDate": "2027-05-01T10:11:12+0000",
        "mdmInfo": {"id": "ours", "name": "Dashboard", "metadata": "{}"},
        "notificationUrl": "https://mdm.example/n",
        "notificationAuthToken": "open-sesame",
        "subscribedNotificationTypes": ["ASSET_COUNT"],
    }

    config = reading.client_config(data)

    assert config == ClientConfig(
        uid="2049025000431439",
        location_name="Lindenhof",
        country="DE",
        default_platform="volumestore",
        website_url="https://school.apple.com",
        token_expires_at=datetime(2027, 5, 1, 10, 11, 12, tzinfo=UTC),
        mdm_info=MdmInfo("ours", "Dashboard", "{}"),
        notification_url="https://mdm.example/n",
        notification_auth_token="open-sesame",
        notification_types=("ASSET_COUNT",),
    )
    assert "open-sesame" not in repr(config)


def test_a_bare_client_config_needs_only_its_location() -> None:
    assert reading.client_config({"uId": "1"}) == ClientConfig(
        "1", "", "", "", "", None, None, None, None, ()
    )
    with pytest.raises(errors.Unavailable):
        reading.client_config({})


def test_values_that_nobody_could_keep_are_reported_by_the_fast_road_too() -> None:
    plain = {"adamId": "1", "pricingParam": "STDQ", "serialNumber": "S1"}
    odd = [
        plain | {"serialNumber": "S" * 256},
        plain | {"serialNumber": "S\x00"},
        plain | {"adamId": "1" * 21},
    ]

    page = reading.assignment_page({"assignments": [plain, *odd]}, 0)

    assert [row.serial_number for row in page.rows] == ["S1"]
    assert [each.reason for each in page.unreadable] == [
        "serialNumber has more than 255 characters or a NUL",
        "serialNumber has more than 255 characters or a NUL",
        "adamId has more than 20 characters or a NUL",
    ]


def test_a_count_beyond_32_bits_is_reported() -> None:
    page = reading.asset_page({"assets": [{"adamId": "1", "totalCount": 2**31}]}, 0)

    assert [each.reason for each in page.unreadable] == ["totalCount is beyond 32 bits"]
