"""What an organization takes back by itself, and what becomes of the licenses of devices that leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from licensing.models import (
    DepartureChoice,
    LicensingSettings,
    ReclaimCause,
    ReclaimRule,
)
from licensing.reclaim.causes import CAUSES
from licensing.reclaim.refusals import DaysOutOfRange
from licensing.reclaim.telling import refuse_all_but_full
from licensing.reclaim.waking import wake_to_look
from organizations import audit
from organizations.audit import Actor
from organizations.models import Membership, Organization

MOST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Rule:
    """`days`: how long it has to be so, where that counts; `grace_days`: how long after that."""

    cause: str
    is_enabled: bool = False
    days: int = 30
    grace_days: int = 7

    @property
    def label(self) -> str:
        return str(ReclaimCause(self.cause).label)

    @property
    def waits(self) -> bool:
        return CAUSES[self.cause].waits


@dataclass(frozen=True, slots=True)
class Departure:
    """What becomes of the licenses of a device that leaves, where nobody is asked."""

    choice: str = DepartureChoice.NOW
    days: int = 7


def rules_of(organization_id: int) -> dict[str, Rule]:
    """One for each cause, whether it was ever saved or not."""
    saved = ReclaimRule.objects.filter(organization=organization_id)
    fields = ("cause", "is_enabled", "days", "grace_days")
    known = {row[0]: Rule(*row) for row in saved.values_list(*fields)}
    return {cause: known.get(cause) or Rule(cause) for cause in CAUSES}


def departure_of(organization_id: int) -> Departure:
    ours = LicensingSettings.objects.filter(organization=organization_id)
    row = ours.values_list("departure_choice", "departure_days").first()
    return Departure(*row) if row else Departure()


@transaction.atomic
def save_rules(
    *,
    by: Actor,
    membership: Membership,
    organization: Organization,
    rules: Iterable[Rule],
    departure: Departure,
) -> None:
    """Asking for what is so leaves no trace. Whatever changed is looked for at once."""
    refuse_all_but_full(membership)
    rules = list(rules)
    _refuse_nonsense([d for rule in rules for d in (rule.days, rule.grace_days)])
    _refuse_nonsense([departure.days], least=1)
    LicensingSettings.objects.get_or_create(organization=organization)
    settings = LicensingSettings.objects.select_for_update().get(organization=organization)
    before = rules_of(organization.pk)
    for rule in rules:
        ReclaimRule.objects.update_or_create(
            organization=organization, cause=rule.cause, defaults=_values(rule)
        )
    for rule in rules:
        if rule != before[rule.cause]:
            _record(by, organization, before[rule.cause], rule)
    _save_departure(by, organization, settings, departure)
    wake_to_look(organization.pk)


def _save_departure(
    by: Actor, organization: Organization, settings: LicensingSettings, departure: Departure
) -> None:
    before = Departure(settings.departure_choice, settings.departure_days)
    if departure == before:
        return
    settings.departure_choice, settings.departure_days = departure.choice, departure.days
    settings.save(update_fields=["departure_choice", "departure_days"])
    audit.record(
        "reclaim.departure_set",
        by=by,
        organization=organization,
        target=organization,
        before=_departure_facts(before),
        after=_departure_facts(departure),
    )


def _departure_facts(departure: Departure) -> dict[str, Any]:
    return {"licenses": str(DepartureChoice(departure.choice).label), "days": departure.days}


def _record(by: Actor, organization: Organization, before: Rule, after: Rule) -> None:
    audit.record(
        "reclaim.rule_set",
        by=by,
        organization=organization,
        target=ReclaimRule(cause=after.cause),
        before=_facts(before),
        after=_facts(after),
    )


def _facts(rule: Rule) -> dict[str, Any]:
    facts: dict[str, Any] = {"takesBack": rule.is_enabled, "graceDays": rule.grace_days}
    return facts | ({"days": rule.days} if rule.waits else {})


def _values(rule: Rule) -> dict[str, Any]:
    return {name: value for name, value in asdict(rule).items() if name != "cause"}


def _refuse_nonsense(days: list[int], *, least: int = 0) -> None:
    if not all(least <= number <= MOST_DAYS for number in days):
        raise DaysOutOfRange(MOST_DAYS)
