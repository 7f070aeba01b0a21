"""One app in several networks at once: what becomes of each network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps_catalog.managing import ManagedAppDetails
from apps_catalog.managing.adding import refuse_platform
from apps_catalog.managing.spreading import add_where_possible
from apps_catalog.models import App, ManagedApp
from licensing.api.app_details import Wire, app_for, details_from
from licensing.api.app_previews import foreseen, known_app, unsaved
from licensing.managing.defaults import details_for
from organizations.audit import Actor
from organizations.models import Membership, Network
from organizations.refusals import Refusal


class NetworkUnknown(Refusal):
    code = "network_unknown"

    def __init__(self) -> None:
        super().__init__("There is no such network that you see. Choose another one.")


class NetworkReadOnly(Refusal):
    code = "read_only"

    def __init__(self) -> None:
        super().__init__(
            "You have read-only access to this network; this needs write access to it."
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    word: str
    refusal: Refusal | None = None
    app_id: int | None = None
    preview: Mapping[str, Any] | None = None


def spread(given: Mapping[str, Any], membership: Membership, by: Actor) -> dict[int, Verdict]:
    """By the network's id. `given`: as CreateAppsSerializer has checked it."""
    ids = list(dict.fromkeys(map(int, given["networkIds"])))
    found = sort_out(ids, membership)
    app = _app(given, membership)
    refuse_platform(app, given["platform"])
    writable = Network.objects.writable_by(membership).filter(pk__in=ids)
    networks = writable.select_related("organization").in_bulk()
    there = ManagedApp.objects.filter(
        network__in=networks, adam_id=app.adam_id, platform=given["platform"]
    )
    for network_id, pk in there.values_list("network", "pk"):
        found[network_id] = Verdict("alreadyThere", app_id=pk)
    free = [networks[pk] for pk in ids if pk in networks and pk not in found]
    found |= _outcomes(given, app, free, membership, by)
    return {pk: found[pk] for pk in ids}


def sort_out(ids: Sequence[int], membership: Membership) -> dict[int, Verdict]:
    """Networks of which nothing can become."""
    visible = Network.objects.visible_to(membership).filter(pk__in=ids)
    writable = set(Network.objects.writable_by(membership).values_list("pk", flat=True))
    seen = set(visible.values_list("pk", flat=True))
    return {
        pk: Verdict("refused", NetworkReadOnly() if pk in seen else NetworkUnknown())
        for pk in ids
        if pk not in writable
    }


def _app(given: Mapping[str, Any], membership: Membership) -> App:
    if given["dryRun"]:
        return known_app(given["adamId"])
    country = given.get("country", "").upper()
    return app_for(given["adamId"], given["platform"], country, membership)


def _outcomes(
    given: Mapping[str, Any],
    app: App,
    networks: Sequence[Network],
    membership: Membership,
    by: Actor,
) -> dict[int, Verdict]:
    platform, organization = given["platform"], membership.organization
    details = {
        network: details_from(given, base, organization)
        for network, base in details_for(app, networks, membership).items()
    }
    if given["dryRun"]:
        return {
            network.pk: _foreseen(unsaved(app, platform, network, each), each, membership)
            for network, each in details.items()
        }
    added = add_where_possible(
        by=by, membership=membership, app=app, platform=platform, networks=details
    )
    return {network.pk: _added(outcome) for network, outcome in added.items()}


def _foreseen(draft: ManagedApp, details: ManagedAppDetails, membership: Membership) -> Verdict:
    try:
        return Verdict("wouldBeAdded", preview=foreseen(draft, details, membership))
    except Refusal as refusal:
        return Verdict("refused", refusal)


def _added(outcome: ManagedApp | Refusal) -> Verdict:
    if isinstance(outcome, Refusal):
        return Verdict("refused", outcome)
    return Verdict("added", app_id=outcome.pk)


def verdicts_json(found: Mapping[int, Verdict], membership: Membership) -> list[dict[str, Any]]:
    ids = [verdict.app_id for verdict in found.values() if verdict.app_id]
    visible = ManagedApp.objects.visible_to(membership).filter(pk__in=ids)
    apps = list(visible.select_related("app", "network", "organization"))
    wire = Wire(apps, membership)
    told = {app.pk: wire.app(app) for app in apps}
    return [
        {
            "networkId": str(network_id),
            "verdict": verdict.word,
            "code": verdict.refusal and verdict.refusal.code,
            "message": str(verdict.refusal) if verdict.refusal else None,
            "app": told.get(verdict.app_id or 0),
            "preview": verdict.preview,
        }
        for network_id, verdict in found.items()
    ]
