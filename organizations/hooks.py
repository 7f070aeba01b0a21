"""What this app announces; higher apps register for it in their AppConfig.

`network_deletion(network)`: receivers return a list of sentences, each something that ends with it.
`mail_posted()`: mail waits in the outbox; sent after the commit.
`mail_sent(mail)`, `mail_given_up(mail)`: what became of one; `mail.error` says why it was given up.
"""

from django.dispatch import Signal

network_deletion = Signal()
mail_posted = Signal()
mail_sent = Signal()
mail_given_up = Signal()
