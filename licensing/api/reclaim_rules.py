"""The rules of Reclaim, and what they would find."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from licensing.api.batch_requests import RequestWrong
from licensing.api.names import title_keys
from licensing.api.reclaim import TAG
from licensing.api.reclaim_rules_serializers import (
    CandidateSerializer,
    FoundByRuleSerializer,
    PreviewRulesSerializer,
    RulesSerializer,
    UpdateRulesSerializer,
)
from licensing.models import ReclaimCause
from licensing.reclaim.finding import Candidate, Reach, candidates, count
from licensing.reclaim.refusals import DaysOutOfRange
from licensing.reclaim.rules import MOST_DAYS, Departure, Rule, departure_of, rules_of, save_rules
from organizations.api import parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, query

MOST_CANDIDATES = 5000
DEFAULT_DAYS = 30


class ReclaimRulesView(OrganizationApiView):
    @operation(
        "getOrganizationSmReclaimRules",
        "Show what is taken back by itself",
        tag=TAG,
        answers={200: RulesSerializer},
        description="A rule for each cause. What rules that do not take back would find is listed all"
        " the same.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return self.told()

    @operation(
        "updateOrganizationSmReclaimRules",
        "Change what is taken back by itself",
        tag=TAG,
        body=UpdateRulesSerializer,
        answers={200: RulesSerializer},
        description=(
            "Rules and fields that are not sent stay as they are. What the rules find is planned in a"
            " moment, and taken back when its days of grace are over; …/sm/reclaim/preview says before"
            " how much that would be."
        ),
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateRulesSerializer.checked(request)
        was = departure_of(self.organization.pk)
        save_rules(
            by=self.actor,
            membership=self.membership,
            organization=self.organization,
            rules=merged(given.get("rules", []), rules_of(self.organization.pk)),
            departure=replace(was, **given.get("departure", {})),
        )
        return self.told()

    def told(self) -> Response:
        rules = rules_of(self.organization.pk).values()
        departure: Departure = departure_of(self.organization.pk)
        return Response(
            {"rules": [rule_json(rule) for rule in rules], "departure": asdict(departure)}
        )


class ReclaimPreviewView(OrganizationApiView):
    @operation(
        "getOrganizationSmReclaimPreview",
        "List the licenses that a rule would find now",
        tag=TAG,
        answers={200: CandidateSerializer(many=True)},
        parameters=[
            query(
                "cause",
                f"Of which rule. Default {ReclaimCause.UNENROLLED}.",
                enum=ReclaimCause.values,
            ),
            query(
                "days",
                f"For how long it has to be so, where that counts. Default {DEFAULT_DAYS}.",
                type=int,
            ),
        ],
        description=f"Of what the key may see, and {MOST_CANDIDATES:,} at most.",
    )
    def get(self, request: Request, **path: str) -> Response:
        cause = parameters.choice(request, "cause", ReclaimCause.values) or ReclaimCause.UNENROLLED
        days = parameters.whole_number(
            request, "days", default=DEFAULT_DAYS, smallest=0, largest=MOST_DAYS
        )
        found = candidates(Reach.of(self.membership), cause, days, MOST_CANDIDATES)
        titles = title_keys({each.licensed_app_id for each in found})
        return Response([candidate_json(each, titles) for each in found])

    @operation(
        "createOrganizationSmReclaimPreview",
        "Count the licenses that rules would find now",
        tag=TAG,
        body=PreviewRulesSerializer,
        answers={200: FoundByRuleSerializer(many=True)},
        description="Of each of the rules that are sent, as they would be with it; of all rules, as"
        " they are saved, where none is sent. Nothing is saved.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = PreviewRulesSerializer.checked(request).get("rules", [])
        saved = rules_of(self.organization.pk)
        reach = Reach.of(self.membership)
        rules = merged(given, saved) if given else list(saved.values())
        refuse_nonsense(rules)
        return Response([found_json(rule, reach) for rule in rules])


def merged(given: list[dict[str, Any]], saved: dict[str, Rule]) -> list[Rule]:
    """The rules that were sent, each over what is saved of it."""
    rules: dict[str, Rule] = {}
    for sent in given:
        rule = saved[sent["cause"]]
        if rule.cause in rules:
            raise RequestWrong("rules", f"names “{rule.cause}” twice")
        if sent.get("days") is not None and not rule.waits:
            raise RequestWrong("rules", f"has days for “{rule.cause}”, which needs no time")
        rules[rule.cause] = replace(rule, **_changes(sent))
    return list(rules.values())


def _changes(sent: dict[str, Any]) -> dict[str, Any]:
    names = {"takesBack": "is_enabled", "days": "days", "graceDays": "grace_days"}
    return {ours: sent[name] for name, ours in names.items() if sent.get(name) is not None}


def refuse_nonsense(rules: list[Rule]) -> None:
    if not all(0 <= rule.days <= MOST_DAYS for rule in rules):
        raise DaysOutOfRange(MOST_DAYS)


def found_json(rule: Rule, reach: Reach) -> dict[str, Any]:
    found = count(reach, rule.cause, rule.days)
    return {"cause": rule.cause, "licenses": found.licenses, "devices": found.devices}


def rule_json(rule: Rule) -> dict[str, Any]:
    return {
        "cause": rule.cause,
        "takesBack": rule.is_enabled,
        "days": rule.days if rule.waits else None,
        "graceDays": rule.grace_days,
    }


def candidate_json(each: Candidate, titles: dict[int, tuple[str, str]]) -> dict[str, Any]:
    adam_id, pricing_param = titles[each.licensed_app_id]
    return {
        "vppAccountId": str(each.account_id),
        "adamId": adam_id,
        "pricingParam": pricing_param,
        "serialNumber": each.holder,
        "deviceName": each.name,
        "since": each.since,
    }
