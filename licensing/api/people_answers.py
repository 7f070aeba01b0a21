"""Plans about people as they are written on the wire."""

from __future__ import annotations

from typing import Any

from licensing.api.names import USER, Names
from licensing.batches.reasons import Reason
from licensing.models import BatchKind, BatchPlan

Json = dict[str, Any]


def people_plan_json(plan: BatchPlan) -> Json:
    told = plan.summary
    names = Names.of(
        plan.account_id,
        {title["id"] for title in told["titles"]},
        {each["holder"] for each in told["named"]},
    )
    shared = {
        "planId": str(plan.pk),
        "kind": plan.kind,
        plan.kind: told["go"],
        "skipped": [_skipped(each, names) for each in told["named"]],
        "skippedCount": told["skipped"],
        "skippedReasons": {str(reason): count for reason, count in told["reasons"].items()},
        "notRegistered": told["unregistered"],
    }
    if plan.kind == BatchKind.INVITE:
        return shared | {"invitedBefore": told["again"]}
    return shared | _what_goes_and_stays(told, names)


def _what_goes_and_stays(told: Json, names: Names) -> Json:
    return {
        "licensesReturned": told["returning"],
        "booksStaying": told["irrevocable"],
        "peopleKeepingBooks": told["staying_with"],
        "grantsDropped": told["dropped"],
        "invitationsEnded": told["invitations"],
        "leftSource": told["have_left"],
        "availableAfter": [
            names.title(title["id"])
            | {
                "available": title["after"],
                "returned": title["go"],
                "staying": title["stay"],
            }
            for title in told["titles"]
        ],
    }


def _skipped(named: Json, names: Names) -> Json:
    person = names.holder(USER, named["holder"])
    reason = Reason(named["reason"])
    return {
        "userId": person["userId"],
        "clientUserId": person["clientUserId"],
        "reason": reason.value,
        "message": reason.sentence,
    }
