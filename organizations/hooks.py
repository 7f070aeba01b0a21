"""What this app announces; higher apps register for it in their AppConfig.

`network_deletion(network)`: receivers return a list of sentences, each something that ends with it.
`account_rights(organization, memberships)`: receivers return, by the id of each membership, the
names of the VPP accounts whose users and licenses that admin may manage.
`admin_removal(membership)`: receivers return a list of sentences, each something that ends with it.
`admin_removed(membership, by)`: take the admin out of every list; in the transaction.
`organization_closed(organization)`: suspended or deleted; end what runs. In the transaction.
`organization_reopened(organization)`: everything may go on. In the transaction.
`deletion_asked(organization)`, `deletion_undone(organization)`: beside them. In the transaction.
`erasure(organization_id)`: it is about to go for good; empty secrets first, as the system role.
`devices_changed(organization, device_ids, cause)`: something that scopes depend on; `device_ids` None:
perhaps of all of them. In the transaction.
`device_departure(organization, devices, cause, membership)`: receivers return a list of sentences, each
something that ends with it, for this admin (None: nobody's). `cause`: deleted, wiped, unenrolled, moved.
`devices`: a queryset of Device.
`devices_departing(organization, devices, cause, choice, days, by)`: they leave now, in this transaction;
`choice` now, later or keep says what becomes of their licenses; empty: as the organization has it.
`tag_deletion(organization, tags, membership)`: receivers return a list of sentences, for this admin.
`tags_departing(organization, tags, by)`: tags are deleted; take them out of scopes. In the transaction.
`owners_departing(organization, owners, by)`: owners are deleted; in the transaction.
`device_import_waits(import_id)`: a file is to be read, or its rows to be written; sent after the commit.
`mail_posted()`: mail waits in the outbox; sent after the commit.
`webhooks_wait()`: events wait to be sent to webhooks; sent after the commit.
`mail_settled(mails)`: a few that were sent (`sent_at`) or given up (`error` says why).
"""

from django.dispatch import Signal

network_deletion = Signal()
account_rights = Signal()
admin_removal = Signal()
admin_removed = Signal()
organization_closed = Signal()
organization_reopened = Signal()
deletion_asked = Signal()
deletion_undone = Signal()
erasure = Signal()
devices_changed = Signal()
device_departure = Signal()
devices_departing = Signal()
tag_deletion = Signal()
tags_departing = Signal()
owners_departing = Signal()
device_import_waits = Signal()
mail_posted = Signal()
mail_settled = Signal()
webhooks_wait = Signal()
