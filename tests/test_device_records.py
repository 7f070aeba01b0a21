"""What a source says of a device, in the form that we keep; and which source is believed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.devices.records import (
    RANKS,
    DeviceRecord,
    RecordWrong,
    checked,
    may_say,
    platform_of,
)
from organizations.refusals import Refusal


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("iOS", "iOS"),
        ("ipados", "iPadOS"),
        ("MACOS", "macOS"),
        ("Mac OS X", "macOS"),
        ("OS X", "macOS"),
        ("tvos", "tvOS"),
        ("watchOS", "watchOS"),
        ("visionos", "visionOS"),
        ("iPad Air (5th generation)", "iPadOS"),
        ("iPhone 15 Pro", "iOS"),
        ("iPod touch", "iOS"),
        ("MacBook Pro", "macOS"),
        ("iMac", "macOS"),
        ("Apple TV 4K", "tvOS"),
        ("AppleTV11,1", "tvOS"),
        ("Apple Watch SE", "watchOS"),
        ("Apple Vision Pro", "visionOS"),
        ("Windows 11", None),
        ("", None),
    ],
)
def test_platforms_by_their_names_and_by_models(text: str, platform: str | None) -> None:
    assert platform_of(text) == platform


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"platform": "iPadOS 17.2"}, ("iPadOS", "17.2")),
        ({"platform": "iOS", "model": "iPad Air"}, ("iPadOS", None)),
        ({"os_version": "Mac OS X 10.15.7"}, ("macOS", "10.15.7")),
        ({"platform": "macOS", "os_version": "macOS 14.1 (23B74)"}, ("macOS", "14.1 (23B74)")),
        ({"platform": "Apple TV 4K"}, ("tvOS", None)),
        ({"os_version": "Version 3"}, (None, "Version 3")),
        ({"model": "iPad Air"}, (None, None)),
        ({"os_version": ""}, (None, "")),
    ],
)
def test_systems_and_their_versions(said: dict[str, Any], kept: tuple[Any, Any]) -> None:
    record = checked(DeviceRecord(serial_number="DMQ1", **said), source="csv")

    assert (record.platform, record.os_version) == kept


def test_what_is_said_is_brought_into_its_usual_form() -> None:
    sent = DeviceRecord(
        serial_number=" dmq 1x ",
        name="  Cart   1 ",
        owner_email=" ann@example.org ",
        tags=("cart", "Cart", " grade-4 "),
    )

    assert checked(sent, source="api") == DeviceRecord(
        serial_number="DMQ1X",
        name="Cart 1",
        owner_email="ann@example.org",
        tags=("cart", "grade-4"),
    )


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"serial_number": None}, "The serial number is missing."),
        ({"serial_number": "DMQ-1"}, "“DMQ-1” is no serial number"),
        ({"serial_number": "A" * 33}, "is no serial number: those have up to 32 letters"),
        ({"name": "n" * 201}, "The name has more than 200 characters. Shorten it."),
        ({"os_version": "1" * 21}, "The OS version has more than 20 characters. Shorten it."),
        ({"platform": "Windows"}, "“Windows” is no platform. Give one of iOS, iPadOS, macOS"),
        ({"owner_email": "ann"}, "“ann” is no e-mail address of an owner."),
        ({"owner_email": f"{'a' * 250}@example.org"}, "is no e-mail address of an owner."),
        ({"tags": ("two words",)}, "“two words” has a space in it."),
        ({"tags": tuple(f"{n:0100}" for n in range(20))}, "The tags have more than 2,000"),
        ({"enrollment": "odd"}, "“odd” is no kind of enrollment. Give one of device, automated"),
        ({"name": "a\0b"}, "A control character is in this record."),
        ({"tags": ("a\0b",)}, "A control character is in this record."),
        ({"problem": "Already wrong."}, "Already wrong."),
    ],
)
def test_what_is_wrong_is_refused(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refused:
        checked(DeviceRecord(**{"serial_number": "DMQ1"} | said), source="api")

    assert sentence in str(refused.value)


def test_only_a_device_itself_may_hide_its_serial_number() -> None:
    hidden = DeviceRecord(udid="00008030-1")

    assert checked(hidden, source="channel") == hidden
    with pytest.raises(RecordWrong):
        checked(hidden, source="api")


@pytest.mark.parametrize(
    ("held", "may"),
    [
        ("channel", ["channel"]),
        ("api", ["api", "channel"]),
        ("csv", ["page", "csv", "api", "channel"]),
        ("page", ["page", "csv", "api", "channel"]),
        ("", ["page", "csv", "api", "channel"]),
    ],
)
def test_who_may_change_what_somebody_said(held: str, may: list[str]) -> None:
    sources = {"name": held} if held else {}

    assert [source for source in RANKS if may_say("name", sources, source)] == may


@given(st.builds(DeviceRecord, **dict.fromkeys(("serial_number", "name", "platform"), st.text())))
def test_what_was_checked_once_stays_as_it_is(record: DeviceRecord) -> None:
    try:
        once = checked(record, source="csv")
    except RecordWrong:
        return

    assert checked(once, source="csv") == once
