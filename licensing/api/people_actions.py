"""Inviting and retiring people over REST: both answer with a batch, or with its plan."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from licensing import batches
from licensing.api import batch_requests
from licensing.api.batch_answers import batch_json, plan_json
from licensing.api.batch_serializers import BatchSerializer
from licensing.api.batches import BatchesApiView
from licensing.api.people_action_serializers import (
    INVITE_GOT_WORSE,
    RETIRE_GOT_WORSE,
    InvitePlanSerializer,
    PeopleRequestSerializer,
    RetirePlanSerializer,
)
from licensing.api.users import TAG
from licensing.models import Batch, BatchKind, BatchPlan
from organizations.api.openapi import operation


class PeopleActionView(BatchesApiView):
    kind: BatchKind

    def answer(self, request: Request) -> Response:
        given = PeopleRequestSerializer.checked(request)
        if "planId" in given:
            return Response(batch_json(self._start(given)), status=202)
        plan = self._plan(given)
        if given["dryRun"]:
            return Response(plan_json(plan))
        batch = batch_requests.start_current(
            plan, by=self.actor, membership=self.membership, confirmed=True
        )
        return Response(batch_json(batch), status=202)

    def _plan(self, given: dict[str, Any]) -> BatchPlan:
        wish = batches.wish_for(
            kind=self.kind.value,
            users=batch_requests.user_ids(given),
            why=given.get("why", batch_requests.WHY),
        )
        return batches.make_plan(
            by=self.actor, membership=self.membership, account=self.account, wish=wish
        )

    def _start(self, given: dict[str, Any]) -> Batch:
        plan = batch_requests.plan_named(self.membership, self.account, given, kinds=(self.kind,))
        return batches.start(
            by=self.actor, membership=self.membership, plan=plan, confirm_irrevocable=True
        )


class InviteUsersView(PeopleActionView):
    kind = BatchKind.INVITE

    @operation(
        "inviteOrganizationSmVppAccountUsers",
        "Invite users of an account",
        tag=TAG,
        body=PeopleRequestSerializer,
        answers={202: BatchSerializer, 200: InvitePlanSerializer, 409: INVITE_GOT_WORSE},
        description=(
            "Each gets a mail with a link of their own; who was invited before gets it once more. Users "
            "whom Apple does not know yet are registered first. Answers with the batch, which is "
            "finished when the mail server has taken the mails; with dryRun with the plan, and nothing "
            "is sent. A plan is started with its planId, and refused with 409 and the code "
            "plan_got_worse where fewer could be invited by now."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.answer(request)


class RetireUsersView(PeopleActionView):
    kind = BatchKind.RETIRE

    @operation(
        "retireOrganizationSmVppAccountUsers",
        "Retire users of an account",
        tag=TAG,
        body=PeopleRequestSerializer,
        answers={202: BatchSerializer, 200: RetirePlanSerializer, 409: RETIRE_GOT_WORSE},
        description=(
            "Their licenses return, except for books and other permanent licenses, which stay with them "
            "for good; what was planned for them is dropped, and their invitations end. With dryRun the "
            "answer is the plan, which says how many that would be, and nothing is changed. A plan is "
            "started with its planId, and refused with 409 and the code plan_got_worse where more would "
            "be lost, or others would be retired, than it says."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.answer(request)
