"""What a plan about people has to know, gathered with a few statements for any number of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from licensing.batches import facts
from licensing.batches.people_plans import (
    InviteSummary,
    PeoplePlan,
    Person,
    RetireSummary,
    WhyNot,
    plan_people,
    why_not_invite,
    why_not_retire,
)
from licensing.batches.plans import TitleFacts
from licensing.models import OPEN_ITEMS, Assignment, BatchItem, BatchKind, ItemState, LicensedApp
from organizations.bulk import returned
from organizations.models import Owner
from users.models import Invitation, VppUser
from vpp_accounts.models import VppAccount

ITEMS, TITLES = BatchItem._meta.db_table, LicensedApp._meta.db_table
HELD, PEOPLE = Assignment._meta.db_table, VppUser._meta.db_table


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to happen to these people, and what that adds up to."""

    plan: PeoplePlan
    summary: RetireSummary | InviteSummary

    @property
    def holders(self) -> list[str]:
        return [person.client_user_id for person in self.plan.go]

    @property
    def unregistered(self) -> list[int]:
        return [person.id for person in self.plan.go if not person.status]


def propose(account: VppAccount, kind: str, user_ids: Sequence[int]) -> Proposal:
    why_not: WhyNot = why_not_retire if kind == BatchKind.RETIRE else why_not_invite
    plan = plan_people(persons(account, user_ids), why_not)
    summary = _retiring(account, plan) if kind == BatchKind.RETIRE else _inviting(plan)
    summary.count(plan)
    return Proposal(plan, summary)


def persons(account: VppAccount, user_ids: Sequence[int]) -> list[Person]:
    """In the order of the ids; also those whom the account does not have."""
    rows = returned(_PERSONS, {"account": account.pk, "ids": list(user_ids)})
    known = {row[0]: Person(*row) for row in rows}
    return [known.get(pk) or Person(pk, f"user {pk}") for pk in user_ids]


def lock(account: VppAccount, user_ids: Sequence[int]) -> None:
    """Two who decide about the same people do so one after another."""
    returned(_LOCK, {"account": account.pk, "ids": list(user_ids)})


def _inviting(plan: PeoplePlan) -> InviteSummary:
    return InviteSummary(
        again=sum(person.was_invited for person in plan.go),
        unregistered=sum(not person.status for person in plan.go),
    )


def _retiring(account: VppAccount, plan: PeoplePlan) -> RetireSummary:
    holders = [person.client_user_id for person in plan.go]
    whose = {
        "organization": account.organization_id,
        "account": account.pk,
        "holders": holders,
    }
    titles = _titles(returned(_BY_TITLE, whose))
    [(staying_with, dropped, invitations)] = returned(_AND_ELSE, whose)
    return RetireSummary(
        titles=titles,
        returning=sum(title["go"] for title in titles),
        irrevocable=sum(title["stay"] for title in titles),
        staying_with=staying_with,
        dropped=dropped,
        invitations=invitations,
        have_left=sum(person.has_left for person in plan.go),
        unregistered=sum(not person.status for person in plan.go),
    )


def _titles(held: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Those of which most returns come first."""
    counts = dict(held)
    found = facts.title_facts(LicensedApp.objects.filter(pk__in=counts))
    lines = [_title(title, counts[title.id]) for title in found]
    return sorted(lines, key=lambda line: (-line["go"], -line["stay"], line["id"]))


def _title(title: TitleFacts, count: int) -> dict[str, Any]:
    go = count if title.revocable else 0
    return {
        "id": title.id,
        "kind": facts.USER.value,
        "go": go,
        "stay": count - go,
        "before": title.free,
        "after": None if title.free is None else title.free + go,
        "revocable": title.revocable,
    }


_OPEN = tuple(str(state) for state in OPEN_ITEMS)

_PERSONS = f"""
    WITH busy AS (
        SELECT holder, kind FROM {ITEMS}
        WHERE account_id = %(account)s AND licensed_app_id IS NULL AND state IN {_OPEN}
          AND kind IN ('{BatchKind.RETIRE}', '{BatchKind.INVITE}'))
    SELECT person.id, person.client_user_id, person.apple_status, person.failure,
           coalesce(nullif(owner.email, ''), person.email) <> '',
           person.invited_at IS NOT NULL, owner.missing_since IS NOT NULL,
           person.client_user_id IN (SELECT holder FROM busy WHERE kind = '{BatchKind.RETIRE}'),
           person.client_user_id IN (SELECT holder FROM busy WHERE kind = '{BatchKind.INVITE}')
    FROM {PEOPLE} AS person
    LEFT JOIN {Owner._meta.db_table} AS owner ON owner.id = person.owner_id
    WHERE person.account_id = %(account)s AND person.id = ANY(%(ids)s::bigint[])
"""  # noqa: S608  table names are the models'

_LOCK = f"""
    SELECT id FROM {PEOPLE} WHERE account_id = %(account)s AND id = ANY(%(ids)s::bigint[])
    ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608

_OF_THEM = """
    organization_id = %(organization)s AND account_id = %(account)s
    AND holder_kind = 'user' AND holder = ANY(%(holders)s)
"""

_BY_TITLE = f"""
    SELECT licensed_app_id, count(*) FROM {HELD} WHERE {_OF_THEM} GROUP BY licensed_app_id
"""  # noqa: S608

_AND_ELSE = f"""
    SELECT
        (SELECT count(DISTINCT holder) FROM {HELD} WHERE {_OF_THEM} AND licensed_app_id IN (
            SELECT id FROM {TITLES} WHERE account_id = %(account)s AND NOT revocable)),
        (SELECT count(*) FROM {ITEMS} WHERE {_OF_THEM} AND kind = '{BatchKind.GRANT}'
            AND state IN ('{ItemState.PLANNED}', '{ItemState.WAITING}')),
        (SELECT count(*) FROM {Invitation._meta.db_table} AS invitation
            JOIN {PEOPLE} AS person ON person.id = invitation.user_id
            WHERE invitation.account_id = %(account)s AND invitation.ended_at IS NULL
              AND person.client_user_id = ANY(%(holders)s))
"""  # noqa: S608
