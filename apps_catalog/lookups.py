"""What channels and searches ask before the organization is known (organizations/lookups.py)."""

from __future__ import annotations

from organizations.lookups import Lookup

# Where an MDM server posts its events.
channel_of_address = Lookup(
    "channel_of_address",
    "uuid",
    "SELECT id, organization_id FROM apps_catalog_channelsettings WHERE uuid = $1",
)
# A search's own id is a UUID, which nobody needs here.
store_search = Lookup(
    "store_search",
    "uuid",
    "SELECT organization_id, organization_id FROM apps_catalog_storesearch WHERE id = $1",
)
