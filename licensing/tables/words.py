"""Audit events in words: what happened, and what it changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.utils import formats

from licensing.models import Assignment, BatchKind
from licensing.models.apps import UNLIMITED
from organizations.models import AuditEvent, OrganizationAccess
from vpp_accounts.models import AccountState, AllowedAdmins, AssignableNetworks, SyncRun

# Every action that is recorded anywhere; a test compares this with the code.
ACTIONS = {
    "admin.added": "Administrator added",
    "admin.alarms_switched": "Alarms by mail switched on or off",
    "api_key.created": "API key created",
    "assignment.found": "License assigned at Apple",
    "assignment.gone": "License no longer assigned at Apple",
    "assignment.granted": "License granted",
    "assignment.priority_changed": "Order of the waiting list changed",
    "assignment.revoked": "License revoked",
    "assignment.taken_off_the_list": "Taken off the waiting list",
    "batch.cancelled": "Batch cancelled",
    "batch.finished": "Batch finished",
    "batch.started": "Batch started",
    "invitation_settings.edited": "Invitation mails changed",
    "invitation.link_made": "Invitation link copied",
    "invitation.link_renewed": "New invitation link, earlier ones are void",
    "invitation.withdrawn": "Invitation withdrawn",
    "network.added": "Network added",
    "network.deleted": "Network deleted",
    "network.edited": "Network changed",
    "organization.created": "Organization created",
    "people.imported": "People imported from a file",
    "owner.added": "Owner added",
    "owner.deleted": "Owner deleted",
    "owner.edited": "Owner changed",
    "owner.merged": "Two owners merged into one",
    "tag.added": "Tag added",
    "title.changed": "Licenses changed at Apple",
    "title.found": "Title found at Apple",
    "title.gone": "Title no longer listed by Apple",
    "title.low": "Title is low on licenses",
    "title.low_threshold_set": "Threshold of licenses changed",
    "title.recovered": "Title has enough licenses again",
    "vpp_account.added": "VPP account added",
    "vpp_account.claimed": "Location marked at Apple as managed here",
    "vpp_account.edited": "VPP account changed",
    "vpp_account.notifications_retried": "Failed notifications of Apple taken up again",
    "vpp_account.notifications_ended": "Apple's notifications switched off after the removal",
    "vpp_account.notifications_not_ended": "Apple's notifications could not be switched off",
    "vpp_account.notifications_off": "Apple notifies no longer: polling only",
    "vpp_account.notifications_on": "Apple's notifications switched on",
    "vpp_account.removed": "VPP account removed",
    "vpp_account.renewed": "Service token updated",
    "vpp_account.state_changed": "State changed",
    "vpp_account.sync_requested": "Sync requested",
    "vpp_account.synced": "Changes read from Apple",
    "vpp_account.taken_over": "Location taken over from another MDM",
    "vpp_settings.low_threshold_set": "Default threshold of licenses changed",
    "vpp_user.added": "Person added to a VPP account",
    "vpp_user.edited": "Person changed",
}
LABELS = {
    "allowedNetworks": "Admins of these networks",
    "assignableNetworkList": "These networks",
    "expires": "Valid until",
    "lowThreshold": "Notice below",
    "managedAppleAccount": "Managed Apple Account",
    "mdm": "Until then with",
    "mdmInfo": "As MDM",
    "namedAdmins": "These admins",
    "trigger": "Started by",
    "wantsAlarms": "Alarms by mail",
}
CHOICES: dict[str, Mapping[Any, Any]] = {
    "access": dict(OrganizationAccess.choices),
    "allowedAdmins": dict(AllowedAdmins.choices),
    "assignableNetworks": dict(AssignableNetworks.choices),
    "state": dict(AccountState.choices),
    "trigger": dict(SyncRun.Trigger.choices),
}
HOLDERS = {Assignment.HolderKind.DEVICE: "Device", Assignment.HolderKind.USER: "Client user ID"}

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that changed. Without `before` it is simply so; `what` may go unsaid."""

    what: str
    before: str
    after: str

    def __str__(self) -> str:
        change = f"{self.before} → {self.after}" if self.before else self.after
        return f"{self.what}: {change}" if self.what else change


def action_words(event: AuditEvent) -> str:
    """“License assigned at Apple”; the action itself where an older release recorded it."""
    return ACTIONS.get(event.action) or spaced(event.action.replace(".", " "))


def details(event: AuditEvent, zone: tzinfo) -> list[Detail]:
    before, after = event.before or {}, event.after or {}
    tell = TELLERS.get(event.action)
    if tell:
        return [Detail("", "", text) for text in tell(before, after) if text]
    return compared(before, after, zone)


def compared(before: Facts, after: Facts, zone: tzinfo) -> list[Detail]:
    """Name by name what differs; with one side only, what was or became so."""
    if before and after:
        names = [*before, *(name for name in after if name not in before)]
        return [detail for name in names if (detail := difference(name, before, after, zone))]
    return [
        Detail(label(name), "", text)
        for name, value in (before or after).items()
        if name != "name" and (text := in_words(name, value, zone))  # the target says its name
    ]


def difference(name: str, before: Facts, after: Facts, zone: tzinfo) -> Detail | None:
    was, now = (in_words(name, facts.get(name), zone) for facts in (before, after))
    if was == now:
        return None
    return Detail(label(name), was or ("none" if name in before else ""), now or "none")


def assigned(before: Facts, after: Facts) -> list[str]:
    """“Device C02XK1”: assigned or no longer is what the action says."""
    told = after or before
    by_others = told.get("origin") == Assignment.Origin.OTHER_MDM
    return [
        f"{HOLDERS.get(told.get('kind', ''), 'Holder')} {told.get('holder', '')}".strip(),
        "Granted by another MDM" if by_others else "",
    ]


def given(before: Facts, after: Facts) -> list[str]:
    """“Device C02XK1”, “Batch #12”."""
    batch = (after or before).get("batch")
    return [*assigned(before, after), f"Batch #{batch}" if batch else ""]


def queued(before: Facts, after: Facts) -> list[str]:
    """“DMQ1, DMQ2 and 38 more”, “Priority +1”."""
    named, step = after.get("holders", []), after.get("step", 0)
    more = after.get("count", len(named)) - len(named)
    who = ", ".join(named) + (f" and {more:,} more" if more else "")
    return [who, f"Priority {step:+d}" if step else ""]


def of_batch(before: Facts, after: Facts) -> list[str]:
    """“Grant: Keynote · 40 devices”, “38 succeeded, 2 failed”."""
    kind = dict(BatchKind.choices).get(after.get("kind", ""), "")
    what = ": ".join(filter(None, (kind, after.get("about", ""))))
    return [what, batch_counts(after), after.get("why", "")]


def batch_counts(counts: Facts) -> str:
    told = (f"{counts[name]:,} {words}" for name, words in BATCH_COUNTS.items() if counts.get(name))
    return ", ".join(told)


def counted(before: Facts, after: Facts) -> list[str]:
    """“Total 10 → 12, assigned 8, available 4”."""
    told = [
        f"{name} {quantity(before.get(name), after[name])}"
        for name in ("total", "assigned", "available")
        if name in after
    ]
    return [", ".join(told).capitalize()]


def left(before: Facts, after: Facts) -> list[str]:
    """“3 left, notice below 5”."""
    threshold = after.get("threshold")
    below = "" if threshold is None else f", notice below {threshold:,}"
    return [f"{after.get('available', 0):,} left{below}"]


def had(before: Facts, after: Facts) -> list[str]:
    """Of a title that is gone all counts are zero, which says nothing."""
    return counted({}, before)


def read(before: Facts, after: Facts) -> list[str]:
    return [counts_in_words(after)]


def imported(before: Facts, after: Facts) -> list[str]:
    """“40 new, 2 updated, 1 with an error”, “To North”."""
    told = ", ".join(
        f"{after[name]:,} {words}" for name, words in IMPORTED.items() if name in after
    )
    return [told, f"To {after['account']}" if "account" in after else ""]


def moved(before: Facts, after: Facts) -> list[str]:
    number = after.get("devicesMoved", 0)
    if not number:
        return []
    return [f"{number:,} device{'' if number == 1 else 's'} moved to {after.get('movedTo')}"]


IMPORTED = {
    "new": "new",
    "update": "updated",
    "error": "with an error left out",
    "missing": "no longer in the list",
}

# At its start a batch says how many are to `go`, at its end what became of them.
BATCH_COUNTS = {
    "go": "to be sent",
    "succeeded": "succeeded",
    "failed": "failed",
    "waiting": "waiting for a license",
    "skipped": "skipped",
    "cancelled": "cancelled",
}

TELLERS: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "assignment.found": assigned,
    "assignment.gone": assigned,
    "assignment.granted": given,
    "assignment.priority_changed": queued,
    "assignment.revoked": given,
    "assignment.taken_off_the_list": queued,
    "batch.cancelled": of_batch,
    "batch.finished": of_batch,
    "batch.started": of_batch,
    "network.deleted": moved,
    "people.imported": imported,
    "title.changed": counted,
    "title.found": counted,
    "title.gone": had,
    "title.low": left,
    "title.recovered": left,
    "vpp_account.removed": lambda before, after: [],
    "vpp_account.synced": read,
}


def quantity(before: int | None, after: int) -> str:
    numbers = [number for number in (before, after) if number is not None]
    return " → ".join(dict.fromkeys("unlimited" if n >= UNLIMITED else f"{n:,}" for n in numbers))


def counts_in_words(counts: Mapping[str, int]) -> str:
    """`{"titlesAdded": 2, "usersGone": 1}` → “2 titles added, 1 user gone”."""
    told = ((count, spaced(what).lower()) for what, count in counts.items() if count)
    return ", ".join(f"{count:,} {_one(what) if count == 1 else what}" for count, what in told)


def _one(what: str) -> str:
    """“titles added” → “title added”."""
    return re.sub(r"^(title|assignment|user)s ", r"\1 ", what)


def label(name: str) -> str:
    return LABELS.get(name) or spaced(name)


def spaced(name: str) -> str:
    """`timeZone` and `time_zone` → “Time zone”."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower()
    return words[:1].upper() + words[1:]


def in_words(name: str, value: Any, zone: tzinfo) -> str:
    match value:
        case None | "" | []:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(str(item) for item in value)
        case str() if name == "expires":
            return formats.date_format(datetime.fromisoformat(value).astimezone(zone), "j M Y")
    return str(CHOICES.get(name, {}).get(value, value))
