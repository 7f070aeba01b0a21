"""The titles of one account, as Apple counts them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from licensing.api.doors import VppAccountApiView
from licensing.api.serializers import AssetSerializer
from licensing.models import LicensedApp
from licensing.models.apps import LicensedAppQuerySet
from organizations.api import paging, parameters
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize

ASSETS = PageSize(default=1000, largest=1000)
PRODUCT_TYPES = ("App", "Book")
TAG = "Assets"


class AssetsApiView(VppAccountApiView):
    needs_allowed_admin = True

    def assets(self) -> LicensedAppQuerySet:
        # Who may see them was asked at the door; to ask again takes a quarter of the request.
        theirs = LicensedApp.objects.filter(account=self.account).present()
        return theirs.select_related("app")


class AssetsView(AssetsApiView):
    @operation(
        "getOrganizationSmVppAccountAssets",
        "List the titles of an account with their license counts",
        tag=TAG,
        answers={200: AssetSerializer(many=True)},
        parameters=[
            query("productType", "Apps or books only.", enum=PRODUCT_TYPES),
            query("platform", "Only titles for this platform, for example iOS."),
            query("deviceAssignable", "Only what can, or cannot, go to a device.", type=bool),
            query("search", "A part of the name or the bundle id, or the Adam ID."),
            *paged(ASSETS),
        ],
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        found = _filtered(request, self.assets())
        return paging.listed(request, found, size=ASSETS, shape=paging.each(asset_json))


class AssetView(AssetsApiView):
    @operation(
        "getOrganizationSmVppAccountAsset",
        "Show a title of an account",
        tag=TAG,
        answers={200: AssetSerializer},
    )
    def get(self, request: Request, **path: str) -> Response:
        asset = (
            self.assets().filter(adam_id=path["adamId"], pricing_param=path["pricingParam"]).first()
        )
        if asset is None:
            raise Http404
        return Response(asset_json(asset))


def _filtered(request: Request, assets: LicensedAppQuerySet) -> LicensedAppQuerySet:
    if product_type := parameters.choice(request, "productType", PRODUCT_TYPES):
        assets = assets.filter(product_type=product_type)
    if platform := parameters.text(request, "platform"):
        assets = assets.filter(platforms__contains=[platform])
    assignable = parameters.boolean(request, "deviceAssignable")
    if assignable is not None:
        assets = assets.filter(device_assignable=assignable)
    if words := parameters.text(request, "search").strip():
        named = Q(app__name__icontains=words) | Q(app__bundle_id__icontains=words)
        assets = assets.filter(named | Q(adam_id=words))
    return assets


def asset_json(asset: LicensedApp) -> dict[str, Any]:
    unlimited = asset.is_unlimited
    return {
        "adamId": asset.adam_id,
        "pricingParam": asset.pricing_param,
        "productType": asset.product_type,
        "name": asset.app.name or None,
        "bundleId": asset.app.bundle_id or None,
        "iconUrl": asset.app.icon_url or None,
        "platforms": asset.platforms,
        "deviceAssignable": asset.device_assignable,
        "revocable": asset.revocable,
        "unlimited": unlimited,
        "counts": {
            "total": None if unlimited else asset.total_count,
            "assigned": asset.assigned_count,
            "available": None if unlimited else asset.available_count,
            "retired": asset.retired_count,
        },
        "countsAsOf": asset.counts_as_of,
    }
