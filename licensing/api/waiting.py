"""Who waits for a license: of everything that the key may see, and of one title."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from licensing import batches
from licensing.api.batch_requests import RequestWrong
from licensing.api.doors import AssetApiView
from licensing.api.waiting_serializers import (
    STEPS,
    ChooseWaitingSerializer,
    MoveWaitingSerializer,
    QueueMovedSerializer,
    TakenOffSerializer,
    WaitingItemSerializer,
)
from licensing.holders import DEVICE, USER
from licensing.models import BatchItem, ItemState, LicensedApp
from licensing.tables.waiting import places_of, waiting_for
from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from users.models import VppUser

WAITING = PageSize(default=1000, largest=1000)
TAG = "Waiting"
HOLDER = [
    query("serialNumber", "Only what this device waits for."),
    query("clientUserId", "Only what this user waits for."),
]
Items = QuerySet[BatchItem, BatchItem]


class WaitingView(OrganizationApiView):
    @operation(
        "getOrganizationSmWaiting",
        "List who waits for a license, oldest first",
        tag=TAG,
        answers={200: WaitingItemSerializer(many=True)},
        parameters=[
            query("vppAccountId", "Only those who wait for licenses of this account."),
            query("adamId", "Only those who wait for this title."),
            *HOLDER,
            *paged(WAITING),
        ],
        description="Of the VPP accounts whose licenses the key may see.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        items = BatchItem.objects.visible_to(self.membership).filter(state=ItemState.WAITING)
        if account_id := parameters.row_id(request, "vppAccountId"):
            items = items.filter(account=account_id)
        if adam_id := parameters.text(request, "adamId"):
            items = items.filter(licensed_app__adam_id=adam_id)
        return listed(request, items)


class AssetWaitingView(AssetApiView):
    @operation(
        "getOrganizationSmVppAccountAssetWaiting",
        "List who waits for a title, oldest first",
        tag=TAG,
        answers={200: WaitingItemSerializer(many=True)},
        parameters=[*HOLDER, *paged(WAITING)],
        description="They are served by place, as licenses become free.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        return listed(request, waiting_for(self.title))


class WaitingActionView(AssetApiView):
    network_writes = True

    def chosen(self, given: dict[str, Any]) -> Items:
        """Ids of anything else than this title's waiting list choose nobody."""
        if given["everyone"] == ("itemIds" in given):
            raise RequestWrong("itemIds", "or “everyone” has to be sent, and not both")
        waiting = waiting_for(self.title)
        if given["everyone"]:
            return waiting
        return waiting.filter(pk__in=[int(text) for text in given["itemIds"]])


class TakeOffView(WaitingActionView):
    @operation(
        "takeOffOrganizationSmVppAccountAssetWaiting",
        "Take some off the waiting list of a title",
        tag=TAG,
        body=ChooseWaitingSerializer,
        answers={200: TakenOffSerializer},
        description=(
            "They wait no longer; whom a rule put there is left alone until an install is asked for."
            " Who is being served at this moment keeps the license. For those whose licenses one has"
            " asked for oneself, or with full access to the organization. Refused with 409 and the code"
            " nothing_waits where none of them waits."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        items = self.chosen(ChooseWaitingSerializer.checked(request))
        number = batches.take_off(by=self.actor, items=items, membership=self.membership)
        return Response({"takenOff": number})


class MoveView(WaitingActionView):
    @operation(
        "moveOrganizationSmVppAccountAssetWaiting",
        "Raise or lower the priority of some who wait for a title",
        tag=TAG,
        body=MoveWaitingSerializer,
        answers={200: QueueMovedSerializer},
        description="All networks share a waiting list, so this needs full access to the organization.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = MoveWaitingSerializer.checked(request)
        number = batches.move_in_queue(
            by=self.actor,
            items=self.chosen(given),
            step=STEPS[given["direction"]],
            membership=self.membership,
        )
        return Response({"moved": number})


def listed(request: Request, items: Any) -> HttpResponseBase:
    shown = _of_holder(request, items).select_related("batch", "licensed_app__app")
    return paging.listed(request, shown, size=WAITING, shape=waiting_json)


def _of_holder(request: Request, items: Items) -> Items:
    if serial := parameters.text(request, "serialNumber"):
        items = items.filter(holder_kind=DEVICE, holder__in={serial, serial.upper()})
    if user := parameters.text(request, "clientUserId"):
        items = items.filter(holder_kind=USER, holder=user)
    return items


def waiting_json(items: list[BatchItem]) -> Iterator[dict[str, Any]]:
    titles = {item.licensed_app_id for item in items if item.licensed_app_id}
    places = places_of([item.pk for item in items], titles)
    people = users_of(items)
    for item in items:
        # Whoever has been served since the page was read waits no longer.
        if item.licensed_app and item.pk in places:
            user_id = people.get((item.account_id, item.holder))
            yield item_json(item, item.licensed_app, places[item.pk], user_id)


def users_of(items: list[BatchItem]) -> dict[tuple[int, str], str]:
    """The ids of those people who wait, by account and clientUserId."""
    named = {item.holder for item in items if item.holder_kind == USER}
    accounts = {item.account_id for item in items}
    people = VppUser.objects.filter(account__in=accounts, client_user_id__in=named)
    rows = people.values_list("account", "client_user_id", "pk")
    return {(account, holder): str(pk) for account, holder, pk in rows}


def item_json(
    item: BatchItem, title: LicensedApp, place: int, user_id: str | None
) -> dict[str, Any]:
    is_person = item.holder_kind == USER
    return {
        "id": str(item.pk),
        "vppAccountId": str(item.account_id),
        "adamId": title.adam_id,
        "pricingParam": title.pricing_param,
        "name": title.app.name or None,
        "serialNumber": None if is_person else item.holder,
        "userId": user_id if is_person else None,
        "clientUserId": item.holder if is_person else None,
        "place": place,
        "priority": item.priority,
        "since": item.changed_at,
        "batchId": str(item.batch_id),
        "createdBy": item.batch.actor_name,
    }
