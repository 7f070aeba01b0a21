"""What this app announces; higher apps register for it in their AppConfig.

`network_deletion(network)`: receivers return a list of sentences, each something that ends with it.
`mail_posted()`: mail waits in the outbox; sent after the commit.
`mail_settled(mails)`: a few that were sent (`sent_at`) or given up (`error` says why).
"""

from django.dispatch import Signal

network_deletion = Signal()
mail_posted = Signal()
mail_settled = Signal()
