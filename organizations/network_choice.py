"""The network that an admin has chosen in the frame; what lies in networks is narrowed to it.

Kept in the session, for each organization by itself. Pages ask `chosen_network`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.db.models import QuerySet
from django.http import HttpRequest

from organizations.models import Network

if TYPE_CHECKING:
    from organizations.access import AdminRequest

KEY = "networks"  # in the session: organization -> network
REMEMBERED = 20  # organizations


def chosen_network(request: HttpRequest) -> Network | None:
    """None: all networks. One that is gone, or that they may no longer see, is not chosen."""
    if not hasattr(request, "_chosen_network"):
        request._chosen_network = _read(cast("AdminRequest", request))  # type: ignore[attr-defined]
    found: Network | None = request._chosen_network  # type: ignore[attr-defined]
    return found


def choose(request: AdminRequest, network: Network | None) -> None:
    organization = str(request.membership.organization_id)
    kept = {key: pk for key, pk in request.session.get(KEY, {}).items() if key != organization}
    if network is not None:
        kept[organization] = network.pk
    request.session[KEY] = dict(list(kept.items())[-REMEMBERED:])


def visible_networks(request: AdminRequest, text: str = "") -> QuerySet[Network]:
    """Those that may be chosen."""
    networks = Network.objects.visible_to(request.membership)
    return networks.filter(name__icontains=text).order_by("name", "pk")


def _read(request: AdminRequest) -> Network | None:
    chosen = request.session.get(KEY, {}).get(str(request.membership.organization_id))
    if chosen is None:
        return None
    return Network.objects.visible_to(request.membership).filter(pk=chosen).first()
