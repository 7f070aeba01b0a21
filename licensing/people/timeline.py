"""What has happened to one person, newest first: out of their record, invitations, batches, events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from licensing.models import OPEN_ITEMS, BatchItem, BatchKind, ItemState
from licensing.titles import name_of
from organizations.models import AuditEvent
from users.models import Invitation, VppUser

APPLE = "Apple"
THEMSELVES = "The person"
ENDINGS = {
    Invitation.Ending.ACCEPTED: "",  # told by the person's own step
    Invitation.Ending.RETIRED: "",
    Invitation.Ending.WITHDRAWN: "Invitation withdrawn",
}
EVENTS = {
    "vpp_user.added": "Added",
    "vpp_user.edited": "Changed",
    "invitation.link_made": "Invitation link copied",
    "invitation.link_renewed": "New invitation link, earlier ones are void",
    "invitation.withdrawn": "Invitation withdrawn",
}
DONE = {
    BatchKind.GRANT: "License granted",
    BatchKind.REVOKE: "License revoked",
    BatchKind.REGISTER: "Registered at Apple",
    BatchKind.RETIRE: "Retired",
    BatchKind.INVITE: "Invitation sent",
    BatchKind.UPDATE: "Changed at Apple",
}
NOT_DONE = {
    BatchKind.GRANT: "License not granted",
    BatchKind.REVOKE: "License not revoked",
    BatchKind.REGISTER: "Not registered at Apple",
    BatchKind.RETIRE: "Not retired",
    BatchKind.INVITE: "Invitation not sent",
    BatchKind.UPDATE: "Not changed at Apple",
}


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    what: str
    detail: str = ""
    who: str = ""
    batch_id: int | None = None


def timeline_of(
    user: VppUser,
    invitations: Iterable[Invitation],
    items: Iterable[BatchItem],
    events: Iterable[AuditEvent],
) -> list[Happening]:
    """`items` come with their batch and title. Nothing is told twice."""
    told = [*_of_events(events), *_of_items(items)]
    known = {each.what for each in told}
    if EVENTS["vpp_user.added"] not in known:
        told.append(Happening(user.first_seen_at, "First seen here"))
    told += [each for each in _of_the_person(user) if each.what not in known]
    for invitation in invitations:
        told += [each for each in _of_invitation(invitation) if each.what not in known]
    return sorted(told, key=attrgetter("at"), reverse=True)


def _of_events(events: Iterable[AuditEvent]) -> Iterator[Happening]:
    for event in events:
        if what := EVENTS.get(event.action):
            yield Happening(event.at, what, who=event.actor_name)


def _of_items(items: Iterable[BatchItem]) -> Iterator[Happening]:
    for item in items:
        if item.state in OPEN_ITEMS:
            continue
        kind, is_done = BatchKind(item.kind), item.state == ItemState.SUCCEEDED
        title = name_of(item.licensed_app) if item.licensed_app else ""
        why = item.message if item.message or is_done else item.get_state_display()
        yield Happening(
            item.changed_at,
            (DONE if is_done else NOT_DONE)[kind],
            ": ".join(filter(None, (title, why))),
            item.batch.actor_name,
            item.batch_id,
        )


def _of_the_person(user: VppUser) -> Iterator[Happening]:
    steps = (
        (user.registered_at, DONE[BatchKind.REGISTER], APPLE),
        (user.associated_at, "Accepted: an Apple Account is associated", THEMSELVES),
        (user.retired_at, DONE[BatchKind.RETIRE], APPLE),
    )
    for at, what, who in steps:
        if at:
            yield Happening(at, what, who=who)


def _of_invitation(invitation: Invitation) -> Iterator[Happening]:
    by = invitation.actor_name
    ending = ENDINGS.get(Invitation.Ending(invitation.ending), "")
    steps = (
        (invitation.sent_at, DONE[BatchKind.INVITE], "", by),
        (invitation.last_sent_at if invitation.reminders else None, "Reminder sent", "", ""),
        (invitation.opened_at, "Invitation opened", "", THEMSELVES),
        (invitation.went_on_at, "Went on to Apple's page", "", THEMSELVES),
        (invitation.bounced_at, "Address refused by the mail server", "", ""),
        (invitation.asked_again_at, "Asked for a new invitation", "", THEMSELVES),
        (invitation.ended_at, ending, "", by),
    )
    for at, what, detail, who in steps:
        if at and what:
            yield Happening(at, what, detail, who)
