"""Licenses that could serve somebody else: found, waited for, and taken back (docs/reclaim.md).

causes      when a license could go back, and when no longer: in the database's words
finding     the licenses of each cause; what rules plan and what is only said
rules       what an organization takes back by itself, and the default for devices that leave
starting    what is due goes to the batches; the guard
settling    what became of each
wanting     what is wanted elsewhere and stays; what no rule grants again
departures  devices that leave: what is said before, and what happens
choosing    what a person decides: keep, take back now, let much go at once
protection  whom nothing is taken from
worth       how much could be freed
sweeping, waking   when a worker is called
telling, refusals  the audit log, rights and refusals
"""

from licensing.reclaim.finding import look
from licensing.reclaim.starting import work

__all__ = ["look", "work"]
