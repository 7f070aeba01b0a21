"""Organization > Activity: what was done, by whom, and what Apple changed meanwhile."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from organizations.access import AdminRequest, organization_view
from organizations.lists import Column, Listing, render_listing
from organizations.models import AuditEvent, Organization
from organizations.templatetags.activity import action_words, changes

AREAS = (
    ("vpp_account", "VPP accounts"),
    ("sync", "Syncs"),
    ("assignment", "Assignments"),
    ("network", "Networks"),
    ("admin", "Administrators"),
)


def day_input() -> forms.DateInput:
    widget = forms.DateInput()
    widget.input_type = "date"
    return widget


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


class ActivityFilters(django_filters.FilterSet):  # type: ignore[misc]  # it has no types
    search = django_filters.CharFilter(
        method="named",
        label="Search",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Name or person"}),
    )
    who = django_filters.ChoiceFilter(
        field_name="actor_kind",
        choices=AuditEvent.ActorKind.choices,
        label="Who",
        empty_label="Anyone",
    )
    area = django_filters.ChoiceFilter(
        method="within", choices=AREAS, label="Area", empty_label="Everything"
    )
    since = django_filters.DateFilter(method="from_day", label="From", widget=day_input())
    until = django_filters.DateFilter(method="up_to_day", label="To", widget=day_input())

    def named(self, events: QuerySet[AuditEvent], name: str, text: str) -> QuerySet[AuditEvent]:
        return events.filter(Q(target_name__icontains=text) | Q(actor_name__icontains=text))

    def within(self, events: QuerySet[AuditEvent], name: str, area: str) -> QuerySet[AuditEvent]:
        return events.filter(action__startswith=f"{area}.")

    def from_day(self, events: QuerySet[AuditEvent], name: str, day: date) -> QuerySet[AuditEvent]:
        return events.filter(at__gte=midnight(day))

    def up_to_day(self, events: QuerySet[AuditEvent], name: str, day: date) -> QuerySet[AuditEvent]:
        return events.filter(at__lt=midnight(day + timedelta(days=1)))


class ActivityList(Listing[AuditEvent]):
    template = "organizations/_activity_list.html"
    columns = (
        Column("when", "When", sort=("id",)),
        Column("who", "Who"),
        Column("what", "What"),
        Column("target", "On"),
        Column("change", "Change"),
    )
    filterset = ActivityFilters
    default_sort = "-when"
    unique = ("id",)
    counted_column = "id"
    noun = ("event", "events")
    export = {
        "When": lambda event: event.at,
        "Who": lambda event: event.actor_name,
        "Kind": lambda event: event.get_actor_kind_display(),
        "What": lambda event: event.action,
        "On": lambda event: event.target_name,
        "Change": lambda event: "; ".join(" ".join(filter(None, c)) for c in changes(event)),
        "Refused": lambda event: event.refused,
        "In words": action_words,
        "Request": lambda event: event.request_id,
    }


@require_safe
@organization_view()
def activity(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    listing = ActivityList(request.GET, AuditEvent.objects.visible_to(request.membership))
    with timezone.override(organization.zone):  # a day begins at the organization's midnight
        _ = listing.filtered
    if listing.wants_csv:
        return listing.csv_response("activity", zone=organization.zone)
    return render_listing(request, listing, "organizations/activity.html")
