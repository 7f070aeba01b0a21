"""Webhooks: programs of an organization are told over HTTP of what happens.

emitting  noting an event in the transaction of what happened, once for each who listens
bodies    what is sent, and its signature (the Standard Webhooks conventions)
sending   claiming what is due, and posting it
settling  what came of an attempt, and when the next one is due
stopping  webhooks that end: their receivers ask for it, or they fail for days
changing  what admins do with them
"""

from organizations.webhooks.emitting import emit, emit_each

__all__ = ["emit", "emit_each"]
