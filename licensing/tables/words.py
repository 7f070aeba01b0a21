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
from licensing.tables.actions import ACTIONS
from organizations.models import AuditEvent, OrganizationAccess
from vpp_accounts.models import AccountState, AllowedAdmins, AssignableNetworks, SyncRun

LABELS = {
    "factor": "Second factor",
    "left": "Recovery codes left",
    "requiresSecondFactor": "Second factor required",
    "requiresSingleSignOn": "Single sign-on required",
    "maySkipSingleSignOn": "May skip single sign-on",
    "certificates": "Certificates, SHA-256",
    "clientId": "Client ID",
    "emailAttribute": "E-mail attribute",
    "emailDomains": "E-mail domains",
    "entityId": "Entity ID",
    "managesAddresses": "Manages the e-mail addresses",
    "signInUrl": "Sign-in address",
    "subject": "Account at the provider",
    "calledName": "Name",
    "allowedNetworks": "Admins of these networks",
    "assignableNetworkList": "These networks",
    "expires": "Valid until",
    "goes": "Events that go with it",
    "keptMonths": "Months kept",
    "lowThreshold": "Notice below",
    "managedAppleAccount": "Managed Apple Account",
    "mdm": "Until then with",
    "mdmInfo": "As MDM",
    "namedAdmins": "These admins",
    "opens": "Opens",
    "trigger": "Started by",
    "wantsAlarms": "Alarms by mail",
}
CHOICES: dict[str, Mapping[Any, Any]] = {
    "access": dict(OrganizationAccess.choices),
    "allowedAdmins": dict(AllowedAdmins.choices),
    "assignableNetworks": dict(AssignableNetworks.choices),
    "opens": {"all": "all organizations of the admin", "this": "this organization"},
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


def reclaimed(before: Facts, after: Facts) -> list[str]:
    """“DMQ1, DMQ2 and 38 more”, “Device deleted”, “After 7 days”."""
    told = after or before
    days = told.get("days", 0)
    wait = f"After {days:,} day{'' if days == 1 else 's'}" if days else ""
    return [*queued({}, told), told.get("cause", ""), wait, told.get("reason", "")]


def of_batch(before: Facts, after: Facts) -> list[str]:
    """“Grant: Keynote · 40 devices”, “38 succeeded, 2 failed”."""
    kind = dict(BatchKind.choices).get(after.get("kind", ""), "")
    what = ": ".join(filter(None, (kind, after.get("about", ""))))
    return [what, batch_counts(after), after.get("why", "")]


def batch_counts(counts: Facts) -> str:
    told = (f"{counts[name]:,} {words}" for name, words in BATCH_COUNTS.items() if counts.get(name))
    return ", ".join(told)


def is_unlimited(counts: Facts) -> bool:
    return bool(counts.get("total", 0) >= UNLIMITED)


def counted(before: Facts, after: Facts) -> list[str]:
    """“Total 10 → 12, assigned 8, available 4”."""
    # Of unlimited licenses Apple counts down what is left from a number that means nothing.
    names = ("total", "assigned") if is_unlimited(after) else ("total", "assigned", "available")
    told = [f"{name} {quantity(before.get(name), after[name])}" for name in names if name in after]
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


def attempted(before: Facts, after: Facts) -> list[str]:
    """“POST /organizations/1/networks/7/delete/”, and what was answered."""
    return [f"{after.get('method', '')} {after.get('path', '')}".strip(), after.get("why", "")]


def expired(before: Facts, after: Facts) -> list[str]:
    """“12,000 events from before 2026-08-23”."""
    number = after.get("number", 0)
    plural = "" if number == 1 else "s"
    return [f"{number:,} event{plural} from before {after.get('before', '')[:10]}"]


IMPORTED = {
    "new": "new",
    "update": "updated",
    "error": "with an error left out",
    "missing": "no longer in the list",
    "owners": "added as owners",
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
    "access.refused": attempted,
    "access.refused_often": lambda before, after: [],
    "audit.expired": expired,
    "assignment.found": assigned,
    "assignment.gone": assigned,
    "assignment.granted": given,
    "assignment.priority_changed": queued,
    "assignment.revoked": given,
    "assignment.taken_off_the_list": queued,
    "batch.cancelled": of_batch,
    "devices.imported": imported,
    "batch.finished": of_batch,
    "batch.started": of_batch,
    "network.deleted": moved,
    "people.imported": imported,
    "reclaim.allowed": reclaimed,
    "reclaim.kept": reclaimed,
    "reclaim.planned": reclaimed,
    "reclaim.protected": reclaimed,
    "reclaim.unprotected": reclaimed,
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
