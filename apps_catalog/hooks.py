"""What this app announces; higher apps register for it in their AppConfig.

`managed_apps_changed(organization, managed_app_ids, cause)`: added, edited, deleted. In the transaction.
`installs_asked(organization, managed_app_ids, cause)`: installations that now want a license (`asked_at`)
of apps that take none by themselves. In the transaction.
`managed_app_removal(managed_app)`: receivers return a list of sentences, each something that ends.
`managed_app_removed(managed_app, choice, by)`: its licenses; before the row goes. In the transaction.
`channel_told(organization_id)`: events of devices wait for a worker. Sent after the commit.
`channel_check_asked(organization_id)`: a check of the connection waits for one. Sent after the commit.
`deployment_waits(organization_id)`: commands wait for a worker. Sent after the commit.
`installations_moved(organization_id, managed_app_ids)`: states changed, so that counts are old. Sent after the
commit, and not more often than every half minute.
`store_asked(search_id)`: a search waits for a worker. Sent after the commit.
"""

from django.dispatch import Signal

managed_apps_changed = Signal()
installs_asked = Signal()
managed_app_removal = Signal()
managed_app_removed = Signal()
channel_told = Signal()
channel_check_asked = Signal()
deployment_waits = Signal()
installations_moved = Signal()
store_asked = Signal()
