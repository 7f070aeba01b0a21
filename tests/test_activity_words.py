"""Audit events in words: every action has its phrase, every change is told."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from licensing.models.apps import UNLIMITED
from licensing.tables.actions import ACTIONS
from licensing.tables.words import action_words, details
from organizations.models import AuditEvent

APPS = ("apps_catalog", "licensing", "organizations", "users", "vpp_accounts")
ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
IN_SQL = re.compile(r"'(?!vpp\.)([a-z_]+\.[a-z_]+)'")  # vpp.…: settings of a session
RECORDERS = ("record", "record_everywhere", "record_in", "event_of", "_record", "_event")
VIENNA = ZoneInfo("Europe/Vienna")


@pytest.mark.parametrize(
    ("action", "before", "after", "told"),
    [
        ("assignment.found", None, {"holder": "DMQ1", "kind": "device"}, ["Device DMQ1"]),
        ("assignment.gone", {"holder": "a-1", "kind": "user"}, None, ["Client user ID a-1"]),
        (
            "assignment.granted",
            None,
            {"holder": "DMQ1", "kind": "device", "batch": 7},
            ["Device DMQ1", "Batch #7"],
        ),
        (
            "assignment.revoked",
            {"holder": "a-1", "kind": "user", "batch": 8},
            None,
            ["Client user ID a-1", "Batch #8"],
        ),
        (
            "assignment.taken_off_the_list",
            None,
            {"holders": ["DMQ1", "DMQ2"], "count": 40},
            ["DMQ1, DMQ2 and 38 more"],
        ),
        (
            "assignment.priority_changed",
            None,
            {"holders": ["DMQ1"], "count": 1, "step": -1},
            ["DMQ1", "Priority -1"],
        ),
        (
            "batch.started",
            None,
            {"kind": "grant", "about": "Keynote · 2,000 devices", "go": 1900, "skipped": 100},
            ["Grant: Keynote · 2,000 devices", "1,900 to be sent, 100 skipped"],
        ),
        (
            "batch.finished",
            None,
            {"kind": "revoke", "about": "Keynote · 40 devices", "succeeded": 38, "failed": 2},
            ["Revoke: Keynote · 40 devices", "38 succeeded, 2 failed"],
        ),
        (
            "batch.cancelled",
            None,
            {"about": "Keynote · 40 devices", "cancelled": 12},
            ["Keynote · 40 devices", "12 cancelled"],
        ),
        ("title.found", None, {"total": 1200, "assigned": 8}, ["Total 1,200, assigned 8"]),
        (
            "title.found",
            None,
            {"total": UNLIMITED, "assigned": 8, "available": UNLIMITED},
            ["Total unlimited, assigned 8"],
        ),
        (
            "title.changed",
            {"total": 10, "assigned": 4, "available": 6},
            {"total": 12, "assigned": 4, "available": 8},
            ["Total 10 → 12, assigned 4, available 6 → 8"],
        ),
        ("title.gone", None, {"total": 0, "assigned": 0, "available": 0}, []),
        ("vpp_account.synced", None, {"titlesAdded": 2}, ["2 titles added"]),
        ("vpp_account.sync_requested", None, {"trigger": "manual"}, ["Started by: Sync now"]),
        (
            "vpp_account.state_changed",
            {"state": "in_sync"},
            {"state": "expired", "reason": "The service token has expired."},
            ["State: In sync → Expired", "Reason: The service token has expired."],
        ),
        (
            "vpp_account.state_changed",
            {"state": "syncing"},
            {"state": "in_sync", "reason": ""},
            ["State: Syncing → In sync"],
        ),
        (
            "vpp_account.renewed",
            {"expires": "2026-11-22T23:30:00+00:00"},
            {"expires": "2027-11-22T08:00:00+00:00"},
            ["Valid until: 23 Nov 2026 → 22 Nov 2027"],
        ),
        (
            "vpp_account.edited",
            {"name": "North", "allowedAdmins": "all", "namedAdmins": []},
            {"name": "North", "allowedAdmins": "named", "namedAdmins": ["a@b.c", "d@e.f"]},
            [
                "Allowed admins: All organization admins → These admins",
                "These admins: none → a@b.c, d@e.f",
            ],
        ),
        ("vpp_account.removed", {"name": "North", "email": "a@b.c"}, None, []),
        ("vpp_account.taken_over", {"mdm": "Other MDM"}, None, ["Until then with: Other MDM"]),
        (
            "network.deleted",
            {"name": "Lakeside"},
            {"devicesMoved": 1, "movedTo": "Hillside"},
            ["1 device moved to Hillside"],
        ),
        ("network.deleted", {"name": "Lakeside"}, None, []),
        (
            "people.imported",
            None,
            {"import": "5f1a", "account": "North", "new": 1200, "update": 3, "error": 2},
            ["1,200 new, 3 updated, 2 with an error left out", "To North"],
        ),
        ("people.imported", None, {"import": "5f1a", "missing": 2}, ["2 no longer in the list"]),
        (
            "api_key.created",
            None,
            {"admin": "a@b.c", "readOnly": True},
            ["Admin: a@b.c", "Read only: yes"],
        ),
    ],
)
def test_changes_are_told_in_words(
    action: str, before: dict[str, Any] | None, after: dict[str, Any] | None, told: list[str]
) -> None:
    event = AuditEvent(action=action, before=before, after=after)

    assert [str(detail) for detail in details(event, VIENNA)] == told


def test_every_action_of_the_code_has_a_phrase_and_no_phrase_is_left_over() -> None:
    recorded = {action for app in APPS for action in actions_recorded_in(app)}

    assert recorded == set(ACTIONS)


def test_an_action_of_another_release_is_told_as_it_is() -> None:
    assert action_words(AuditEvent(action="vpp_user.invited")) == "Vpp user invited"


def actions_recorded_in(app: str) -> Iterator[str]:
    for path in (settings.BASE_DIR / app).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            yield from actions_of(node)


def actions_of(node: ast.AST) -> Iterator[str]:
    """What is handed to a function that records, named `action`, or quoted in SQL."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        given = node.args if name in RECORDERS else []
        named = [keyword.value for keyword in node.keywords if keyword.arg == "action"]
        texts = [n.value for n in (*given, *named) if isinstance(n, ast.Constant)]
        yield from (text for text in texts if isinstance(text, str) and ACTION.fullmatch(text))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from IN_SQL.findall(node.value)
