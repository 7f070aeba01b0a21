"""A preview in sentences: who has a license, who gets one, who cannot, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps_catalog.reasons import Reason
from licensing.automation.preview import Draft, Preview

# As they stand in brackets after a number; the whole sentence is on the row of each device.
SHORT: Mapping[Reason, str] = {
    Reason.NO_SERIAL: "no serial number",
    Reason.PLATFORM: "other platform",
    Reason.OS_TOO_OLD: "system too old for the app",
    Reason.OS_WITHOUT_DEVICE_LICENSES: "system too old for device licenses",
    Reason.OS_WITHOUT_USER_LICENSES: "system too old for user licenses",
    Reason.STORE_GONE: "no longer in the App Store",
    Reason.NO_OWNER: "no owner",
    Reason.OWNER_NOT_IN_ACCOUNT: "owner not in the VPP account",
    Reason.OWNER_RETIRED: "owner retired",
    Reason.NO_ACCOUNT: "no VPP account chosen",
    Reason.NOT_BOUGHT: "no license bought",
    Reason.NOT_FOR_DEVICES: "not device-assignable",
    Reason.BOOK: "a book",
    Reason.NETWORK: "network not assignable",
    Reason.ACCOUNT_STOPPED: "VPP account stopped",
    Reason.PAUSED: "paused",
    Reason.LICENSE_FAILED: "refused by Apple",
    Reason.NO_CODE: "no code left",
}


def headline(draft: Draft, preview: Preview) -> str:
    """“In scope 40: 28 licensed, 10 will get one, 2 cannot (no serial number).”"""
    if not preview.devices:
        return "No device is in scope."
    start = f"In scope {preview.devices:,}"
    if draft.is_for_people:
        start += f", of {preview.in_scope:,} owner{'' if preview.in_scope == 1 else 's'}"
    parts = _parts(preview)
    return f"{start}: {', '.join(parts)}." if parts else f"{start}. No license is needed."


def _parts(preview: Preview) -> list[str]:
    parts = [
        (preview.held, "licensed"),
        (preview.will_get, "will get one"),
        (preview.waits, "wait for one" if preview.waits > 1 else "waits for one"),
        (preview.asks, "get one when an install is asked for"),
        (preview.cannot_count, f"cannot ({_reasons(preview.cannot)})"),
    ]
    return [f"{number:,} {words}" for number, words in parts if number]


def _reasons(cannot: Mapping[Reason, int]) -> str:
    """With numbers where there are several."""
    named = [(number, short(reason)) for reason, number in cannot.items() if number]
    if len(named) == 1:
        return named[0][1]
    return ", ".join(f"{number:,} {words}" for number, words in named)


def short(reason: Reason) -> str:
    return SHORT.get(reason) or reason.sentence.rstrip(".")


def shortage(preview: Preview) -> str:
    """“Needs 40, has 32: 8 wait.”, with what would help."""
    if not preview.waits:
        return ""
    has = preview.held + preview.will_get
    wait = "waits" if preview.waits == 1 else "wait"
    price = f" {preview.cost_text}." if preview.cost_text else ""
    return f"Needs {has + preview.waits:,}, has {has:,}: {preview.waits:,} {wait}.{price}"


def consequences(draft: Draft, preview: Preview) -> list[str]:
    """What saving leads to."""
    told = []
    if preview.will_get:
        told.append(f"{_licenses(preview.will_get)} granted.")
    if preview.will_revoke:
        told.append(f"{_licenses(preview.will_revoke)} taken back {_when(draft.grace_days)}.")
    if preview.needs_decision:
        told.append("Those are so many that somebody is asked first, here on this page.")
    if preview.leaving and not preview.will_revoke:
        told.append(f"{_devices(preview.leaving)} the scope and {_keep(preview.leaving)}.")
    if preview.kept_by_hand:
        told.append(f"{_by_hand(preview.kept_by_hand)}.")
    return told


def _by_hand(number: int) -> str:
    stay = "license stays" if number == 1 else "licenses stay"
    return f"{number:,} {stay}, because a person granted {'it' if number == 1 else 'them'}"


def saved(draft: Draft, preview: Preview) -> str:
    """After `Save Changes`: the same in one message."""
    told = [headline(draft, preview), *consequences(draft, preview)]
    return " ".join(told)


def _licenses(number: int) -> str:
    return f"{number:,} license{' is' if number == 1 else 's are'}"


def _when(days: int) -> str:
    if not days:
        return "at once"
    return f"after {days} day{'' if days == 1 else 's'}"


def _devices(number: int) -> str:
    return f"{number:,} device{' leaves' if number == 1 else 's leave'}"


def _keep(number: int) -> str:
    return "keeps its license" if number == 1 else "keep their licenses"


def preview_json(preview: Preview) -> dict[str, Any]:
    """As programs are told."""
    return {
        "inScope": preview.in_scope,
        "licensed": preview.held,
        "willGet": preview.will_get,
        "waiting": preview.waits,
        "whenAsked": preview.asks,
        "cannot": {reason.value: number for reason, number in preview.cannot.items()},
        "leaving": preview.leaving,
        "willRevoke": preview.will_revoke,
        "keptByHand": preview.kept_by_hand,
        "needsDecision": preview.needs_decision,
        "free": {str(pk): number for pk, number in preview.free.items()},
        "shortBy": preview.short_by,
        "cost": None if preview.cost is None else str(preview.cost),
        "transfers": list(preview.transfers),
        "notices": list(preview.notices),
        "asOf": preview.as_of,
    }
