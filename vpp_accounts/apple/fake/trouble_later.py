"""Faults of what happens after the answer: events and notifications (protocol reference 7.4)."""

from collections.abc import Callable
from functools import partial

import orjson

from vpp_accounts.apple.fake.faults import Kind, Proceed, Situation
from vpp_accounts.apple.fake.meeting import associates, begins_event, notification
from vpp_accounts.apple.fake.tasks import Event
from vpp_accounts.apple.fake.wire import Answer, Request

Act = Callable[[Situation, Proceed], Answer]

# Events


def _to_the_event(change: Callable[[Situation, Event], None]) -> Act:
    def act(situation: Situation, proceed: Proceed) -> Answer:
        answer = proceed()
        event_id = orjson.loads(answer.body).get("eventId") if answer.status == 200 else None
        if event_id in situation.apple.events:
            change(situation, situation.apple.events[event_id])
        return answer

    return act


def _maintenance(situation: Situation, event: Event) -> None:
    event.fails_with = 9644


def _rivals(situation: Situation, event: Event) -> None:
    event.rivals = int(situation.args["licenses"])


def _slow(situation: Situation, event: Event) -> None:
    event.extra_seconds = situation.args["seconds"]


def _stuck(situation: Situation, event: Event) -> None:
    event.is_stuck = True


def _forgotten(situation: Situation, event: Event) -> None:
    # The work is done all the same; only nobody can ask for it.
    del situation.apple.events[event.id]


def _not_visible(situation: Situation, event: Event) -> None:
    event.says_complete = True
    event.extra_seconds = situation.args["seconds"]


def _told_first(situation: Situation, event: Event) -> None:
    situation.apple.finish(event)


# Notifications


def _lost(situation: Situation, proceed: Proceed) -> Answer:
    return Answer(204, refused=True)


def _twice(situation: Situation, proceed: Proceed) -> Answer:
    proceed()
    return proceed()


def _delayed(situation: Situation, proceed: Proceed) -> Answer:
    situation.apple.later(situation.args["seconds"], proceed)
    return Answer(204, refused=True)


def _after_the_next(situation: Situation, proceed: Proceed) -> Answer:
    if situation.location:
        situation.apple.held.setdefault(situation.location.uid, []).append(proceed)
    return Answer(204, refused=True)


def _spoiled(spoil: Callable[[Request], None]) -> Act:
    def act(situation: Situation, proceed: Proceed) -> Answer:
        spoil(situation.request)
        return proceed()

    return act


def _wrong_bearer(request: Request) -> None:
    request.headers = {**request.headers, "Authorization": "Bearer not-the-secret"}


def _unknown_type(request: Request) -> None:
    body = orjson.loads(request.body) | {"notificationType": "TYPE_OF_TOMORROW"}
    request.body = orjson.dumps(body | {"notification": {"anything": [1, 2]}})


def _malformed(request: Request) -> None:
    request.body = request.body[: len(request.body) // 2]


_event = partial(Kind, meets=begins_event)
_note = partial(Kind, meets=notification)

LATER = (
    _event("maintenance_async", "all tasks of the event fail: 9644", _to_the_event(_maintenance)),
    Kind(
        "shortage",
        "somebody else takes so many licenses before the event runs",
        _to_the_event(_rivals),
        associates,
        {"licenses": 1},
    ),
    _event(
        "slow_event",
        "the event stays PENDING for so many seconds more",
        _to_the_event(_slow),
        args={"seconds": 60.0},
    ),
    _event("stuck_event", "the event stays PENDING for ever, undone", _to_the_event(_stuck)),
    _event("event_lost", "the event is done, its id unknown: 9708", _to_the_event(_forgotten)),
    _event(
        "completed_not_visible",
        "COMPLETE at once, but done so many seconds later",
        _to_the_event(_not_visible),
        args={"seconds": 30.0},
    ),
    _event(
        "notification_before_answer",
        "the event is done and told before its POST is answered",
        _to_the_event(_told_first),
    ),
    _note("notification_loss", "never sent", _lost),
    _note("notification_duplicate", "sent twice", _twice),
    _note("notification_delay", "sent so many seconds late", _delayed, args={"seconds": 60.0}),
    _note("notification_reorder", "sent after the next one of the location", _after_the_next),
    _note("notification_wrong_bearer", "sent with a wrong secret", _spoiled(_wrong_bearer)),
    _note("notification_unknown_type", "of a type nobody knows", _spoiled(_unknown_type)),
    _note("notification_malformed", "half of its JSON", _spoiled(_malformed)),
)
