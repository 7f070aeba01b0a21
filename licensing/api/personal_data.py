# ruff: noqa: N815  # the names are those on the wire
"""A person's data over REST: given out, and erased."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from licensing.personal_data import Erasure, erase, export, plan_erasure
from organizations.api import parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, query
from organizations.api.serializers import WireSerializer
from organizations.models import Owner

TAG = "Owners"


class ErasureSerializer(WireSerializer):
    """What was begun, or with dryRun what would be."""

    batchIds = serializers.ListField(
        child=serializers.CharField(), help_text="Batches that retire the person at Apple."
    )
    accounts = serializers.IntegerField(help_text="VPP accounts in which there was a record.")
    licensesReturning = serializers.IntegerField()
    licensesStaying = serializers.IntegerField(
        help_text="Books and other permanent licenses, which stay with the Apple Account."
    )
    devices = serializers.IntegerField(help_text="Devices that lose their owner.")
    obstacle = serializers.CharField(
        allow_null=True, help_text="Why nothing can be erased now; with dryRun only."
    )


class OwnerDataSerializer(WireSerializer):
    """docs/personal-data.md names the fields inside."""

    format = serializers.CharField()
    exportedAt = serializers.DateTimeField()
    owner = serializers.DictField()
    devices = serializers.ListField(child=serializers.DictField())
    accounts = serializers.ListField(child=serializers.DictField())
    recordsInClosedAccounts = serializers.IntegerField()
    importRows = serializers.ListField(child=serializers.DictField())
    events = serializers.ListField(child=serializers.DictField())


class OwnerDataView(OrganizationApiView):
    organization_wide = True

    owner: Owner

    def enter(self) -> None:
        super().enter()
        visible = Owner.objects.visible_to(self.membership).select_related("organization")
        owner = visible.filter(pk=self.row_id("ownerId")).first()
        if owner is None:
            raise Http404
        self.owner = owner

    @operation(
        "getOrganizationSmOwnerData",
        "Export everything that is stored about a person",
        tag=TAG,
        answers={200: OwnerDataSerializer},
        description=(
            "What is said of the owner, devices, records in VPP accounts with their steps, invitations "
            "and licenses, rows of imported files, events. Nothing of other people, and no codes or "
            "links of invitations. Records in accounts that are closed to you are only counted."
        ),
    )
    def get(self, request: Request, **path: str) -> Response:
        if not self.membership.can_write:
            raise PermissionDenied(
                "A person's data are for admins with full access to the organization."
            )
        told = export(by=self.actor, membership=self.membership, owner=self.owner)
        return Response(told)

    @operation(
        "deleteOrganizationSmOwnerData",
        "Erase a person's data",
        tag=TAG,
        answers={200: ErasureSerializer},
        parameters=[query("dryRun", "`true`: only say what would happen.", enum=("true", "false"))],
        description=(
            "The person is retired in every VPP account, so that their licenses return; books and other "
            "permanent licenses stay with them at Apple. Name, addresses, tags, invitations and their "
            "mails are erased here at once, and the owner is deleted. The audit log stays. There is no "
            "way back. Answers once everything here is done; the batches at Apple run on."
        ),
    )
    def delete(self, request: Request, **path: str) -> Response:
        erasure = plan_erasure(self.owner, self.membership)
        if parameters.boolean(request, "dryRun"):
            return Response(erasure_json(erasure, []))
        begun = erase(by=self.actor, membership=self.membership, owner=self.owner)
        return Response(erasure_json(erasure, [str(batch.pk) for batch in begun]))


def erasure_json(erasure: Erasure, batch_ids: list[str]) -> dict[str, Any]:
    return {
        "batchIds": batch_ids,
        "accounts": len(erasure.places) + len(erasure.closed),
        "licensesReturning": erasure.returning,
        "licensesStaying": erasure.staying,
        "devices": erasure.devices,
        "obstacle": str(erasure.obstacle) if erasure.obstacle else None,
    }
