"""Devices that leave: what is said before, and what becomes of their licenses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from licensing.models import (
    Assignment,
    DepartureChoice,
    LicensedApp,
    ProtectedHolder,
    Reclaim,
    ReclaimCause,
)
from licensing.models.assignments import AssignmentQuerySet
from licensing.reclaim.causes import DEVICE, HELD, TITLES
from licensing.reclaim.protection import IS_PROTECTED
from licensing.reclaim.rules import Departure, departure_of
from licensing.reclaim.telling import record_by_title
from licensing.reclaim.waking import wake
from organizations.audit import Actor
from organizations.bulk import execute, returned
from organizations.models import Membership, Organization
from organizations.models.inventory import DeviceQuerySet
from vpp_accounts.models import VppAccount

TABLE = Reclaim._meta.db_table
State = Reclaim.State
KEPT_THEN = "Kept when the device left."

# --- What is said before --------------------------------------------------------------------------


@dataclass(slots=True)
class Holdings:
    """What the devices hold, in numbers. `accounts`: by the name of those that may be changed."""

    devices: int = 0
    accounts: dict[str, int] = field(default_factory=dict)
    permanent: int = 0
    protected: int = 0
    by_hand: int = 0
    others: list[str] = field(default_factory=list)  # accounts whose licenses stay
    has_others: bool = False

    @property
    def returning(self) -> int:
        return sum(self.accounts.values())


def consequences(
    organization: Organization,
    devices: DeviceQuerySet,
    cause: str,
    membership: Membership | None = None,
) -> list[str]:
    """Sentences for whoever is about to do it. Without a membership of all accounts, none by name."""
    found = holdings(organization, devices, membership)
    if not (found.returning or found.permanent or found.protected or found.has_others):
        return ["They hold no licenses."]
    sentences = [
        _held(found, by_account=membership is not None),
        *_stays(found),
        *(_moving(found) if cause == "moved" else ()),
    ]
    return [each for each in [*sentences, _default(organization)] if each]


def holdings(
    organization: Organization, devices: DeviceQuerySet, membership: Membership | None
) -> Holdings:
    licenses = _licenses_of(organization, devices)
    names = dict(_managed(organization, membership).values_list("pk", "name"))
    ours = licenses.filter(account__in=names)
    protected = _protected()
    by_account = ours.filter(licensed_app__revocable=True).exclude(protected)
    counted = dict(
        by_account.order_by()
        .values_list("account")
        .annotate(n=Count("*"))
        .values_list("account", "n")
    )
    others = licenses.exclude(account__in=names)
    seen = VppAccount.objects.filter(pk__in=others.values("account"))
    if membership is not None:
        seen = seen.open_to(membership)
    return Holdings(
        devices=_number_of_holders(ours),
        accounts={
            names[pk]: n for pk, n in sorted(counted.items(), key=lambda each: names[each[0]])
        },
        permanent=_number(ours.filter(licensed_app__revocable=False)),
        protected=_number(ours.filter(protected, licensed_app__revocable=True)),
        by_hand=_number(by_account.exclude(origin=Assignment.Origin.RULE)),
        others=sorted(seen.values_list("name", flat=True)),
        has_others=others.exists(),
    )


def _licenses_of(organization: Organization, devices: DeviceQuerySet) -> AssignmentQuerySet:
    serials = devices.filter(serial_number__isnull=False).order_by().values("serial_number")
    return Assignment.objects.filter(
        organization=organization, holder_kind=DEVICE, holder__in=serials
    )


def _managed(organization: Organization, membership: Membership | None) -> Any:
    every = VppAccount.objects.filter(organization=organization)
    return every if membership is None else every.manageable_by(membership)


def _protected() -> Q:
    title = LicensedApp.objects.filter(pk=OuterRef(OuterRef("licensed_app")))
    rows = ProtectedHolder.objects.filter(
        Q(adam_id="") | Q(adam_id__in=title.values("adam_id")),
        organization=OuterRef("organization"),
        holder_kind=OuterRef("holder_kind"),
        holder=OuterRef("holder"),
    )
    return Q(Exists(rows))


def _number(licenses: AssignmentQuerySet) -> int:
    return int(licenses.aggregate(n=Count("*"))["n"])


def _number_of_holders(licenses: AssignmentQuerySet) -> int:
    return int(licenses.aggregate(n=Count("holder", distinct=True))["n"])


def _held(found: Holdings, *, by_account: bool) -> str:
    """“12 devices hold 96 licenses that can be taken back: 60 in North, 36 in South.”"""
    if not found.returning:
        return ""
    told = (
        f"{_counted(found.devices, 'device holds', 'devices hold')}"
        f" {_counted(found.returning, 'license', 'licenses')} that can be taken back"
    )
    where = ", ".join(f"{number:,} in {name}" for name, number in found.accounts.items())
    return f"{told}: {where}." if by_account else f"{told}."


def _stays(found: Holdings) -> list[str]:
    told = []
    if n := found.permanent:
        told.append(
            f"{_counted(n, 'license is', 'licenses are')} permanent and cannot be taken back."
        )
    if n := found.protected:
        stays = "stays" if n == 1 else "stay"
        told.append(f"{_counted(n, 'license is', 'licenses are')} protected and {stays} assigned.")
    if found.has_others:
        names = ", ".join(found.others) or "VPP accounts that you do not see"
        told.append(
            f"Licenses in {names} stay assigned, since you do not manage them; only a rule under"
            " VPP > Reclaim takes those back."
        )
    return told


def _moving(found: Holdings) -> list[str]:
    told = ["What an app of the new network wants stays."]
    if n := found.by_hand:
        told.append(
            f"{_counted(n, 'license', 'licenses')} that no rule granted"
            f" {'goes' if n == 1 else 'go'} back only if you choose “Take them back now”."
        )
    return told


def _default(organization: Organization) -> str:
    departure = departure_of(organization.pk)
    days = _counted(departure.days, "day", "days")
    return {
        DepartureChoice.NOW.value: "Unless you choose otherwise, they are taken back now.",
        DepartureChoice.LATER.value: f"Unless you choose otherwise, they are taken back after {days}.",
    }.get(departure.choice, "Unless you choose otherwise, they stay assigned.")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


# --- When they leave ------------------------------------------------------------------------------


def depart(
    *,
    organization: Organization,
    devices: DeviceQuerySet,
    cause: str,
    choice: str,
    days: int | None,
    by: Actor,
) -> None:
    """In the transaction in which they leave. A worker takes back what goes now, after the commit;
    whoever leaves by nobody's choice goes as the organization has it."""
    departure = _chosen(organization, choice, days)
    parameters = _parameters(organization, devices, cause, by) | {
        # A person who chose has seen the numbers; who did not has not.
        "allowed_by": by.name[:254] if choice and by.admin else "",
        "only_rules": cause == ReclaimCause.MOVED and choice != DepartureChoice.NOW,
    }
    if departure.choice == DepartureChoice.KEEP:
        _keep(by, parameters)
    else:
        wait = departure.days if departure.choice == DepartureChoice.LATER else 0
        _plan(by, parameters, wait)
    if departure.choice == DepartureChoice.NOW:
        wake(organization.pk)


def _chosen(organization: Organization, choice: str, days: int | None) -> Departure:
    default = departure_of(organization.pk)
    return Departure(choice or default.choice, default.days if days is None else days)


def _parameters(
    organization: Organization, devices: DeviceQuerySet, cause: str, by: Actor
) -> dict[str, Any]:
    named = (
        devices.filter(serial_number__isnull=False).order_by().values_list("serial_number", "name")
    )
    rows = list(named)
    accounts = _managed(organization, _membership(organization, by))
    return {
        "organization": organization.pk,
        "serials": [serial for serial, _ in rows],
        "names": [name[:200] for _, name in rows],
        "accounts": list(accounts.values_list("pk", flat=True)),
        "cause": cause,
        "by": by.name[:254],
        "now": timezone.now(),
    }


def _membership(organization: Organization, by: Actor) -> Membership | None:
    """None: no person does it, so no rights of a person bound it."""
    if by.admin is None:
        return None
    return Membership.objects.of(by.admin).get(organization=organization)


def _plan(by: Actor, parameters: dict[str, Any], wait: int) -> None:
    due = parameters["now"] + timedelta(days=wait)
    rows = returned(_PLAN, parameters | {"state": State.PLANNED, "due": due, "note": ""})
    label = str(ReclaimCause(parameters["cause"]).label)
    record_by_title(action="reclaim.planned", by=by, pairs=rows, cause=label, days=wait)


@transaction.atomic
def _keep(by: Actor, parameters: dict[str, Any]) -> None:
    """Rules pass over them until the same happens again."""
    execute(_LET_GO, parameters | {"note": KEPT_THEN})
    kept = {"state": State.UNDONE, "due": None, "note": KEPT_THEN, "only_rules": False}
    rows = returned(_PLAN, parameters | kept)
    label = str(ReclaimCause(parameters["cause"]).label)
    record_by_title(action="reclaim.kept", by=by, pairs=rows, cause=label)


# What was found or planned before is from now on as chosen here.
_PLAN = f"""
    INSERT INTO {TABLE} AS reclaim (
        organization_id, account_id, licensed_app_id, holder_kind, holder, holder_name, cause,
        since, state, note, found_at, due_at, by_name, changed_at, changed_by, attempts, allowed_by)
    SELECT %(organization)s, held.account_id, held.licensed_app_id, '{DEVICE}', held.holder,
           leaving.name, %(cause)s, %(now)s, %(state)s, %(note)s, %(now)s, %(due)s, %(by)s, %(now)s,
           %(by)s, 0, %(allowed_by)s
    FROM unnest(%(serials)s::text[], %(names)s::text[]) AS leaving (serial, name)
    JOIN {HELD} AS held ON held.organization_id = %(organization)s
     AND held.holder = leaving.serial COLLATE "C" AND held.holder_kind = '{DEVICE}'
    JOIN {TITLES} AS title ON title.id = held.licensed_app_id
    WHERE title.revocable AND held.account_id = ANY(%(accounts)s::bigint[]) AND NOT {IS_PROTECTED}
      AND (NOT %(only_rules)s OR held.origin = '{Assignment.Origin.RULE}')
    ORDER BY held.licensed_app_id, held.holder
    ON CONFLICT (licensed_app_id, holder_kind, holder)
        WHERE state IN {tuple(str(state) for state in Reclaim.OPEN)}
    DO UPDATE SET cause = excluded.cause, since = excluded.since, state = excluded.state,
                  due_at = excluded.due_at, by_name = excluded.by_name, note = '',
                  allowed_by = excluded.allowed_by, waits_since = NULL,
                  changed_at = excluded.changed_at, changed_by = excluded.changed_by
        WHERE reclaim.state <> '{State.STARTED}'
    RETURNING licensed_app_id, holder
"""  # noqa: S608  table names are the models'

_LET_GO = f"""
    UPDATE {TABLE} SET state = '{State.VOID}', note = %(note)s, changed_at = %(now)s,
                       changed_by = %(by)s
    WHERE organization_id = %(organization)s AND holder_kind = '{DEVICE}'
      AND holder = ANY(%(serials)s::text[]) AND account_id = ANY(%(accounts)s::bigint[])
      AND state IN ('{State.FOUND}', '{State.PLANNED}')
"""  # noqa: S608
