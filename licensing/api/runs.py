"""Sync now, and how it goes."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from licensing.api.doors import VppAccountApiView
from licensing.api.serializers import (
    SyncRequestSerializer,
    SyncRunSerializer,
    SyncStartedSerializer,
)
from organizations.api import paging
from organizations.api.openapi import operation, paged
from organizations.api.paging import PageSize
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.runs import request_sync

RUNS = PageSize(default=100, largest=1000)
TAG = "Syncs"


class SyncView(VppAccountApiView):
    network_writes = True

    @operation(
        "syncOrganizationSmVppAccount",
        "Sync now",
        tag=TAG,
        body=SyncRequestSerializer,
        answers={202: SyncStartedSerializer},
        description="Answers with the run that is under way where there is one.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = SyncRequestSerializer.checked(request)
        run = request_sync(
            by=self.actor, account=self.account, trigger=SyncRun.Trigger.API, full=given["full"]
        )
        return Response({"syncRunId": str(run.pk)}, status=202)


class SyncRunsView(VppAccountApiView):
    @operation(
        "getOrganizationSmVppAccountSyncRuns",
        "List the syncs of an account, newest first",
        tag=TAG,
        answers={200: SyncRunSerializer(many=True)},
        parameters=paged(RUNS),
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        runs = SyncRun.objects.visible_to(self.membership).filter(account=self.account)
        shape = paging.each(lambda run: run_json(run, self.account))
        return paging.listed(request, runs, size=RUNS, shape=shape, newest_first=True)


class SyncRunView(VppAccountApiView):
    @operation(
        "getOrganizationSmVppAccountSyncRun",
        "Show a sync and its progress",
        tag=TAG,
        answers={200: SyncRunSerializer},
    )
    def get(self, request: Request, **path: str) -> Response:
        runs = SyncRun.objects.visible_to(self.membership).filter(account=self.account)
        run = runs.filter(pk=self.row_id("syncRunId")).first()
        if run is None:
            raise Http404
        return Response(run_json(run, self.account))


def run_json(run: SyncRun, account: VppAccount) -> dict[str, Any]:
    """How much there is to read, and what changed, is for the account's allowed admins."""
    tells = account.is_open
    return {
        "id": str(run.pk),
        "trigger": run.trigger,
        "phase": run.phase,
        "done": run.done if tells else None,
        "total": run.total if tells else None,
        "outcome": run.outcome or None,
        "message": run.message,
        "errorNumber": run.error_number,
        "counts": run.counts if tells else None,
        "createdAt": run.created_at,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
    }
