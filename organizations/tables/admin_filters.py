"""Filters of the list of administrators."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import Exists, OuterRef, Q

from organizations.admins.states import Status, with_status
from organizations.lists import search_field
from organizations.models import Membership, Network, NetworkAccess, OrganizationAccess
from organizations.models.people import MembershipQuerySet
from organizations.signin.lockout import locked


class AdminFilter(filters.FilterSet):
    """Of somebody invited the name is the one that the organization gave them."""

    q = search_field("Name, email", method="matching")
    status = filters.ChoiceFilter(
        label="Status", empty_label="All", choices=Status.choices, method="of_status"
    )
    access = filters.ChoiceFilter(
        label="Organization access", empty_label="All", choices=OrganizationAccess.choices
    )
    network = filters.ChoiceFilter(
        label="Network", empty_label="All", method="with_network", choices=[]
    )

    def __init__(self, *arguments: Any, networks: list[Network], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.filters["network"].extra["choices"] = [(str(each.pk), each.name) for each in networks]

    def matching(self, members: MembershipQuerySet, name: str, value: str) -> MembershipQuerySet:
        return members.filter(Q(admin__email__icontains=value) | Q(shown_name__icontains=value))

    def of_status(self, members: MembershipQuerySet, name: str, value: str) -> MembershipQuerySet:
        # Whoever has to wait is found by their address only.
        emails = Membership.objects.filter(pk__in=members.values("pk"), accepted_at__isnull=False)
        waiting = locked(emails.values_list("admin__email", flat=True))
        return members.filter(with_status(value, waiting))

    def with_network(
        self, members: MembershipQuerySet, name: str, value: str
    ) -> MembershipQuerySet:
        """Those who were given this network, by itself or by a tag; not those who see them all."""
        given = NetworkAccess.objects.filter(membership=OuterRef("pk"), network=int(value))
        return members.filter(Exists(given))
