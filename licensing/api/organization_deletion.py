# ruff: noqa: N815  # the names are those on the wire
"""What deleting an organization would mean for its licenses; `deleteOrganization` does it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from licensing.batches import taking_back
from licensing.batches.taking_back import Held
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation
from organizations.api.serializers import WireSerializer
from organizations.closing import DAYS_TO_UNDO


class HeldSerializer(WireSerializer):
    vppAccountId = serializers.CharField()
    name = serializers.CharField()
    revocable = serializers.IntegerField(
        allow_null=True, help_text="Licenses that could be taken back; null where closed to you."
    )
    permanent = serializers.IntegerField(
        allow_null=True, help_text="Books and the like, which nobody can take back."
    )
    obstacle = serializers.CharField(
        allow_null=True, help_text="Why nothing of this account would be taken back."
    )


class DeletionSerializer(WireSerializer):
    daysToUndo = serializers.IntegerField(help_text="For which a full admin can undo it.")
    vppAccounts = HeldSerializer(many=True)


class OrganizationDeletionView(OrganizationApiView):
    organization_wide = True

    @operation(
        "getOrganizationDeletion",
        "Show what deleting an organization would mean",
        tag="Organizations",
        answers={200: DeletionSerializer},
        description="For full admins: how many licenses `deleteOrganization` would take back with"
        " `takeLicensesBack`, how many stay at Apple in any case, and for how long it can be undone.",
    )
    def get(self, request: Request, **path: str) -> Response:
        if not self.membership.can_write:
            raise PermissionDenied("This is for admins with full access to the organization.")
        held = taking_back.held(self.membership)
        return Response(
            {"daysToUndo": DAYS_TO_UNDO, "vppAccounts": [held_json(each) for each in held]}
        )


def held_json(held: Held) -> dict[str, Any]:
    return {
        "vppAccountId": str(held.account.pk),
        "name": held.account.name,
        "revocable": held.revocable if held.is_known else None,
        "permanent": held.permanent if held.is_known else None,
        "obstacle": held.obstacle or None,
    }
