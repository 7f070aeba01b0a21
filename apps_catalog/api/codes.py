"""Redemption codes of an app, with the services of the pages. No list holds a code itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.api.code_serializers import (
    ChangedCodesSerializer,
    CodeCountsSerializer,
    CodeIdsSerializer,
    CodeSerializer,
    HandedOutSerializer,
    HandOutSerializer,
    RecipientSerializer,
    ShownCodeSerializer,
)
from apps_catalog.api.doors import NetworkAppApiView
from apps_catalog.codes import changing
from apps_catalog.codes.counting import counts_of, lacking
from apps_catalog.codes.handing_out import hand_out, owners_in_scope, recipients, with_code
from apps_catalog.models import RedemptionCode
from apps_catalog.tables.codes import STATES, CodeFilter, RecipientFilter
from organizations.api import paging, parameters
from organizations.api.once import told_once
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.models import Membership, Owner

CODES = PageSize(default=100, largest=1000)
TAG = "Redemption codes"
STATE_WORDS = [value for value, _ in STATES]
HAS_CODE = "has a code of this app already"
NO_RECIPIENT = "is no owner that you see, or has no email address"

described = partial(operation, tag=TAG, deprecated=True)  # as Apple says of codes


class CodesView(NetworkAppApiView):
    @described(
        "getNetworkSmAppCodes",
        "List the redemption codes of an app",
        answers={200: CodeSerializer(many=True)},
        parameters=[
            query("search", "The last letters, an order, or a part of an owner's name or email."),
            query("state", "Only codes in this state.", enum=STATE_WORDS),
            *paged(CODES),
        ],
        description="Without the codes themselves: each is shown by an operation of its own, which"
        " is noted. not_sent are those that were handed out, and whose mail failed.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        ours = RedemptionCode.objects.filter(managed_app=self.managed_app)
        wanted = {
            "q": parameters.text(request, "search").strip(),
            "state": parameters.choice(request, "state", STATE_WORDS),
        }
        found = CodeFilter(wanted, ours.select_related("owner")).qs
        return paging.listed(request, found, size=CODES, shape=paging.each(code_json))


class CodeCountsView(NetworkAppApiView):
    @described(
        "getNetworkSmAppCodesOverview",
        "Count the redemption codes of an app",
        answers={200: CodeCountsSerializer},
    )
    def get(self, request: Request, **path: str) -> Response:
        counts = counts_of(self.managed_app)
        return Response(
            {
                "total": counts.total,
                "unused": counts.unused,
                "handedOut": counts.handed_out,
                "redeemed": counts.redeemed,
                "notSent": counts.not_sent,
                "lacking": lacking(self.managed_app),
                "importedAt": counts.imported_at,
                "asOf": counts.as_of,
            }
        )


class ShowCodeView(NetworkAppApiView):
    @described(
        "showNetworkSmAppCode",
        "Show a redemption code itself",
        answers={200: ShownCodeSerializer},
        description="Whoever reads it can redeem it, so that it was shown is noted in the audit log."
        " It changes nothing else.",
    )
    def post(self, request: Request, **path: str) -> Response:
        ours = RedemptionCode.objects.filter(managed_app=self.managed_app)
        rows = ours.select_related("owner", "organization", "managed_app__network")
        code = rows.filter(pk=self.row_id("codeId")).first()
        if code is None:
            raise Http404
        text = changing.show(by=self.actor, code=code)
        return told_once(self, code_json(code), {"code": text})


# --- Handing out --------------------------------------------------------------------------------------


class CodeRecipientsView(NetworkAppApiView):
    @described(
        "getNetworkSmAppCodesRecipients",
        "List the owners who can be sent a code",
        answers={200: RecipientSerializer(many=True)},
        parameters=[
            query("search", "A part of the name or email."),
            query("hasCode", "Only those who have, or have not, a code of this app.", type=bool),
            query("inScope", "true: only those with a device in the scope of the app.", type=bool),
            *paged(CODES),
        ],
        description="Owners with an email address; of admins of networks those whose devices they"
        " see. For those who may write in the network.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        self.refuse_network_readers()
        has_code = parameters.boolean(request, "hasCode")
        wanted = {
            "q": parameters.text(request, "search").strip(),
            "code": {True: "yes", False: "no", None: ""}[has_code],
            "scope": "in" if parameters.boolean(request, "inScope") else "",
        }
        scope = owners_in_scope(self.managed_app)
        found: QuerySet[Owner] = RecipientFilter(wanted, self._owners(), scope=scope).qs
        return paging.listed(request, found, size=CODES, shape=paging.each(recipient_json))

    def _owners(self) -> QuerySet[Owner]:
        ours: QuerySet[Owner] = recipients(self.membership)
        return ours.annotate(has_code=with_code(self.managed_app))


class HandOutCodesView(NetworkAppApiView):
    @described(
        "handOutNetworkSmAppCodes",
        "Hand out one unused code each, by mail",
        body=HandOutSerializer,
        answers={200: HandedOutSerializer},
        description="Who has a code of this app already gets no second one. Refused with 409 and the"
        " code not_enough_codes where fewer are unused than are wanted; then nobody gets one. A mail"
        " that fails is said by mailProblem of its code. At most 500 owners at a time.",
    )
    def post(self, request: Request, **path: str) -> Response:
        owner_ids = [int(pk) for pk in HandOutSerializer.checked(request)["ownerIds"]]
        codes = hand_out(
            by=self.actor,
            membership=self.membership,
            managed_app=self.managed_app,
            owner_ids=owner_ids,
        )
        served = {code.owner_id for code in codes}
        others = [pk for pk in dict.fromkeys(owner_ids) if pk not in served]
        skipped = passed_over(others, self.membership)
        return Response({"codes": [code_json(code) for code in codes], "skipped": skipped})


def passed_over(owner_ids: list[int], membership: Membership) -> list[dict[str, str]]:
    known = recipients(membership).filter(pk__in=owner_ids)
    served = set(known.values_list("pk", flat=True))
    return [
        {
            "ownerId": str(pk),
            "reason": "hasCode" if pk in served else "noRecipient",
            "message": HAS_CODE if pk in served else NO_RECIPIENT,
        }
        for pk in owner_ids
    ]


# --- What a person says of codes ------------------------------------------------------------------------


class CodesActView(NetworkAppApiView):
    def changed(self, request: Request, service: Callable[..., int]) -> Response:
        code_ids = [int(pk) for pk in CodeIdsSerializer.checked(request)["codeIds"]]
        number = service(by=self.actor, managed_app=self.managed_app, code_ids=code_ids)
        return Response({"changed": number})


class RedeemedCodesView(CodesActView):
    @described(
        "redeemNetworkSmAppCodes",
        "Mark codes as redeemed",
        body=CodeIdsSerializer,
        answers={200: ChangedCodesSerializer},
        description="Also codes that were never handed out. Refused where none of them can be.",
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.changed(request, changing.mark_redeemed)


class TakeBackCodesView(CodesActView):
    @described(
        "takeBackNetworkSmAppCodes",
        "Take codes back that were handed out",
        body=CodeIdsSerializer,
        answers={200: ChangedCodesSerializer},
        description="They are unused again, and mails that have not gone out yet stay here. Whoever"
        " was sent one can still redeem it: Apple cannot be told.",
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.changed(request, changing.take_back)


class DeleteCodesView(CodesActView):
    @described(
        "deleteNetworkSmAppCodes",
        "Delete unused codes",
        body=CodeIdsSerializer,
        answers={200: ChangedCodesSerializer},
        description="For good: only Apple's sheet brings them back. Others than unused ones stay.",
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.changed(request, changing.delete_unused)


def code_json(code: RedemptionCode) -> dict[str, Any]:
    owner = code.owner
    return {
        "id": str(code.pk),
        "appId": str(code.managed_app_id),
        "state": code.state,
        "lastLetters": code.last_letters,
        "order": code.order or None,
        "ownerId": str(owner.pk) if owner else None,
        "ownerName": owner.name if owner else None,
        "email": code.email or None,
        "handedOutAt": code.handed_out_at,
        "redeemedAt": code.redeemed_at,
        "mailProblem": code.mail_problem or None,
        "changedBy": code.changed_by or None,
        "importedAt": code.created_at,
    }


def recipient_json(owner: Any) -> dict[str, Any]:
    """`has_code` is the query's."""
    return {
        "id": str(owner.pk),
        "name": owner.name,
        "email": owner.email,
        "hasCode": owner.has_code,
    }
