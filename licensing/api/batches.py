"""Grant and revoke over REST: plan, start, follow, cancel, retry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from licensing import batches
from licensing.api import batch_requests
from licensing.api.batch_answers import batch_json, item_json, names_of, plan_json
from licensing.api.batch_serializers import (
    PLAN_GOT_WORSE,
    BatchItemSerializer,
    BatchRequestSerializer,
    BatchSerializer,
    PlanSerializer,
)
from licensing.api.doors import VppAccountApiView
from licensing.batches.refusals import PlanGotWorse
from licensing.models import Batch, BatchItem, BatchKind, BatchPlan, BatchState, ItemState
from organizations.api import paging, parameters
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize

BATCHES = PageSize(default=100, largest=1000)
ITEMS = PageSize(default=1000, largest=1000)
TAG = "Batches"


class BatchesApiView(VppAccountApiView):
    needs_allowed_admin = True
    network_writes = True

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(exc, PlanGotWorse):
            response.data["plan"] = plan_json(exc.plan)
        return response


class BatchesView(BatchesApiView):
    @operation(
        "getOrganizationSmVppAccountBatches",
        "List the batches of an account, newest first",
        tag=TAG,
        answers={200: BatchSerializer(many=True)},
        parameters=[
            query("kind", "Only batches of this kind.", enum=BatchKind.values),
            query("state", "Only batches in this state.", enum=BatchState.values),
            *paged(BATCHES),
        ],
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        found = Batch.objects.filter(account=self.account)
        if kind := parameters.choice(request, "kind", BatchKind.values):
            found = found.filter(kind=kind)
        if state := parameters.choice(request, "state", BatchState.values):
            found = found.filter(state=state)
        shape = paging.each(batch_json)
        return paging.listed(request, found, size=BATCHES, shape=shape, newest_first=True)

    @operation(
        "createOrganizationSmVppAccountBatch",
        "Grant or revoke licenses",
        tag=TAG,
        body=BatchRequestSerializer,
        answers={202: BatchSerializer, 200: PlanSerializer, 409: PLAN_GOT_WORSE},
        description=(
            "Answers with the batch, which goes on by itself; with dryRun with the plan, and nothing "
            "is changed. A plan is started with its planId, and refused with 409, the code "
            "plan_got_worse and the new plan where fewer would get a license, more would be taken, or "
            "more would be given for good. Without planId the plan of this moment runs."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = BatchRequestSerializer.checked(request)
        if "planId" in given:
            return self._start(given)
        plan = self._plan(given)
        if given["dryRun"]:
            return Response(plan_json(plan))
        batch = batch_requests.start_current(
            plan,
            by=self.actor,
            membership=self.membership,
            confirmed=given["confirmIrrevocable"],
        )
        return Response(batch_json(batch), status=202)

    def _plan(self, given: dict[str, Any]) -> BatchPlan:
        return batches.make_plan(
            by=self.actor,
            membership=self.membership,
            account=self.account,
            wish=batch_requests.wish_of(self.account, given),
        )

    def _start(self, given: dict[str, Any]) -> Response:
        batch = batches.start(
            by=self.actor,
            membership=self.membership,
            plan=batch_requests.plan_named(self.membership, self.account, given),
            confirm_irrevocable=given["confirmIrrevocable"],
        )
        return Response(batch_json(batch), status=202)


class BatchApiView(BatchesApiView):
    """Everything below /batches/{batchId}."""

    batch: Batch

    def enter(self) -> None:
        super().enter()
        batch = Batch.objects.filter(account=self.account, pk=self.row_id("batchId")).first()
        if batch is None:
            raise Http404
        self.batch = batch


class BatchView(BatchApiView):
    @operation(
        "getOrganizationSmVppAccountBatch",
        "Show a batch and its progress",
        tag=TAG,
        answers={200: BatchSerializer},
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(batch_json(self.batch))


class BatchItemsView(BatchApiView):
    @operation(
        "getOrganizationSmVppAccountBatchItems",
        "List what became of each license of a batch",
        tag=TAG,
        answers={200: BatchItemSerializer(many=True)},
        parameters=[
            query("state", "Only items in this state.", enum=ItemState.values),
            *paged(ITEMS),
        ],
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        items = BatchItem.objects.filter(batch=self.batch)
        if state := parameters.choice(request, "state", ItemState.values):
            items = items.filter(state=state)
        return paging.listed(request, items, size=ITEMS, shape=self._shape)

    def _shape(self, items: list[BatchItem]) -> Iterator[dict[str, Any]]:
        names = names_of(self.account.pk, items)
        return (item_json(item, names) for item in items)


class CancelBatchView(BatchApiView):
    @operation(
        "cancelOrganizationSmVppAccountBatch",
        "Cancel what has not been sent to Apple",
        tag=TAG,
        answers={202: BatchSerializer},
        description="What Apple has been asked for runs to its end; who waits for a license no longer does.",
    )
    def post(self, request: Request, **path: str) -> Response:
        batches.cancel(by=self.actor, batch=self.batch, membership=self.membership)
        return Response(batch_json(self.batch), status=202)


class RetryBatchView(BatchApiView):
    @operation(
        "retryOrganizationSmVppAccountBatch",
        "Try again what failed",
        tag=TAG,
        answers={202: BatchSerializer},
        description="Answers with a new batch; who holds a license by now is skipped.",
    )
    def post(self, request: Request, **path: str) -> Response:
        again = batches.retry(by=self.actor, membership=self.membership, batch=self.batch)
        return Response(batch_json(again), status=202)
