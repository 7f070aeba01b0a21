"""Batches: the only road to Apple's writes, for people, rules and programs alike.

planning    who gets a license, who not and why: the plan that is shown
boundaries  which networks' devices may get licenses of an account, and by whom
rights      who may begin, stop and repeat batches
starting    a confirmed plan becomes a batch with its items
people_planning, people_items   the same for people who are retired or invited
controls    cancel, retry, change the waiting list
engine      one worker's turn at one location
picking     what is to be sent next
sending     one request: marked, sent, its answer kept
refused     a request that Apple refused as a whole
settling    how events ended
news        the same from Apple's notifications
truth       what is true at Apple where an answer got lost
outcomes    the transitions of items, each one statement
waiting     the waiting list
pauses      when nothing can be sent
registering telling Apple of people, without a plan
people      what Apple is told of people, and reading back what it made of it
retiring    what follows once people are retired
inviting    invitations by mail, in which Apple has no part
tallies     the counts and states of batches
plans, people_plans, calls, verdicts, reasons: the decisions, as pure functions and words
"""

from licensing.batches.controls import cancel, move_in_queue, retry, take_off
from licensing.batches.engine import run
from licensing.batches.planning import make_plan, wish_for
from licensing.batches.rights import why_not_control, why_not_order
from licensing.batches.starting import start

__all__ = [
    "cancel",
    "make_plan",
    "move_in_queue",
    "retry",
    "run",
    "start",
    "take_off",
    "why_not_control",
    "why_not_order",
    "wish_for",
]
