"""Devices that were chosen in their list, or that the address names, and what is about to be done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps

from django.contrib import messages
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from licensing.tables.devices import DeviceList
from organizations.access import AdminRequest, organization_view
from organizations.models import Device, Organization
from organizations.models.inventory import DeviceQuerySet
from organizations.network_choice import chosen_network

SHOWN = 5  # by name
MOST = 50_000  # at once: what is done to them is done while the browser waits
NOT_YOURS = "These devices are in networks that you may not change. Ask an admin who may."
TOO_MANY = (
    "{:,} devices are chosen, and at most {:,} can be changed at once. Narrow the list by a filter."
)
NOBODY = "Choose at least one device: tick the boxes, or all that match."
ChoiceView = Callable[[AdminRequest, "Choice"], HttpResponseBase]


@dataclass(frozen=True)
class Choice:
    """`ids`: those that this admin may change; `left_out`: how many others were chosen as well."""

    organization: Organization
    ids: tuple[int, ...]
    left_out: int
    carried: tuple[tuple[str, str], ...]  # to the next page, which asks for the same devices
    back_url: str

    @property
    def devices(self) -> DeviceQuerySet:
        return Device.objects.filter(organization=self.organization, pk__in=self.ids)

    @property
    def number(self) -> int:
        return len(self.ids)

    @property
    def digest(self) -> str:
        """Says whether what is confirmed is what was shown."""
        return hashlib.blake2b(repr(self.ids).encode(), digest_size=16).hexdigest()

    @cached_property
    def shown(self) -> list[Device]:
        # The first by id: to find those by name, the database would read all of them.
        first = Device.objects.filter(organization=self.organization, pk__in=self.ids[:SHOWN])
        return list(first.order_by("name", "pk"))

    @property
    def more(self) -> int:
        return self.number - len(self.shown)

    @property
    def what(self) -> str:
        """“Cart 12”, “40 devices”."""
        return str(self.shown[0]) if self.number == 1 else f"{self.number:,} devices"

    @property
    def is_or_are(self) -> str:
        return "is" if self.number == 1 else "are"

    @property
    def they(self) -> str:
        return "It" if self.number == 1 else "They"


def on_chosen(
    *, most: int | None = MOST
) -> Callable[[ChoiceView], Callable[..., HttpResponseBase]]:
    """The door of a page about devices that were chosen; nobody comes in without any."""

    def decorate(view: ChoiceView) -> Callable[..., HttpResponseBase]:
        @require_http_methods(["GET", "HEAD", "POST"])
        @organization_view(writes=True, network_writes=True)
        @wraps(view)
        def wrapper(request: AdminRequest, organization: Organization) -> HttpResponseBase:
            choice = choice_of(request, organization)
            if problem := problem_of(choice, most):
                messages.error(request, problem)
                return redirect(choice.back_url)
            return view(request, choice)

        return wrapper

    return decorate


def problem_of(choice: Choice, most: int | None) -> str:
    if not choice.ids:
        return NOT_YOURS if choice.left_out else NOBODY
    too_many = most is not None and choice.number > most
    return TOO_MANY.format(choice.number, most) if too_many else ""


def choice_of(request: AdminRequest, organization: Organization) -> Choice:
    """`device`: the boxes of the page; `selected`: those of other pages; `all`: whoever matches."""
    sent = request.POST if request.method == "POST" else request.GET
    chosen = _chosen(request, sent)
    ids = tuple(sorted(chosen.writable_by(request.membership).values_list("pk", flat=True)))
    everybody = bool(sent.get("all"))
    number = chosen.order_by().values("pk").count()
    carried = [("all", "1")] if everybody else [("selected", " ".join(map(str, ids)))]
    return Choice(organization, ids, number - len(ids), tuple(carried), _back_url(request, ids))


def is_confirmed(request: AdminRequest) -> bool:
    """Whether the page itself was sent, and not the list that leads to it."""
    return request.method == "POST" and "digest" in request.POST


def sent_form(request: AdminRequest) -> QueryDict | None:
    return request.POST if is_confirmed(request) else None


def list_url(organization: Organization, query: QueryDict | None = None) -> str:
    address = reverse("licensing:device_list", args=[organization.pk])
    return f"{address}?{query.urlencode()}" if query else address


def listing_of(request: AdminRequest) -> DeviceList:
    visible = Device.objects.visible_to(request.membership)
    return DeviceList(request.GET, visible, request.membership, chosen_network(request))


def _chosen(request: AdminRequest, sent: QueryDict) -> DeviceQuerySet:
    if sent.get("all"):
        matching: DeviceQuerySet = listing_of(request).filtered
        return matching
    named = [*sent.getlist("device"), *sent.get("selected", "").split()]
    ids = {int(text) for text in named if text.isascii() and text.isdigit() and len(text) < 19}
    return Device.objects.visible_to(request.membership).filter(pk__in=ids)


def _back_url(request: AdminRequest, ids: tuple[int, ...]) -> str:
    """The list as it was; or the page of the device from which one came."""
    organization_id = request.membership.organization_id
    if "device" in request.GET and len(ids) == 1:
        return reverse("licensing:device_detail", args=[organization_id, ids[0]])
    query = request.GET.copy()
    query.pop("device", None)
    return list_url(request.membership.organization, query)
