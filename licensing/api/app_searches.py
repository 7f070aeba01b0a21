"""Searching the App Store over REST: a worker asks, and the answer is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog import store
from apps_catalog.models import ManagedApp, StoreSearch
from apps_catalog.store.reading import Result
from licensing.api.app_search_serializers import AppSearchRequestSerializer, AppSearchSerializer
from licensing.managing.deployed import deployed_as
from licensing.managing.finding import countries_for
from licensing.managing.stock import Stock, stocks_of
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation
from organizations.models import Membership

TAG = "Apps"
# As it is on the wire, and as it is kept.
TEXTS = {
    "bundleId": "bundle_id",
    "seller": "seller",
    "genre": "genre",
    "version": "version",
    "minimumOs": "minimum_os",
    "price": "price",
    "priceText": "price_text",
    "iconUrl": "icon_url",
    "storeUrl": "store_url",
}


class AppSearchesView(OrganizationApiView):
    network_writes = True

    @operation(
        "createOrganizationSmAppsSearch",
        "Search the App Store",
        tag=TAG,
        body=AppSearchRequestSerializer,
        answers={202: AppSearchSerializer},
        description="A worker asks Apple's public store: GET the search by its id until its state is"
        " no longer asking. Who asks the same within an hour gets the same search. Refused with a"
        " Retry-After where the organization asked too often within a minute.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = AppSearchRequestSerializer.checked(request)
        search = store.ask(
            organization=self.organization,
            term=given["term"],
            country=given.get("country") or countries_for(self.membership, None)[0],
            platform=given["platform"],
        )
        return Response(search_json(search, self.membership), status=202)


class AppSearchView(OrganizationApiView):
    @operation(
        "getOrganizationSmAppsSearch",
        "Show what the App Store has answered",
        tag=TAG,
        answers={200: AppSearchSerializer},
        description="Deploy a result with its adamId, and the country of the search. Custom apps are"
        " in no store: take them from the assets of a VPP account.",
    )
    def get(self, request: Request, **path: str) -> Response:
        searches = StoreSearch.objects.visible_to(self.membership)
        search = searches.filter(pk=self.kwargs["searchId"]).first()
        if search is None:
            raise Http404
        return Response(search_json(search, self.membership))


def search_json(search: StoreSearch, membership: Membership) -> dict[str, Any]:
    return {
        "id": str(search.pk),
        "term": search.term,
        "country": search.country,
        "platform": search.platform,
        "state": state_of(search),
        "message": search.problem or None,
        "askedAt": search.asked_at,
        "answeredAt": search.answered_at,
        "results": list(results_json(search.results, membership)),
    }


def state_of(search: StoreSearch) -> str:
    if search.answered_at is None:
        return "asking"
    return "failed" if search.problem else "answered"


def results_json(results: list[Result], membership: Membership) -> Iterator[dict[str, Any]]:
    adam_ids = [result["adam_id"] for result in results]
    stocks = stocks_of(membership, adam_ids)
    deployed = deployed_as(adam_ids, membership)
    for result in results:
        adam_id = result["adam_id"]
        ours = [stock for (_, title), stock in stocks.items() if title == adam_id]
        yield result_json(result, ours, deployed.get(adam_id, []))


def result_json(result: Result, stocks: list[Stock], deployed: list[ManagedApp]) -> dict[str, Any]:
    said: dict[str, Any] = {**result}
    return {
        "adamId": result["adam_id"],
        "name": result["name"],
        **{wire: said[name] or None for wire, name in TEXTS.items()},
        "platforms": result["platforms"],
        "licenses": [licenses_json(stock) for stock in stocks],
        "networkIds": list(dict.fromkeys(str(app.network_id) for app in deployed)),
    }


def licenses_json(stock: Stock) -> dict[str, Any]:
    return {
        "vppAccountId": str(stock.title.account_id),
        "pricingParam": stock.title.pricing_param,
        "available": stock.free,
        "asOf": stock.title.counts_as_of,
    }
