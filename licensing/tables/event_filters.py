"""What can be asked of the audit events. A batch is one line unless its licenses are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any, cast

import django_filters as filters
from django.db.models import Q

from licensing.filters import Choices, Rows, day_input, title_matches
from licensing.models import Assignment, Batch, LicensedApp
from licensing.models.apps import LicensedAppQuerySet
from organizations.audit_log.reach import Reach, newest_of, reach_of_days
from organizations.lists import search_field
from organizations.models import AuditEvent, Membership
from organizations.models.audit import FOUND_AT_APPLE, OF_BATCHES, AuditEventQuerySet
from users.models import VppUser
from vpp_accounts.models import VppAccount

LICENSES = "assignment."
OUTSIDE = "outside"
OTHER_MDM = Assignment.Origin.OTHER_MDM.value
# Beside the kinds of actors: Apple says that something changed, never who changed it.
OTHERS = {
    OUTSIDE: ("Outside of this dashboard", Q(action__in=FOUND_AT_APPLE)),
    OTHER_MDM: ("Another MDM", Q(action=FOUND_AT_APPLE[0], after__origin=OTHER_MDM)),
}


# What no index knows: with one of these, only the newest events are looked through.
WALKS = ("q", "account", "title", "action", "kind", "actor", "who")
EXPORTS = ("csv", "jsonl")  # take their time, and leave nothing out


class EventFilter(filters.FilterSet):
    """`reach`, once the rows were asked for: how far back it looked."""

    reach = Reach()

    q = search_field("Account, person, serial number", method="matching")
    account = filters.ChoiceFilter(
        label="VPP account", empty_label="All accounts", method="of_account"
    )
    title = filters.CharFilter(label="Title", max_length=200, method="of_titles")
    action = filters.ChoiceFilter(
        label="Area", empty_label="All", field_name="action", lookup_expr="startswith"
    )
    kind = filters.ChoiceFilter(label="On", empty_label="Anything", field_name="target_kind")
    actor = filters.CharFilter(
        label="Who", max_length=200, field_name="actor_name", lookup_expr="icontains"
    )
    who = filters.ChoiceFilter(
        label="By",
        empty_label="Anyone",
        choices=[
            *AuditEvent.ActorKind.choices,
            *((name, label) for name, (label, _) in OTHERS.items()),
        ],
        method="by_whom",
    )
    each = filters.ChoiceFilter(
        label="Batches",
        empty_label="One line",
        choices=[("Y", "Each license")],
        method="unfolded",
    )
    refused = filters.ChoiceFilter(
        label="Refused", empty_label="All", choices=[("Y", "Only refused")], method="only_refused"
    )
    since = filters.DateFilter(label="From", method="from_day", widget=day_input())
    until = filters.DateFilter(label="To", method="up_to_day", widget=day_input())

    def __init__(
        self,
        *arguments: Any,
        membership: Membership,
        accounts: Iterable[VppAccount],
        areas: Choices,
        kinds: Choices = (),
        **options: Any,
    ) -> None:
        """Without `kinds` of targets it is not the whole log, and asked for less."""
        super().__init__(*arguments, **options)
        self.membership = membership
        for name in () if kinds else ("kind", "actor", "refused"):
            del self.filters[name]
        if kinds:
            self.filters["kind"].extra["choices"] = kinds
        self.filters["account"].extra["choices"] = [(str(a.pk), a.name) for a in accounts]
        self.filters["action"].extra["choices"] = areas

    def filter_queryset(self, queryset: Rows) -> Rows:
        told = self.form.cleaned_data
        is_each = any(told.get(name) for name in ("each", "q", "title"))
        fold = _as_they_are if is_each or told.get("action") == LICENSES else folded
        ours = fold(AuditEvent.objects.filter(organization=self.membership.organization_id))
        self.reach = self._reach(told, ours)
        return fold(super().filter_queryset(self.reach.of(cast("AuditEventQuerySet", queryset))))

    def _reach(self, told: dict[str, Any], ours: Rows) -> Reach:
        begin, end = told.get("since"), told.get("until")
        reach = reach_of_days(
            self.membership.organization_id,
            self._moment(begin, time.min) if begin else None,
            self._moment(end, time.max) if end else None,
        )
        walks = any(told.get(name) for name in WALKS)
        is_export = self.data.get("format") in EXPORTS
        if is_export or not walks:
            return reach
        return newest_of(cast("AuditEventQuerySet", ours), reach)

    def matching(self, rows: Rows, name: str, value: str) -> Rows:
        """Titles also by the name that they got after the event."""
        named = about(self._titles.filter(app__name__icontains=value))
        told = Q(target_name__icontains=value) | Q(actor_name__icontains=value)
        return rows.filter(told | named | about_holder(value))

    def of_account(self, rows: Rows, name: str, value: str) -> Rows:
        ours = {"account_id": int(value)}
        batches = Batch.objects.visible_to(self.membership).filter(**ours)
        people = VppUser.objects.visible_to(self.membership).filter(**ours)
        return rows.filter(
            Q(target_kind="vppaccount", target_id=int(value))
            | about(self._titles.filter(**ours))
            | Q(target_kind="batch", target_id__in=batches.values("pk"))
            | Q(target_kind="vppuser", target_id__in=people.values("pk"))
        )

    def of_titles(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(about(self._titles.filter(title_matches(value))))

    def by_whom(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(OTHERS[value][1] if value in OTHERS else Q(actor_kind=value))

    def unfolded(self, rows: Rows, name: str, value: str) -> Rows:
        return rows  # see filter_queryset

    def only_refused(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(refused=True)

    def from_day(self, rows: Rows, name: str, value: date) -> Rows:
        return rows.filter(at__gte=self._moment(value, time.min))

    def up_to_day(self, rows: Rows, name: str, value: date) -> Rows:
        return rows.filter(at__lte=self._moment(value, time.max))

    @property
    def _titles(self) -> LicensedAppQuerySet:
        return LicensedApp.objects.visible_to(self.membership)

    def _moment(self, day: date, of_day: time) -> datetime:
        """A day begins and ends at the organization's midnight."""
        return datetime.combine(day, of_day, tzinfo=self.membership.organization.zone)


def _as_they_are(rows: Rows) -> Rows:
    return rows


def folded(rows: Rows) -> Rows:
    """A batch tells of itself when it begins and ends; what it did to each license is left out."""
    return rows.exclude(action__in=OF_BATCHES)


def about(titles: LicensedAppQuerySet) -> Q:
    """Events of these titles and of their licenses."""
    return Q(target_kind="licensedapp", target_id__in=titles.values("pk"))


def about_holder(text: str) -> Q:
    """Events of the licenses of one serial number or client user."""
    names = {text, text.upper()}
    return Q(after__holder__in=names) | Q(before__holder__in=names)
