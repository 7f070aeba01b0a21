"""What this app announces; higher apps register for it in their AppConfig.

`network_deletion(network)`: receivers return a list of sentences, each something that ends with it.
"""

from django.dispatch import Signal

network_deletion = Signal()
