"""The page on which something is put right."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from apps_catalog.reasons import Where


@dataclass(frozen=True, slots=True)
class Place:
    """Of which app, device and person a sentence speaks. `title_url`: its licenses, as far as the
    account is open to the reader.
    """

    organization_id: int
    managed_app_id: int
    device_id: int
    owner: str = ""
    title_url: str = ""

    def url_of(self, where: Where) -> str:
        match where:
            case Where.DEVICE:
                return self._page("licensing:device_detail", self.device_id)
            case Where.APP:
                return self._page("licensing:app_detail", self.managed_app_id)
            case Where.TITLE:
                return self.title_url or self._page("licensing:licensed_app_list")
            case Where.PEOPLE:
                found = urlencode({"q": self.owner})
                return f"{self._page('licensing:user_list')}?{found}"
        return self._page(PAGES[where]) if where else ""

    def _page(self, name: str, *ids: int) -> str:
        return reverse(name, args=[self.organization_id, *ids])


LABELS = {
    Where.DEVICE: "Open the device",
    Where.APP: "Open the app",
    Where.ACCOUNTS: "Open MDM",
    Where.TITLE: "Open the licenses",
    Where.PEOPLE: "Open User management",
    Where.CHANNEL: "Open the device channel",
}
PAGES = {
    Where.ACCOUNTS: "licensing:mdm",
    Where.CHANNEL: "apps_catalog:channel_settings",
}
