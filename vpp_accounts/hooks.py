"""What this app announces; higher apps register for it in their AppConfig.

`sync_requested(sync_run_id)`: a run waits for a worker; sent after the commit.
`sync_ended(run, account)`: a run was taken from its worker; sent inside the transaction.
`notification_stored(account_id)`: Apple told something; sent after the commit.
`goodbye_due(former_claim_id)`: Apple should send a removed account no more; sent after the commit.
`rights_changed(account)`: who may use it where may be another matter now; sent inside the transaction.
`writing_changed(account)`: it takes changes again, or no longer; sent inside the transaction.
`account_removal(account)`: receivers return a `Consequences` each, before anything is removed.
`account_removed(account)`: remove what hangs on it; sent inside the transaction, before the row goes.
"""

from django.dispatch import Signal

sync_requested = Signal()
sync_ended = Signal()
notification_stored = Signal()
goodbye_due = Signal()
rights_changed = Signal()
writing_changed = Signal()
account_removal = Signal()
account_removed = Signal()
