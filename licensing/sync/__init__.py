"""Sync: copies Apple's state of one account to us.

    engine      claim the run, walk the phases, say how it ended
    account     client/config: is the token alive, is the location ours
    assets      the titles and their counts
    people      the client users
    assignments who holds what: the large part
    confirm     was it really taken away, where a list moved while it was read
    drift       was something taken away, where only what is new was read
    titles      the one place that writes titles and their counts
    plans       the decisions, as pure functions
    turns       when the next sync comes, and whether it reads everything
    progress    the lease, the heartbeat, what the page shows

Most syncs read what changed since the last one (deltas). Apple's deltas tell of no removal: those
show in a title's count, and that title alone is read again. Whole syncs come hourly or nightly.

Nothing is requested from Apple inside a transaction, and every step may run twice without harm: a
run that was killed at any point is simply run again.
"""

from licensing.sync.engine import run, wait_for

__all__ = ["run", "wait_for"]
