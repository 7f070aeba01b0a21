"""What this app announces; higher apps register for it in their AppConfig.

`user_added(user, by)`: a person who is not known to Apple yet; sent inside the transaction.
"""

from django.dispatch import Signal

user_added = Signal()
