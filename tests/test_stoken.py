"""Reading a service token, and naming what else people upload."""

import base64
import json
from datetime import UTC, datetime

import pytest

from vpp_accounts import stoken
from vpp_accounts.stoken import TokenRefusal

CONTENT = {
    "token": "bG9jYXRpb24=",
    "expDate": "2027-05-01T10:11:12+0000",
    "orgName": "Example Schools",
}


def encoded(**changes: object) -> str:
    content = {key: value for key, value in (CONTENT | changes).items() if value is not None}
    return base64.b64encode(json.dumps(content, indent=1).encode()).decode()


def test_the_whole_base64_text_is_the_credential() -> None:
    text = encoded()

    token = stoken.parse(text)

    assert (token.text, token.org_name, token.expires_at) == (
        text,
        "Example Schools",
        datetime(2027, 5, 1, 10, 11, 12, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text + "\n",
        lambda text: "\ufeff" + text,
        lambda text: ("\ufeff" + text).encode(),
        lambda text: text.encode("utf-16"),
        lambda text: "\r\n".join(text[i : i + 64] for i in range(0, len(text), 64)),
        lambda text: f"  {text}\t",
    ],
    ids=["newline", "bom", "bom in bytes", "utf-16", "wrapped", "blanks"],
)
def test_what_editors_and_mail_do_to_a_file_does_no_harm(damage) -> None:
    text = encoded()

    assert stoken.parse(damage(text)).text == text


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2027-05-01T10:11:12-0700", datetime(2027, 5, 1, 17, 11, 12, tzinfo=UTC)),
        ("2027-05-01T10:11:12+02:00", datetime(2027, 5, 1, 8, 11, 12, tzinfo=UTC)),
        ("2027-05-01T10:11:12Z", datetime(2027, 5, 1, 10, 11, 12, tzinfo=UTC)),
    ],
)
def test_every_way_of_writing_the_zone_is_read(written: str, moment: datetime) -> None:
    assert stoken.parse(encoded(expDate=written)).expires_at == moment


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("", "VPP service token can't be blank"),
        (b" \n ", "VPP service token can't be blank"),
        ("not a token!", "it is not Base64 text"),
        (encoded()[:-3] + "A", "cut off"),
        (base64.b64encode(b"not json at all!").decode(), "there is no JSON in it"),
        (base64.b64encode(b"[1, 2]").decode(), "its JSON is not an object"),
        (encoded(token=None), "has no “token” in it"),
        (encoded(token=""), "has no “token” in it"),
        (encoded(expDate=None), "has no “expDate” in it"),
        (encoded(expDate="next year"), "“next year” is not a date"),
        (encoded(expDate="2027-05-01T10:11:12"), "has no time zone"),
        (json.dumps(CONTENT), "decoded content of a token"),
        (
            b"Content-Type: application/pkcs7-mime; name=smime.p7m\n\nMIIB",
            "Automated Device Enrollment (.p7m)",
        ),
        (b"-----BEGIN CERTIFICATE-----\nMIIB", "push certificate"),
        (b"\x30\x82\x01\x02", "certificate or key file"),
        (b"PK\x03\x04", "ZIP or Office file"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "binary file"),
        ("<!doctype html>", "web page"),
        ("A" * 70_000, "too large"),
    ],
)
def test_what_is_not_a_service_token_is_named(data: str | bytes, sentence: str) -> None:
    with pytest.raises(TokenRefusal) as refusal:
        stoken.parse(data)

    assert sentence in str(refusal.value)


def test_the_secret_is_not_in_a_repr() -> None:
    token = stoken.parse(encoded())

    assert token.text not in repr(token)
