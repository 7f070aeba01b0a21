"""What a NanoMDM told, as it arrives: in any order, twice, or not at all."""

from __future__ import annotations

from collections.abc import Iterable

from apps_catalog.channels import events, inbox
from apps_catalog.models import ChannelEvent
from organizations.models import Organization
from tests.nanomdm_stub import NanoMdmStub


def arrive(organization: Organization, bodies: Iterable[bytes]) -> None:
    """Stored as the webhook's door does, and understood by a worker."""
    told = [events.read_head(body) for body in bodies]
    inbox.store(organization.pk, "nanomdm", told)
    inbox.handle_waiting(organization.pk)


def arrive_all(organization: Organization, stub: NanoMdmStub) -> None:
    """Everything since the last time."""
    bodies, stub.webhook.bodies = stub.webhook.bodies, []
    arrive(organization, bodies)


def errors(organization: Organization) -> list[tuple[str, str]]:
    found = ChannelEvent.objects.filter(organization=organization).exclude(error="").order_by("pk")
    return list(found.values_list("topic", "error"))
