"""The simulated fleet as a channel: commands are queued in its devices, and a push wakes them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.db.models import Q
from django.utils import timezone

from apps_catalog.channels.base import Can, DeviceCommand, Health, SendOutcome, SendResult
from apps_catalog.models import ChannelKind, Enrollment, SimulatedDevice
from organizations.bulk import returned

TABLE = SimulatedDevice._meta.db_table


class SimulatedChannel:
    kind = ChannelKind.SIMULATED.value
    capabilities = frozenset(Can)
    most_devices = 1_000

    def __init__(self, organization_id: int) -> None:
        self.organization_id = organization_id

    def send(
        self, command: DeviceCommand, channel_ids: Sequence[str], *, wake: bool = True
    ) -> SendResult:
        devices = self._devices(channel_ids)
        outcomes = dict.fromkeys(channel_ids, SendOutcome.UNKNOWN_DEVICE)
        for channel_id, added in self._queue(command, devices).items():
            outcomes[channel_id] = SendOutcome.QUEUED if added else SendOutcome.ALREADY_QUEUED
        if wake:
            self.wake(channel_ids)
        return SendResult(outcomes)

    def _queue(self, command: DeviceCommand, devices: dict[str, int]) -> dict[str, bool]:
        """Whether it is new there, by the channel's id."""
        item = {
            "uuid": str(command.uuid),
            "type": command.request_type,
            "body": dict(command.body),
        }
        speakers = {device_id: pk for pk, device_id in devices.items()}
        rows = returned(
            _QUEUE,
            {
                "devices": list(speakers),
                "speakers": list(speakers.values()),
                "item": json.dumps(item),
                "known": json.dumps([{"uuid": str(command.uuid)}]),
            },
        )
        added = {device_id for (device_id,) in rows}
        return {pk: device_id in added for device_id, pk in speakers.items()}

    def wake(self, channel_ids: Sequence[str]) -> SendResult:
        """A push is not kept for a device that is off."""
        devices = self._devices(channel_ids)
        reached = SimulatedDevice.objects.filter(
            organization=self.organization_id, device__in=devices.values(), is_offline=False
        )
        reached.update(is_awake=True, next_at=timezone.now())
        outcomes = {
            pk: SendOutcome.QUEUED if pk in devices else SendOutcome.QUEUED_NOT_WOKEN
            for pk in channel_ids
        }
        return SendResult(outcomes)

    def _devices(self, channel_ids: Sequence[str]) -> dict[str, int]:
        """The devices that are, or whose users are, known by these ids."""
        ids = list(channel_ids)
        found = Enrollment.objects.filter(
            Q(channel_id__in=ids) | Q(user_channel_id__in=ids),
            organization=self.organization_id,
            channel=self.kind,
            device__simulated__isnull=False,
        )
        asked = set(ids)
        devices: dict[str, int] = {}
        for device_id, *names in found.values_list("device", "channel_id", "user_channel_id"):
            devices |= {name: device_id for name in names if name in asked}
        return devices

    def health(self) -> Health:
        return Health(version="Simulated fleet")

    def close(self) -> None:
        """There is nothing to close."""


_QUEUE = f"""
    UPDATE {TABLE} AS simulated
    SET queue = queue || jsonb_build_array(%(item)s::jsonb || jsonb_build_object('to', told.speaker))
    FROM unnest(%(devices)s::bigint[], %(speakers)s::text[]) AS told (device_id, speaker)
    WHERE simulated.device_id = told.device_id AND NOT queue @> %(known)s::jsonb
    RETURNING simulated.device_id
"""  # noqa: S608  the table's name is the model's
