"""What Apple told us, understood: from a stored notification to what we hold.

    handling  which one is next, what became of it, when it is tried again
    effects   what each type changes here
    people    the client users it speaks of, as a pure decision

Apple's notifications come twice, in any order, before the answer of the write they tell of, or
never. So they are applied as sets, counts are never reckoned but read again, and every one of
them asks for a sync soon, which finds what they got wrong.
"""

from licensing.notifications.effects import event_told
from licensing.notifications.handling import handle_waiting

__all__ = ["event_told", "handle_waiting"]
