"""The doors of the REST API: an address becomes a membership here, or 404.

In this order: 429 for an address that asks too often, 401 without a key, 404 for what this key may
not see, 429 for an organization that is asked too often, 405 for a method that nobody thought of, 403
for a write of somebody who may only read. Then the handler runs.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organizations import lookups
from organizations.access import READING, membership_or_404
from organizations.admins import activity
from organizations.api import conditional, csv_answers, idempotency, rate_limit
from organizations.api.errors import TooLarge
from organizations.api.wire import AlwaysJson, JsonParser, JsonRenderer
from organizations.audit import Actor
from organizations.audit_log import attempts
from organizations.closing import refuse_key_if_closed
from organizations.keys import organizations_opened_by
from organizations.models import Admin, ApiKey, Membership, Network, Organization
from organizations.refusals import Forbidden
from organizations.signin import requirements

# What an answer depends on beside its address.
VARY = "Accept, Authorization, X-Cisco-Meraki-API-Key"


class ApiView(APIView):
    """What every endpoint has: a key, JSON, idempotent POSTs."""

    renderer_classes = [JsonRenderer]
    parser_classes = [JsonParser, MultiPartParser]
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head", "post", "put", "delete"]

    largest_body: int | None = None  # in the place of Django's own limit

    key: ApiKey
    admin: Admin
    actor: Actor
    claim: idempotency.Claim | None = None

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Vary": VARY}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        rate_limit.count_address(request._request)
        refuse_large_body(request._request, self.largest_body)
        super().initial(request, *args, **kwargs)
        self.key = cast("ApiKey", request.auth)
        self.admin, self.actor = self.key.admin, Actor.of_key(self.key)
        self.enter()
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        if request.method not in READING:
            self.refuse_readers()
        if request.method == "POST":
            self.claim = idempotency.claim(request, self.admin)

    def enter(self) -> None:
        """Load what the address names, or raise Http404."""

    def as_it_is(self) -> dict[str, Any]:
        """What GET of this address answers."""
        reading: Any = self
        answer: dict[str, Any] = reading.get(self.request, **self.kwargs).data
        return answer

    def refuse_readers(self) -> None:
        if self.key.read_only:
            raise Forbidden(
                "This API key is read-only. Use a key that may write.", code="read_only_key"
            )

    def membership_in(self, organization_id: int) -> Membership:
        """A key that was made for one organization finds no other."""
        if self.key.organization_id not in (None, organization_id):
            raise Http404
        return membership_or_404(self.admin, organization_id)

    def row_id(self, name: str) -> int:
        """A part of the address whose converter lets only digits through."""
        return int(self.kwargs[name])

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, idempotency.AlreadyAnswered):
            return exc.response()
        if isinstance(exc, PermissionDenied) and hasattr(self, "actor"):
            opens = organizations_opened_by(self.key)
            attempts.note(
                self.request._request, by=self.actor, why=str(exc), organization_ids=opens
            )
        return super().handle_exception(exc)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.claim:
            final.add_post_render_callback(self.claim.keep)
        if request.method in READING and isinstance(final, Response) and final.status_code == 200:
            csv_answers.choose(request, final)
            final.add_post_render_callback(partial(conditional.settle, request))
        return final


class OrganizationApiView(ApiView):
    """Everything below /organizations/{organizationId}."""

    # Network admins see nothing of the organization but what lies in their networks.
    organization_wide = False
    # Who may write in a network is let in as well; the handler or `enter` decides.
    network_writes = False

    membership: Membership
    organization: Organization

    def enter(self) -> None:
        self.membership = self.find_membership()
        rate_limit.count_organization(self.membership.organization_id)
        refuse_key_if_closed(self.membership)
        requirements.refuse_key(self.membership)
        self.organization = self.membership.organization
        if self.organization_wide and not self.membership.sees_organization:
            raise Forbidden(
                "You have access to networks only; this needs organization access.",
                code="no_access",
            )
        activity.note(self.membership)

    def find_membership(self) -> Membership:
        return self.membership_in(self.row_id("organizationId"))

    def refuse_readers(self) -> None:
        super().refuse_readers()
        if self.network_writes and self.membership.can_write_somewhere:
            return
        if not self.membership.can_write:
            raise Forbidden(
                "You have read-only access here; this needs full access to the organization.",
                code="read_only",
            )


class OwnApiView(OrganizationApiView):
    """What is the admin's own to change in an organization, whatever they may do there."""

    def refuse_readers(self) -> None:
        ApiView.refuse_readers(self)


class NetworkApiView(OrganizationApiView):
    """Everything below /networks/{networkId}: the organization follows from the network.

    With `network_writes`, whoever may write in this very network is let in.
    """

    network: Network

    def find_membership(self) -> Membership:
        organization_id = lookups.network.organization(self.row_id("networkId"))
        if organization_id is None:
            raise Http404
        return self.membership_in(organization_id)

    def enter(self) -> None:
        super().enter()
        visible = Network.objects.visible_to(self.membership)
        network = visible.filter(pk=self.row_id("networkId")).first()
        if network is None:
            raise Http404
        self.network = network

    def refuse_readers(self) -> None:
        super().refuse_readers()
        if self.network_writes:
            self.refuse_network_readers()

    def refuse_network_readers(self) -> None:
        """Also for what only those may look at who may change it."""
        if not Network.objects.writable_by(self.membership).filter(pk=self.network.pk).exists():
            raise Forbidden(
                "You have read-only access to this network; this needs write access to it.",
                code="read_only",
            )


def refuse_large_body(request: HttpRequest, largest: int | None = None) -> None:
    """DRF reads JSON past Django's own limit."""
    largest = largest or settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > largest:
        raise TooLarge(largest)
