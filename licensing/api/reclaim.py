"""Licenses that could serve somebody else: listed, taken back, kept, decided about."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from licensing import batches
from licensing.api import batch_requests
from licensing.api.batch_answers import batch_json, plan_json
from licensing.api.batch_requests import RequestWrong
from licensing.api.doors import AssetApiView
from licensing.api.reclaim_serializers import (
    ChooseReclaimsSerializer,
    DecideReclaimSerializer,
    KeptSerializer,
    LookingSerializer,
    NewlyProtectedSerializer,
    ReclaimBatchSerializer,
    ReclaimDecisionSerializer,
    ReclaimPlanSerializer,
    ReclaimSerializer,
    ReclaimSummarySerializer,
    TakeReclaimsSerializer,
)
from licensing.holders import DEVICE
from licensing.models import LicensedApp, Reclaim, ReclaimCause
from licensing.models.reclaim import ReclaimQuerySet
from licensing.reclaim import choosing, protection
from licensing.reclaim.choosing import TO_BE_TAKEN
from licensing.reclaim.waking import wake_to_look
from licensing.reclaim.worth import worth
from licensing.tables.reclaim import matches
from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.models import Device, Network

RECLAIMS = PageSize(default=1000, largest=1000)
TAG = "Reclaim"
ALL = "all"
STATES = [*Reclaim.State.values, ALL]


class ReclaimsView(OrganizationApiView):
    @operation(
        "getOrganizationSmReclaim",
        "List the licenses that could be freed, newest first",
        tag=TAG,
        answers={200: ReclaimSerializer(many=True)},
        parameters=[
            query("state", "Without it those that are found, planned or started.", enum=STATES),
            query("cause", "Only what was found because of this.", enum=ReclaimCause.values),
            query("waitsForDecision", "true: only what waits for a decision.", type=bool),
            query("vppAccountId", "Only licenses of this account."),
            query("adamId", "Only licenses of this title."),
            query("networkId", "Only licenses of devices in this network."),
            query("search", "The beginning of a serial number, or a part of a name."),
            *paged(RECLAIMS),
        ],
        description="Of the VPP accounts whose licenses the key may see; of devices in networks that it"
        " may see.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        rows = self._filtered(request).select_related("licensed_app__app")
        shape = paging.each(reclaim_json)
        return paging.listed(request, rows, size=RECLAIMS, shape=shape, newest_first=True)

    def _filtered(self, request: Request) -> ReclaimQuerySet:
        rows = _in_state(request, Reclaim.objects.visible_to(self.membership))
        told = {
            "cause": parameters.choice(request, "cause", ReclaimCause.values),
            "account": parameters.row_id(request, "vppAccountId"),
            "licensed_app__adam_id": parameters.text(request, "adamId"),
        }
        rows = rows.filter(**{name: value for name, value in told.items() if value})
        if network_id := parameters.row_id(request, "networkId"):
            networks = Network.objects.visible_to(self.membership).filter(pk=network_id)
            devices = Device.objects.filter(network__in=networks, serial_number__isnull=False)
            rows = rows.filter(holder_kind=DEVICE, holder__in=devices.values("serial_number"))
        if words := parameters.text(request, "search").strip():
            rows = rows.filter(matches(words))
        return rows


class ReclaimSummaryView(OrganizationApiView):
    @operation(
        "getOrganizationSmReclaimSummary",
        "Show how many licenses could be freed, and what waits for a decision",
        tag=TAG,
        answers={200: ReclaimSummarySerializer},
        description="Of what the key may see; without what is kept or just being taken back.",
    )
    def get(self, request: Request, **path: str) -> Response:
        found = worth(self.membership)
        waiting = choosing.waiting_for_decision(self.membership)
        return Response(
            {
                "licenses": found.licenses,
                "devices": found.devices,
                "planned": found.planned,
                "causes": [
                    {"cause": part.value, "licenses": part.licenses} for part in found.causes
                ],
                "worth": found.money,
                "pricesAsOf": found.prices_as_of,
                "asOf": found.as_of,
                "waitingForDecision": [waiting_json(each) for each in waiting],
            }
        )


class LookForReclaimsView(OrganizationApiView):
    network_writes = True

    @operation(
        "lookOrganizationSmReclaim",
        "Look now for licenses that could be freed",
        tag=TAG,
        answers={202: LookingSerializer},
        description="A worker does it; it is done when …/sm/reclaim/summary has a later asOf.",
    )
    def post(self, request: Request, **path: str) -> Response:
        as_of = worth(self.membership).as_of
        wake_to_look(self.organization.pk)
        return Response({"asOf": as_of}, status=202)


class ReclaimActionView(OrganizationApiView):
    network_writes = True

    def chosen(self, given: dict[str, Any]) -> ReclaimQuerySet:
        ids = [int(text) for text in given["reclaimIds"]]
        return Reclaim.objects.visible_to(self.membership).filter(pk__in=ids, state__in=TO_BE_TAKEN)


class TakeReclaimsView(ReclaimActionView):
    @operation(
        "takeOrganizationSmReclaim",
        "Take back some of these licenses now",
        tag=TAG,
        body=TakeReclaimsSerializer,
        answers={202: ReclaimBatchSerializer, 200: ReclaimPlanSerializer},
        description=(
            "Answers with the batch, which goes on by itself; with dryRun with its plan, and nothing is"
            " changed. Those that are not the key's to take back are passed over. Refused with the code"
            " several_accounts where they are of several VPP accounts, and with 409 and nothing_to_take"
            " where none is left."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = TakeReclaimsSerializer.checked(request)
        chosen = choosing.take_now(membership=self.membership, rows=self.chosen(given))
        where = {"vppAccountId": str(chosen.account.pk)}
        who: dict[str, Any] = {"by": self.actor, "membership": self.membership}
        plan = batches.make_plan(account=chosen.account, wish=chosen.wish, **who)
        if given["dryRun"]:
            return Response(plan_json(plan) | where)
        batch = batch_requests.start_current(plan, confirmed=False, **who)
        return Response(batch_json(batch) | where, status=202)


class KeepReclaimsView(ReclaimActionView):
    @operation(
        "keepOrganizationSmReclaim",
        "Keep some of these licenses where they are",
        tag=TAG,
        body=ChooseReclaimsSerializer,
        answers={200: KeptSerializer},
        description="Rules pass over them until the same happens again. Refused with 409 and the code"
        " too_late where a batch takes all of them back already.",
    )
    def post(self, request: Request, **path: str) -> Response:
        rows = self.chosen(ChooseReclaimsSerializer.checked(request))
        number = choosing.keep(by=self.actor, membership=self.membership, rows=rows)
        return Response({"kept": number})


class ProtectReclaimsView(ReclaimActionView):
    network_writes = False

    @operation(
        "protectOrganizationSmReclaim",
        "Protect the holders of some of these licenses, each for its title",
        tag=TAG,
        body=ChooseReclaimsSerializer,
        answers={200: NewlyProtectedSerializer},
        description="No rule takes these licenses back, now or later, until the protection ends:"
        " …/sm/reclaim/protected.",
    )
    def post(self, request: Request, **path: str) -> Response:
        rows = self.chosen(ChooseReclaimsSerializer.checked(request))
        number = protection.protect(
            by=self.actor,
            membership=self.membership,
            organization=self.organization,
            whom=protection.holding(rows.select_related("licensed_app")),
            reason="From the list of Reclaim.",
        )
        return Response({"protected": number})


class DecideReclaimView(AssetApiView):
    @operation(
        "decideOrganizationSmVppAccountAssetReclaim",
        "Decide whether so many licenses of a title go back at once",
        tag=TAG,
        body=DecideReclaimSerializer,
        answers={200: ReclaimDecisionSerializer},
        description=(
            "What rules and choices would take back at once, and that is so much that somebody decides:"
            " …/sm/reclaim/summary has them. Refused with 409: nothing_waits where nothing does, and"
            " more_waits where it has become more than shown."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = DecideReclaimSerializer.checked(request)
        if given["allow"] and "shown" not in given:
            raise RequestWrong("shown", "is missing; it goes with “allow”")
        number = choosing.decide(
            by=self.actor,
            membership=self.membership,
            title=self.title,
            allow=given["allow"],
            shown=given.get("shown", 0),
        )
        return Response({"allowed": given["allow"], "licenses": number})


def _in_state(request: Request, rows: ReclaimQuerySet) -> ReclaimQuerySet:
    state = parameters.choice(request, "state", STATES)
    waits = parameters.boolean(request, "waitsForDecision")
    if waits is not None:
        waiting = Reclaim.objects.waiting().values("pk")
        rows = rows.filter(pk__in=waiting) if waits else rows.exclude(pk__in=waiting)
    if not state:
        return rows.open()
    return rows if state == ALL else rows.filter(state=state)


def reclaim_json(row: Reclaim) -> dict[str, Any]:
    on_device = row.holder_kind == DEVICE
    return {
        "id": str(row.pk),
        "vppAccountId": str(row.account_id),
        **title_json(row.licensed_app),
        "serialNumber": row.holder if on_device else None,
        "clientUserId": None if on_device else row.holder,
        "deviceName": row.holder_name,
        "cause": row.cause,
        "since": row.since,
        "state": row.state,
        "waitsForDecision": row.waits_for_decision,
        "message": row.note or None,
        "foundAt": row.found_at,
        "dueAt": row.due_at,
        "chosenBy": row.by_name or None,
        "changedAt": row.changed_at,
        "changedBy": row.changed_by or None,
        "batchId": str(row.batch_id) if row.batch_id else None,
    }


def waiting_json(each: choosing.Waiting) -> dict[str, Any]:
    return {
        "vppAccountId": str(each.title.account_id),
        **title_json(each.title),
        "licenses": each.number,
        "assigned": each.held,
        "since": each.since,
    }


def title_json(title: LicensedApp) -> dict[str, Any]:
    return {
        "adamId": title.adam_id,
        "pricingParam": title.pricing_param,
        "name": title.app.name or None,
    }
