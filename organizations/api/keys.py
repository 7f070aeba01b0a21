"""The API keys of the admin as whom a key acts. A key makes no key that opens more than itself."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from organizations import keys
from organizations.api import paging
from organizations.api.doors import ApiView
from organizations.api.key_serializers import (
    ApiKeySerializer,
    GenerateApiKeySerializer,
    GeneratedApiKeySerializer,
)
from organizations.api.once import told_once
from organizations.api.openapi import operation, paged
from organizations.api.paging import PageSize
from organizations.models import ApiKey, Organization

KEYS = PageSize(default=100, largest=1000)
TAG = "Administered"


class ApiKeysView(ApiView):
    @operation(
        "getAdministeredIdentitiesMeApiKeys",
        "List your API keys",
        tag=TAG,
        answers={200: ApiKeySerializer(many=True)},
        parameters=paged(KEYS),
        description="A key that opens one organization sees the keys that open only that one.",
    )
    def get(self, request: Request) -> HttpResponseBase:
        ours = keys.keys_of(self.admin, self.key.organization_id)
        return paging.listed(request, ours, size=KEYS, shape=paging.each(key_json))


class GenerateApiKeyView(ApiView):
    @operation(
        "generateAdministeredIdentitiesMeApiKeys",
        "Make an API key",
        tag=TAG,
        body=GenerateApiKeySerializer,
        answers={201: GeneratedApiKeySerializer},
        description="Its text is in the answer, once; you are told of the new key by mail.",
    )
    def post(self, request: Request) -> Response:
        given = GenerateApiKeySerializer.checked(request)
        limit = self._limit(given.get("organizationId"))
        key, text = keys.create(
            by=self.actor,
            admin=self.admin,
            name=given["name"],
            read_only=given["readOnly"],
            expires_at=given.get("expiresAt") or timezone.now() + keys.USUAL_LIFE,
            organization=None if limit is None else Organization(pk=limit),
        )
        return told_once(self, key_json(key), {"key": text}, status=201)

    def _limit(self, wanted: str | None) -> int | None:
        own = self.key.organization_id
        limit = own if wanted is None else int(wanted)
        if own not in (None, limit):
            raise keys.NothingToOpen
        return limit


class RevokeApiKeyView(ApiView):
    @operation(
        "revokeAdministeredIdentitiesMeApiKeys",
        "Revoke one of your API keys, at once and for good",
        tag=TAG,
        answers={204: None},
        description="Also the key that asks. One that is revoked already stays so.",
    )
    def post(self, request: Request, keyId: str) -> Response:  # noqa: N803
        ours = keys.keys_of(self.admin, self.key.organization_id).select_related("admin")
        key = ours.filter(pk=int(keyId)).first()
        if key is None:
            raise Http404
        keys.revoke(by=self.actor, key=key)
        return Response(status=204)


def key_json(key: ApiKey) -> dict[str, Any]:
    limit = key.organization_id
    return {
        "id": str(key.pk),
        "name": key.name,
        "prefix": key.prefix,
        "organizationId": None if limit is None else str(limit),
        "readOnly": key.read_only,
        "state": key.state,
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "lastUsedAt": key.last_used_at,
        "lastUsedAddress": key.last_used_address,
        "revokedAt": key.revoked_at,
    }
