"""What a program asks of batches, as a wish or as the plan that it confirms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q

from licensing import batches
from licensing.batches.facts import DEVICE, USER, normal_serial
from licensing.batches.planning import Wish
from licensing.batches.refusals import PlanGotWorse, PlanUnknown
from licensing.models import Assignment, Batch, BatchKind, BatchPlan, LicensedApp
from organizations.audit import Actor
from organizations.models import Membership
from organizations.refusals import Refusal
from users.models import VppUser
from vpp_accounts.models import VppAccount

WHY = "REST API"
ATTEMPTS = 3
OF_LICENSES = (BatchKind.GRANT, BatchKind.REVOKE)
SAME_NAME = ("kind", "priority", "everything", "why")  # in a request and in a wish

Given = dict[str, Any]


class RequestWrong(Refusal):
    code = "request_wrong"

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        super().__init__(f"“{field}” {problem}.")


class NothingHeld(Refusal):
    code = "nothing_held"

    def __init__(self) -> None:
        super().__init__(
            "None of these holders holds a license of this account, so there is nothing to take back."
        )


def wish_of(account: VppAccount, given: Given) -> Wish:
    if "kind" not in given:
        raise RequestWrong("kind", "is missing; it is grant or revoke")
    titles = everything_of(account, given) if given.get("everything") else assets(account, given)
    return batches.wish_for(
        kind=given["kind"],
        titles=titles,
        serials=given.get("serialNumbers", ()),
        users=user_ids(given),
        everything=given.get("everything", False),
        priority=given.get("priority", 0),
        why=given.get("why", WHY),
    )


def user_ids(given: Given) -> list[int]:
    return [int(text) for text in given.get("userIds", ())]


def assets(account: VppAccount, given: Given) -> list[LicensedApp]:
    """The titles that are named, in that order."""
    keys = [(each["adamId"], each["pricingParam"]) for each in given.get("assets", ())]
    rows = LicensedApp.objects.filter(account=account, adam_id__in={adam_id for adam_id, _ in keys})
    known = {(title.adam_id, title.pricing_param): title for title in rows}
    for adam_id, pricing_param in keys:
        if (adam_id, pricing_param) not in known:
            raise RequestWrong(
                "assets",
                f"names a title that this account does not have: {adam_id}/{pricing_param}",
            )
    return [known[key] for key in keys]


def everything_of(account: VppAccount, given: Given) -> Iterable[LicensedApp]:
    """The titles of which these holders hold any license."""
    if given["kind"] != BatchKind.REVOKE:
        raise RequestWrong("everything", "goes with kind revoke only")
    if given.get("assets"):
        raise RequestWrong("everything", "and “assets” exclude each other")
    serials = [normal_serial(serial) for serial in given.get("serialNumbers", ())]
    people = VppUser.objects.filter(account=account, pk__in=user_ids(given))
    held = Assignment.objects.filter(
        Q(holder_kind=DEVICE, holder__in=serials)
        | Q(holder_kind=USER, holder__in=list(people.values_list("client_user_id", flat=True))),
        organization=account.organization_id,
        account=account,
    )
    titles = LicensedApp.objects.filter(
        pk__in=list(held.values_list("licensed_app", flat=True).distinct())
    )
    if not titles:
        raise NothingHeld
    return titles


def plan_named(
    membership: Membership, account: VppAccount, given: Given, kinds: Sequence[str] = OF_LICENSES
) -> BatchPlan:
    """The plan of an earlier dry run; what else was sent has to be what it was made of."""
    if given["dryRun"]:
        raise RequestWrong("dryRun", "and “planId” exclude each other")
    plans = BatchPlan.objects.visible_to(membership).filter(account=account, kind__in=kinds)
    plan: BatchPlan | None = plans.filter(pk=given["planId"]).first()
    if plan is None:
        raise PlanUnknown
    for name, (asked, planned) in compared(plan, account, given).items():
        if asked != planned:
            raise RequestWrong(
                name, "is not what this plan was made of; leave it out or plan again"
            )
    return plan


def compared(plan: BatchPlan, account: VppAccount, given: Given) -> dict[str, tuple[Any, Any]]:
    """What was sent, each with what the plan has in its place."""
    wish = plan.request
    titles = {title.pk for title in assets(account, given)}
    serials = {normal_serial(serial) for serial in given.get("serialNumbers", ())}
    pairs = {
        "assets": (titles, set(wish["titles"])),
        "serialNumbers": (serials, set(wish["serials"])),
        "userIds": (set(user_ids(given)), set(wish["users"])),
        **{name: (given.get(name), wish[name]) for name in SAME_NAME},
    }
    return {name: pair for name, pair in pairs.items() if name in given}


def start_current(
    plan: BatchPlan, *, by: Actor, membership: Membership, confirmed: bool, attempts: int = ATTEMPTS
) -> Batch:
    """Start a plan that nobody has looked at: one that came out worse meanwhile is as good."""
    try:
        return batches.start(by=by, membership=membership, plan=plan, confirm_irrevocable=confirmed)
    except PlanGotWorse as changed:
        if attempts == 1:
            raise
        return start_current(
            changed.plan, by=by, membership=membership, confirmed=confirmed, attempts=attempts - 1
        )
