"""Clients in scope: the devices that an app is for, as it is saved or as it is being edited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models.functions import Lower
from django.http import QueryDict
from django.urls import NoReverseMatch, reverse

from apps_catalog.models import Installation, InstallationState
from apps_catalog.reasons import Reason
from licensing.automation.preview import Draft, Fate, Outcome, Preview, clients, outcomes
from organizations.lists import Column, Cursor, Listing
from organizations.models import Membership

COLOURS: dict[str, str] = {
    InstallationState.INSTALLED: "success",
    InstallationState.LICENSED: "success",
    InstallationState.FAILED: "danger",
    InstallationState.STALLED: "warning",
    InstallationState.BLOCKED: "warning",
    Fate.HELD: "success",
    Fate.WILL_GET: "info",
    Fate.CANNOT: "warning",
}
# Whose license is settled, so that how far the app itself is says more.
SETTLED = (Fate.HELD, Fate.NEEDS_NONE)


@dataclass(frozen=True, slots=True)
class ClientRow:
    """One device. `installation`: how far the app is on it, where anything was begun."""

    device: Any
    outcome: Outcome
    installation: Installation | None
    managed_app_id: int | None

    @property
    def url(self) -> str:
        return address("licensing:device_detail", self.device.organization_id, self.device.pk)

    @property
    def why_url(self) -> str:
        """The walk from scope to device, which needs a saved app."""
        walk = address("licensing:why", self.device.organization_id)
        query = urlencode({"app": self.managed_app_id, "device": self.device.pk})
        return f"{walk}?{query}" if walk and self.managed_app_id else ""

    @property
    def owner(self) -> str:
        return str(self.device.owner or "")

    @property
    def _shown(self) -> Installation | None:
        is_told = self.outcome.state in SETTLED
        return self.installation if is_told else None

    @property
    def state(self) -> str:
        return str(self._shown.get_state_display()) if self._shown else self.outcome.state.words

    @property
    def colour(self) -> str:
        code = self._shown.state if self._shown else self.outcome.state.value
        return COLOURS.get(code, "secondary")

    @property
    def reason(self) -> str:
        code = self._shown.reason if self._shown else self.outcome.reason
        return Reason(code).sentence if code else ""

    @property
    def is_managed(self) -> str:
        """“Y” or “N” as the device last said; nothing while it has not."""
        said = self.installation.is_managed if self.installation else None
        return {True: "Y", False: "N", None: ""}[said]

    @property
    def last_seen(self) -> datetime | None:
        seen: datetime | None = self.device.last_connected_at
        return seen


class ClientList(Listing[ClientRow]):
    template = "licensing/_app_clients.html"
    columns = (
        Column("name", "Name", sort=("client_name",)),
        Column("serial", "Serial"),
        Column("owner", "Owner"),
        Column("managed", "Managed?"),
        Column("state", "State"),
        Column("seen", "Last seen"),
        Column("why", "Why?"),
    )
    export = {
        "name": lambda row: row.device.name,
        "serialNumber": lambda row: row.device.serial_number,
        "owner": lambda row: row.owner,
        "managed": lambda row: row.is_managed,
        "state": lambda row: row.state,
        "reason": lambda row: row.reason,
        "lastSeen": lambda row: row.last_seen,
    }
    default_sort = "name"
    id = "clients"
    noun = ("client", "clients")

    def __init__(
        self, params: QueryDict, draft: Draft, told: Preview, membership: Membership
    ) -> None:
        self.draft, self.told = draft, told
        rows = clients(draft, membership).select_related("owner")
        super().__init__(params, rows.annotate(client_name=Lower("name")))

    def dress(self, rows: list[Any]) -> list[ClientRow]:
        if not rows:
            return []
        app_id = self.draft.managed_app_id
        there = Installation.objects.filter(
            managed_app=app_id, device__in=[device.pk for device in rows]
        )
        begun = {each.device_id: each for each in there} if app_id else {}
        found = outcomes(self.draft, rows, self.told)
        return [
            ClientRow(device, found[device.pk], begun.get(device.pk), app_id)
            for device in rows
            if device.pk in found
        ]

    @property
    def next_key(self) -> str:
        """For a form, where the next page has no address: it is of something not saved."""
        return self._key(self.page.next)

    @property
    def previous_key(self) -> str:
        return self._key(self.page.previous)

    def _key(self, cursor: Cursor | None) -> str:
        return cursor.encode(self.ordering) if cursor else ""


def address(name: str, *arguments: int) -> str:
    """Empty where there is no such page."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""
