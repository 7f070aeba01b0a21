"""Batches, their items, and plans as they are written on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from licensing.api.names import USER, Names
from licensing.api.people_answers import people_plan_json
from licensing.batches.planning import ABOUT_PEOPLE
from licensing.batches.reasons import Reason
from licensing.models import Batch, BatchItem, BatchKind, BatchPlan


def batch_json(batch: Batch) -> dict[str, Any]:
    return {
        "id": str(batch.pk),
        "kind": batch.kind,
        "state": batch.state,
        "reason": batch.reason,
        "about": batch.about,
        "why": batch.why,
        "priority": batch.priority,
        "everything": batch.everything,
        "counts": {
            "total": batch.total,
            "pending": batch.pending,
            "succeeded": batch.succeeded,
            "failed": batch.failed,
            "waiting": batch.waiting,
            "skipped": batch.skipped,
            "cancelled": batch.cancelled,
        },
        "calls": batch.calls,
        "createdAt": batch.created_at,
        "createdBy": batch.actor_name,
        "startedAt": batch.started_at,
        "finishedAt": batch.finished_at,
        "retryOf": str(batch.retry_of_id) if batch.retry_of_id else None,
    }


def names_of(account_id: int, items: Sequence[BatchItem]) -> Names:
    titles = {item.licensed_app_id for item in items if item.licensed_app_id}
    people = {item.holder for item in items if item.holder_kind == USER}
    return Names.of(account_id, titles, people)


def item_json(item: BatchItem, names: Names) -> dict[str, Any]:
    return {
        "id": str(item.pk),
        **names.title(item.licensed_app_id),
        **names.holder(item.holder_kind, item.holder),
        "state": item.state,
        "errorNumber": item.error_number,
        "message": item.message,
        "changedAt": item.changed_at,
    }


def plan_json(plan: BatchPlan) -> dict[str, Any]:
    if plan.kind in ABOUT_PEOPLE:
        return people_plan_json(plan)
    told = plan.summary
    is_grant = plan.kind == BatchKind.GRANT
    people = {each["holder"] for each in told["named"] if each["kind"] == USER}
    titles = {title["id"] for title in told["titles"]}
    names = Names.of(plan.account_id, titles, people)
    return {
        "planId": str(plan.pk),
        "kind": plan.kind,
        "grant": told["go"] if is_grant else 0,
        "revoke": 0 if is_grant else told["go"],
        "alreadyHold": told["already"] if is_grant else 0,
        "holdNone": 0 if is_grant else told["already"],
        "waiting": told["wait"],
        "noLongerWaiting": told["unwait"],
        "skipped": [_skipped(each, names) for each in told["named"]],
        "skippedCount": told["skipped"],
        "skippedReasons": {str(reason): count for reason, count in told["reasons"].items()},
        "availableAfter": _available_after(told["titles"], names),
        "irrevocable": told["irrevocable"],
        "notAccepted": told["unaccepted"],
        "notRegistered": told["unregistered"],
        "notInInventory": told["unknown_devices"],
    }


def _skipped(named: dict[str, Any], names: Names) -> dict[str, Any]:
    return {
        **names.title(named["title"]),
        **names.holder(named["kind"], named["holder"]),
        "reason": named["reason"],
        "message": Reason(named["reason"]).sentence,
    }


def _available_after(titles: list[dict[str, Any]], names: Names) -> list[dict[str, Any]]:
    """A title for devices and for people stands there twice; the later one knows of both."""
    after = {title["id"]: title["after"] for title in titles}
    return [names.title(title) | {"available": available} for title, available in after.items()]
