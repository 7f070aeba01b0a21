"""A person who has a license and has not accepted Apple's program is asked on their own device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps_catalog.channels import outbox, plists
from apps_catalog.channels.base import Can
from apps_catalog.installations import commands, licenses
from apps_catalog.installations.work import AT_A_TIME, Work
from apps_catalog.models import (
    ChannelCommand,
    Installation,
    InstallationState,
    PurchaseMethod,
)
from apps_catalog.reasons import Reason
from organizations.models import Device, Platform

INVITE = "InviteToProgram"
# In the place of the address, which lets whoever has it accept: it is filled in as it is sent.
PERSON = "Person"
EVERY = timedelta(days=7)


def send_invitations(work: Work) -> None:
    if work.channel is None or Can.INVITE not in work.channel.capabilities:
        return
    after = 0
    while chunk := _waiting(work, after):
        after = chunk[-1].pk
        with work.hold.transaction():
            _invite(work.organization_id, chunk)


def _waiting(work: Work, after: int) -> list[Installation]:
    """Apple has no such invitation for enrollments that begin with a person's account."""
    rows = Installation.objects.filter(
        work.reached,
        organization=work.organization_id,
        state=InstallationState.LICENSED,
        reason=Reason.OWNER_NOT_ASSOCIATED,
        managed_app__purchase_method=PurchaseMethod.USER,
        is_wanted=True,
        pk__gt=after,
    ).exclude(device__enrollment=Device.Enrollment.USER)
    return list(rows.select_related(*commands.WITH_TARGET).order_by("pk")[:AT_A_TIME])


def _invite(organization_id: int, chunk: Sequence[Installation]) -> None:
    people = licenses.ask().invitees([row.pk for row in chunk])
    invited = _invited_lately(row.device_id for row in chunk)
    for row in chunk:
        place = (row.device_id, people.get(row.pk, 0))
        address = commands.address_of(row, to_person=row.device.platform == Platform.MACOS)
        if row.pk in people and place not in invited and address.channel_id:
            invited.add(place)
            outbox.queue(organization_id, [address], INVITE, {PERSON: people[row.pk]})


def _invited_lately(device_ids: Iterable[int]) -> set[tuple[int, int]]:
    lately = ChannelCommand.objects.filter(
        device__in=set(device_ids), request_type=INVITE, created_at__gt=timezone.now() - EVERY
    )
    found = lately.values_list("device", "body")
    return {(device_id, body.get(PERSON, 0)) for device_id, body in found}


def fill(command: ChannelCommand) -> Mapping[str, Any]:
    """The body as the device takes it."""
    if command.request_type != INVITE:
        return dict(command.body)
    return plists.invite(licenses.ask().invitation_url(command.body[PERSON])).body


def recall(waiting: Sequence[ChannelCommand]) -> set[int]:
    """Of people who have accepted meanwhile, or cannot any more."""
    ask = licenses.ask().invitation_url
    gone = {
        command.pk
        for command in waiting
        if command.request_type == INVITE and not ask(command.body[PERSON])
    }
    outbox.void(gone, "There is no invitation to accept any more.")
    return gone
