"""Holders that no inventory knows: how many, who, and all their licenses taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from licensing import batches, unknown
from licensing.api import batch_requests
from licensing.api.batch_answers import batch_json, plan_json
from licensing.api.batch_requests import RequestWrong
from licensing.api.batch_serializers import PLAN_GOT_WORSE, BatchSerializer, PlanSerializer
from licensing.api.batches import BatchesApiView
from licensing.api.doors import VppAccountApiView
from licensing.api.holders_serializers import (
    RevokeUnknownSerializer,
    UnknownCountsSerializer,
    UnknownHolderSerializer,
)
from licensing.api.names import title_keys
from licensing.holders import DEVICE, USER
from licensing.models import Assignment
from licensing.tables.unknown_holders import Told, held_by
from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.api.parameters import BadParameter
from vpp_accounts.models import VppAccount

HOLDERS = PageSize(default=1000, largest=1000)
TAG = "Unknown holders"
KINDS = {"devices": DEVICE, "users": USER}
FIELDS = {DEVICE: "serialNumbers", USER: "clientUserIds"}


class UnknownHolderCountsView(OrganizationApiView):
    @operation(
        "getOrganizationSmUnknownHolders",
        "Count the holders that no inventory knows",
        tag=TAG,
        answers={200: UnknownCountsSerializer},
        description="Serial numbers without a device, and client users without an owner, of the VPP"
        " accounts whose licenses the key may see. What took long to find is kept for half an hour.",
    )
    def get(self, request: Request, **path: str) -> Response:
        survey = unknown.survey(self.organization.pk)
        accounts = VppAccount.objects.open_to(self.membership).order_by("pk")
        return Response(
            {
                "asOf": survey.as_of,
                "isCapped": survey.is_capped,
                "vppAccounts": [
                    {
                        "vppAccountId": str(account.pk),
                        "name": account.name,
                        **{name: len(survey.of(account, kind)) for name, kind in KINDS.items()},
                    }
                    for account in accounts
                ],
            }
        )


class UnknownHoldersView(VppAccountApiView):
    needs_allowed_admin = True

    @operation(
        "getOrganizationSmVppAccountUnknownHolders",
        "List the holders of an account that no inventory knows, by name",
        tag=TAG,
        answers={200: UnknownHolderSerializer(many=True)},
        parameters=[
            query("kind", "Devices, which is the default, or users.", enum=list(KINDS)),
            query("search", "Only those that begin so."),
            *paged(HOLDERS),
        ],
        description=f"At most {unknown.MOST:,} of each kind: more are found when these are gone.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        kind = KINDS[parameters.choice(request, "kind", KINDS) or "devices"]
        names = unknown.survey_of(self.account, kind).of(self.account, kind)
        if search := parameters.text(request, "search"):
            starts = (search, search.upper())  # serial numbers are kept in upper case
            names = [name for name in names if name.startswith(starts)]
        account = self.account
        return paging.listed(
            request,
            cast("QuerySet[Any, Any]", Names(names)),
            size=HOLDERS,
            tokens=NameTokens(),
            shape=lambda some: holders_json(account, kind, some),
        )


class RevokeUnknownHoldersView(BatchesApiView):
    @operation(
        "revokeOrganizationSmVppAccountUnknownHolders",
        "Take back every license of holders that no inventory knows",
        tag=TAG,
        body=RevokeUnknownSerializer,
        answers={202: BatchSerializer, 200: PlanSerializer, 409: PLAN_GOT_WORSE},
        description=(
            "Answers with the batch, which goes on by itself; with dryRun with its plan, and nothing is"
            " changed. Refused with the code request_wrong where one of them is known, or holds nothing"
            " any more."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = RevokeUnknownSerializer.checked(request)
        kind, names = self._chosen(given)
        plan = batches.make_plan(
            by=self.actor,
            membership=self.membership,
            account=self.account,
            wish=unknown.wish_to_revoke(self.account, kind, names),
        )
        if given["dryRun"]:
            return Response(plan_json(plan))
        batch = batch_requests.start_current(
            plan, by=self.actor, membership=self.membership, confirmed=False
        )
        return Response(batch_json(batch), status=202)

    def _chosen(self, given: dict[str, Any]) -> tuple[Assignment.HolderKind, list[str]]:
        sent = [kind for kind, field in FIELDS.items() if given.get(field)]
        if len(sent) != 1:
            raise RequestWrong(
                "serialNumbers", "or “clientUserIds” has to name somebody, and not both"
            )
        (kind,) = sent
        names = given[FIELDS[kind]]
        found = set(unknown.survey_of(self.account, kind).of(self.account, kind))
        if others := [name for name in names if name not in found]:
            raise RequestWrong(FIELDS[kind], f"has one that …/unknownHolders has not: {others[0]}")
        return kind, names


class Names:
    """Names that were looked for before, paged as rows are: what a page asks of a queryset."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def filter(self, *, pk__gt: str = "", pk__lt: str | None = None) -> Names:
        ends = [name for name in self.names if pk__lt is None or name < pk__lt]
        return Names([name for name in ends if name > pk__gt])

    def none(self) -> Names:
        return Names([])

    def order_by(self, key: str) -> Names:
        return Names(sorted(self.names, reverse=key.startswith("-")))

    def __getitem__(self, part: slice) -> list[str]:
        return self.names[part]


class NameTokens:
    """A name, marked: it may be any word, also one that means something else in its place."""

    def write(self, row: str) -> str:
        return f"={row}"

    def read(self, name: str, token: str) -> str:
        if not token.startswith("="):
            raise BadParameter(name, "must be a token as the Link header of this list gives it")
        return token[1:]


def holders_json(
    account: VppAccount, kind: Assignment.HolderKind, names: list[str]
) -> Iterator[dict[str, Any]]:
    """Whoever has lost the last license meanwhile is left out."""
    held = held_by(account, kind, names)
    told = Told(account, kind, [each["holder"] for each in held])
    titles = title_keys({pk for each in held for pk in each["titles"]})
    return (holder_json(each, told, titles) for each in held)


def holder_json(
    each: dict[str, Any], told: Told, titles: dict[int, tuple[str, str]]
) -> dict[str, Any]:
    holder, origins = each["holder"], each["origins"]
    assets = sorted(titles[pk] for pk in each["titles"] if pk in titles)
    return {
        "serialNumber": holder if told.is_device else None,
        "clientUserId": None if told.is_device else holder,
        "email": told.email(holder) or None,
        "licenses": each["licenses"],
        "assets": [
            {"adamId": adam_id, "pricingParam": pricing_param} for adam_id, pricing_param in assets
        ],
        "since": each["since"],
        "revocable": told.can_be_chosen(holder),
        "reason": told.reason(holder, origins).value,
        "message": told.why(holder, origins),
    }
