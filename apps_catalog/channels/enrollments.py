"""What a device's check-ins mean for the inventory: it introduces itself, enrolls, leaves, speaks.

What is older than what an enrollment knows (`as_of`) is left: events overtake one another, and some
never come. Where a device belongs it may say once, when it introduces itself, and only if nobody
here knows it yet: the claim comes from the device.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from apps_catalog.channels import events, outbox, plists, registering
from apps_catalog.channels.events import Told
from apps_catalog.channels.registering import ENROLLMENT, NotOurs, Spoken
from apps_catalog.installations import turns
from apps_catalog.models import ChannelSettings, Enrollment
from organizations import audit, hooks
from organizations.devices import changing
from organizations.models import Device, Organization

__all__ = ["Later", "NotOurs", "Stranger", "take"]
Later = registering.Later
# Often enough for "last connected", without a write for each of many answers.
SEEN_EVERY = timedelta(minutes=1)


class Stranger(Later):
    """Its introduction was overtaken, or lost; it is asked who it is (introductions.py)."""

    most = 6  # some five minutes

    def __init__(self, channel_id: str) -> None:
        super().__init__(f"The device {channel_id} speaks, and has not introduced itself.")
        self.channel_id = channel_id


def take(organization: Organization, channel: str, told: Told, at: datetime) -> None:
    spoken = Spoken(organization, channel, told, at)
    if told.topic == events.AUTHENTICATE:
        _introduce(spoken)
    elif told.topic == events.TOKEN_UPDATE:
        _enroll_user(spoken) if told.user_id else _enroll(spoken)
    elif told.topic == events.CHECK_OUT:
        _leave_user(spoken) if told.user_id else _leave(spoken)
    elif told.topic == events.CONNECT:
        _speak(spoken)


# --- A device introduces itself -------------------------------------------------------------------


def _introduce(spoken: Spoken) -> None:
    """It has forgotten whatever was before: it is new, was wiped, or enrolls anew."""
    refuse_other_topics(spoken)
    known = _known(spoken)
    if known and _is_stale(known, spoken.at):
        return
    device_id = registering.save_device(spoken, spoken.told.plist, enrollment=spoken.kind)
    enrollment = registering.bind(spoken, device_id, known)
    if enrollment.pk:
        _forget_all(spoken, enrollment)
    enrollment.topic = spoken.text("Topic")[:200]
    enrollment.is_enrolled, enrollment.user_channel_id = False, ""
    enrollment.ended_at = None
    enrollment.as_of = enrollment.seen_at = spoken.at
    enrollment.save()


def refuse_other_topics(spoken: Spoken) -> None:
    """A server may serve several organizations, each with a push certificate of its own."""
    topic = spoken.text("Topic")
    ours = ChannelSettings.objects.filter(organization=spoken.organization).exclude(topic="")
    if topic and ours.exclude(topic=topic).exists():
        raise NotOurs(
            f"It enrolled with the push certificate of {topic}, which is not this organization's."
        )


def _forget_all(spoken: Spoken, enrollment: Enrollment) -> None:
    outbox.void_all(enrollment.device_id)
    if enrollment.is_enrolled:  # it never said that it was leaving
        changing.mark_wiped(
            by=spoken.by,
            organization=spoken.organization,
            devices=Device.objects.filter(pk=enrollment.device_id),
            at=spoken.at,
        )


# --- It is enrolled -------------------------------------------------------------------------------


def _enroll(spoken: Spoken) -> None:
    enrollment = _known(spoken)
    if enrollment is None:
        raise Stranger(spoken.told.device_id)
    if _is_stale(enrollment, spoken.at):
        return
    if spoken.told.tally == 1 and enrollment.is_enrolled:
        _forget_all(spoken, enrollment)  # its introduction comes late, or never
        enrollment.is_enrolled = False
    waits = spoken.told.plist.get("AwaitingConfiguration") is True
    if waits:
        registering.save_device(
            spoken, {"UDID": spoken.told.device_id}, enrollment=ENROLLMENT.AUTOMATED
        )
    enrollment.awaits_configuration = waits
    enrollment.as_of = enrollment.seen_at = spoken.at
    welcome(spoken, enrollment)


def welcome(spoken: Spoken, enrollment: Enrollment) -> None:
    """Saves it; where it was not enrolled until now, all that follows begins."""
    is_new = not enrollment.is_enrolled
    enrollment.is_enrolled, enrollment.ended_at = True, None
    if is_new:
        enrollment.enrolled_at = spoken.at
    enrollment.save()
    note_seen(enrollment, spoken.at)
    if is_new:
        _begin(spoken, enrollment)


def _begin(spoken: Spoken, enrollment: Enrollment) -> None:
    device = Device.objects.filter(pk=enrollment.device_id)
    device.update(unenrolled_at=None, wiped_at=None)
    ask_everything([enrollment])
    audit.record(
        "device.enrolled",
        by=spoken.by,
        organization=spoken.organization,
        target=device.get(),
        after={"channel": enrollment.get_channel_display()},
    )
    hooks.devices_changed.send(
        sender=Device,
        organization=spoken.organization,
        device_ids=[enrollment.device_id],
        cause="enrolled",
    )


def ask_everything(enrollments: list[Enrollment]) -> None:
    """What the devices are; all of one organization."""
    if not enrollments:
        return
    organization_id = enrollments[0].organization_id
    to = [outbox.Address(each.device_id, each.channel_id) for each in enrollments]
    outbox.queue(organization_id, to, *plists.device_information())
    turns.ring(organization_id)


def _enroll_user(spoken: Spoken) -> None:
    enrollment = _known(spoken)
    if enrollment is None:
        raise Stranger(spoken.told.device_id)
    _ours(enrollment).update(user_channel_id=spoken.told.user_id)


# --- It leaves ------------------------------------------------------------------------------------


def _leave(spoken: Spoken) -> None:
    enrollment = _known(spoken)
    if enrollment is None or _is_stale(enrollment, spoken.at):
        return
    outbox.void_all(enrollment.device_id)
    _ours(enrollment).update(
        is_enrolled=False, ended_at=spoken.at, as_of=spoken.at, user_channel_id=""
    )
    changing.mark_unenrolled(
        by=spoken.by,
        organization=spoken.organization,
        devices=Device.objects.filter(pk=enrollment.device_id),
        at=spoken.at,
    )


def _leave_user(spoken: Spoken) -> None:
    enrollment = _known(spoken)
    if enrollment and enrollment.user_channel_id == spoken.told.user_id:
        _ours(enrollment).update(user_channel_id="")


# --- It speaks ------------------------------------------------------------------------------------


def _speak(spoken: Spoken) -> None:
    told = spoken.told
    enrollment = _known(spoken) or _adopted(spoken)
    if enrollment.ended_at:
        return  # what the server still had for it; it is nobody's device any more
    if told.user_id and not enrollment.user_channel_id:
        _ours(enrollment).update(user_channel_id=told.user_id)
    if not enrollment.is_enrolled and not _is_stale(enrollment, spoken.at):
        welcome(spoken, enrollment)  # that it is enrolled was told, and lost on the way
    note_seen(enrollment, spoken.at)
    if info := told.plist.get("QueryResponses"):
        _learn(spoken, enrollment, info)


def _adopted(spoken: Spoken) -> Enrollment:
    """Enrolled before this dashboard listened, or its introduction was lost: it was asked."""
    info = spoken.told.plist.get("QueryResponses")
    if spoken.told.user_id or not isinstance(info, dict) or not info.get("ProductName"):
        raise Stranger(spoken.told.device_id)
    device_id = registering.save_device(spoken, info, enrollment=spoken.kind)
    enrollment = registering.bind(spoken, device_id, None)
    enrollment.is_enrolled, enrollment.ended_at = False, None
    enrollment.as_of = enrollment.seen_at = spoken.at
    welcome(spoken, enrollment)
    return enrollment


def _learn(spoken: Spoken, enrollment: Enrollment, info: Any) -> None:
    """All about itself; the serial number stays the one that it introduced itself with."""
    before = enrollment.inventory_at
    if not isinstance(info, dict) or (before and before >= spoken.at):
        return
    registering.save_device(spoken, info)
    _ours(enrollment).update(
        inventory_at=spoken.at,
        store_account_hash=str(info.get("iTunesStoreAccountHash") or "")[:100],
        awaits_configuration=info.get("AwaitingConfiguration") is True,
    )


# --- What is known --------------------------------------------------------------------------------


def note_seen(enrollment: Enrollment, at: datetime) -> None:
    before = at - SEEN_EVERY
    _ours(enrollment).filter(Q(seen_at=None) | Q(seen_at__lt=before)).update(seen_at=at)
    device = Device.objects.filter(pk=enrollment.device_id)
    old = Q(last_connected_at=None) | Q(last_connected_at__lt=before)
    device.filter(old).update(last_connected_at=at)


def _known(spoken: Spoken) -> Enrollment | None:
    rows = Enrollment.objects.select_for_update(of=("self",), no_key=True)
    return rows.filter(
        organization=spoken.organization,
        channel=spoken.channel,
        channel_id=spoken.told.device_id,
    ).first()


def _ours(enrollment: Enrollment) -> Any:
    return Enrollment.objects.filter(pk=enrollment.pk)


def _is_stale(enrollment: Enrollment, at: datetime) -> bool:
    return enrollment.as_of is not None and at <= enrollment.as_of
