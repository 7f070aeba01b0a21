"""What the overview over several organizations asks of items (organizations/lookups.py)."""

from __future__ import annotations

from organizations.lookups import Lookup

# Of these accounts, each title that somebody waits for. No policy of the overview is put on items for
# it: they are the hottest table of all, and would pay for it with every batch.
titles_waited_for = Lookup(
    "titles_waited_for",
    "bigint[]",
    "SELECT DISTINCT licensed_app_id, organization_id FROM licensing_batchitem"
    " WHERE account_id = ANY ($1) AND state = 'waiting' AND licensed_app_id IS NOT NULL",
)
