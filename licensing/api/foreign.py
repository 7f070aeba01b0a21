# ruff: noqa: N815  # the names are those on the wire
"""Licenses that somebody else changed at Apple: how many lately, and that an admin has seen it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from licensing.foreign import foreign_changes, looked_back_to, see
from organizations.api.doors import OrganizationApiView, OwnApiView
from organizations.api.openapi import operation
from organizations.api.serializers import WireSerializer
from organizations.models import Membership

TAG = "Foreign changes"


class ChangedAccountSerializer(WireSerializer):
    id = serializers.CharField()
    name = serializers.CharField()


class ForeignChangesSerializer(WireSerializer):
    since = serializers.DateTimeField(
        help_text="From when on: a day ago, or when this admin has last seen them."
    )
    count = serializers.IntegerField(help_text="Entries of the audit log, each about one title.")
    isCapped = serializers.BooleanField(help_text="There are more, which were not counted.")
    vppAccounts = ChangedAccountSerializer(many=True, help_text="Where that was.")


class ForeignChangesView(OrganizationApiView):
    @operation(
        "getOrganizationSmForeignChanges",
        "Show how many licenses somebody else changed at Apple lately",
        tag=TAG,
        answers={200: ForeignChangesSerializer},
        description="Another MDM, or a person in Apple's portal. What it was stands in"
        " …/auditEvents, as the actions assignment.found and assignment.gone.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(changes_json(self.membership))


class SeeForeignChangesView(OwnApiView):
    @operation(
        "seeOrganizationSmForeignChanges",
        "Say that the admin of this key has seen them",
        tag=TAG,
        answers={200: ForeignChangesSerializer},
        description="They are counted anew from now on, for this admin alone: on the pages the notice"
        " is gone until somebody else changes something again.",
    )
    def post(self, request: Request, **path: str) -> Response:
        see(self.membership)
        return Response(changes_json(self.membership))


def changes_json(membership: Membership) -> dict[str, Any]:
    found = foreign_changes(membership)
    accounts = found.accounts.items() if found else ()
    return {
        "since": found.since if found else looked_back_to(membership),
        "count": found.count if found else 0,
        "isCapped": bool(found and found.is_capped),
        "vppAccounts": [{"id": str(pk), "name": name} for pk, name in accounts],
    }
