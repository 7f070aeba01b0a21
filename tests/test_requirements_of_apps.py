"""What an app asks of a device before a license is spent on it."""

from __future__ import annotations

import pytest

from apps_catalog.models import App
from apps_catalog.reasons import Reason
from apps_catalog.requirements import (
    AppFacts,
    DeviceFacts,
    is_older,
    is_silent,
    version_of,
    why_not,
)

IOS, MACOS, TVOS = AppFacts("iOS"), AppFacts("macOS"), AppFacts("tvOS")


@pytest.mark.parametrize(
    ("app", "device", "method", "reason"),
    [
        (IOS, DeviceFacts("iOS", "9.0"), "device", None),
        (IOS, DeviceFacts("iOS", "8.4.1"), "device", Reason.OS_WITHOUT_DEVICE_LICENSES),
        (IOS, DeviceFacts("iOS", "8.4.1"), "user", None),
        (IOS, DeviceFacts("iOS", "6.1"), "user", Reason.OS_WITHOUT_USER_LICENSES),
        (IOS, DeviceFacts("iOS", "6.1"), "none", None),
        (IOS, DeviceFacts("iPadOS", "13.1"), "device", None),
        (IOS, DeviceFacts("visionOS", "1.0"), "device", None),
        (IOS, DeviceFacts("macOS", "15.0"), "device", Reason.PLATFORM),
        (MACOS, DeviceFacts("macOS", "10.10.5"), "device", Reason.OS_WITHOUT_DEVICE_LICENSES),
        (MACOS, DeviceFacts("macOS", "10.11"), "device", None),
        (MACOS, DeviceFacts("macOS", "10.8.5"), "user", Reason.OS_WITHOUT_USER_LICENSES),
        (TVOS, DeviceFacts("tvOS", "8.0"), "device", Reason.OS_WITHOUT_DEVICE_LICENSES),
        (TVOS, DeviceFacts("tvOS", "18.0"), "device", None),
        (IOS, DeviceFacts("iOS", "", has_serial=False), "device", Reason.NO_SERIAL),
        (IOS, DeviceFacts("iOS", "", has_serial=False), "user", None),
        (IOS, DeviceFacts("iOS", ""), "device", None),
        (IOS, DeviceFacts("iOS", "beta"), "device", None),
        (AppFacts("iOS", "15.0"), DeviceFacts("iOS", "14.8.1"), "device", Reason.OS_TOO_OLD),
        (AppFacts("iOS", "15.0"), DeviceFacts("iOS", "15"), "device", None),
        (AppFacts("iOS", "15.0"), DeviceFacts("iOS", ""), "device", None),
        (AppFacts("iOS", "15.0"), DeviceFacts("visionOS", "2.0"), "device", None),
        (AppFacts("iOS", is_gone=True), DeviceFacts("iOS", "26.1"), "none", Reason.STORE_GONE),
        (
            AppFacts("iOS", device_assignable=False),
            DeviceFacts("iOS", "26.1"),
            "device",
            Reason.NOT_FOR_DEVICES,
        ),
        (AppFacts("iOS", device_assignable=False), DeviceFacts("iOS", "26.1"), "user", None),
    ],
)
def test_what_is_in_the_way(
    app: AppFacts, device: DeviceFacts, method: str, reason: Reason | None
) -> None:
    assert why_not(app, device, method) == reason


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("26.1", (26, 1)),
        ("9.3.5", (9, 3, 5)),
        ("15.0.0", (15,)),
        (" 14.2 (18B92)", (14, 2)),
        ("0", (0,)),
        ("", ()),
        ("unknown", ()),
        ("٢٦", ()),
        ("9" * 5000, (999_999,)),
    ],
)
def test_versions_are_read_by_their_numbers(text: str, version: tuple[int, ...]) -> None:
    assert version_of(text) == version


def test_versions_are_compared_as_numbers() -> None:
    assert is_older("9.3.5", "26.1")
    assert not is_older("26.1", "9.3.5")
    assert not is_older("15", "15.0")


def test_only_supervised_devices_and_macs_install_without_asking() -> None:
    assert is_silent(DeviceFacts("iOS", supervised=True))
    assert is_silent(DeviceFacts("macOS"))
    assert not is_silent(DeviceFacts("iPadOS"))


@pytest.mark.parametrize(
    ("platform", "platforms", "minimum"),
    [
        ("iOS", ["iOS", "macOS"], "16.0"),
        ("macOS", ["iOS", "macOS"], ""),  # what iPhones need says nothing of a Mac
        ("macOS", ["macOS"], "16.0"),
        ("tvOS", ["tvOS"], "16.0"),
    ],
)
def test_the_minimum_counts_for_the_platform_that_the_store_means(
    platform: str, platforms: list[str], minimum: str
) -> None:
    app = App(platforms=platforms, minimum_os="16.0")

    assert AppFacts.of(platform, app).minimum_os == minimum
