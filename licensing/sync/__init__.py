"""Sync: copies Apple's state of one account to us.

    engine      claim the run, walk the phases, say how it ended
    account     client/config: is the token alive, is the location ours
    assets      the titles and their counts
    people      the client users
    assignments who holds what: the large part
    plans       the decisions, as pure functions
    progress    the lease, the heartbeat, what the page shows

Nothing is requested from Apple inside a transaction, and every step may run twice without harm: a
run that was killed at any point is simply run again.
"""

from licensing.sync.engine import run, wait_for

__all__ = ["run", "wait_for"]
