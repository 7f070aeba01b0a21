"""Who acts, and what it says: in the history of devices, in batches and in the audit log."""

from __future__ import annotations

from apps_catalog.models import InstallationState as S
from apps_catalog.models import ManagedApp
from licensing.models import BatchKind
from organizations.audit import Actor
from organizations.models import AuditEvent

BY = Actor.system("Automatic licensing")

DOES = {
    BatchKind.GRANT: "grant to devices in scope",
    BatchKind.REVOKE: "revoke from devices out of scope",
}
WHY = {
    BatchKind.GRANT: "In the scope of {app} in {network}.",
    BatchKind.REVOKE: "No longer in the scope of {app} in {network}.",
}

# Of items that a rule cancels itself.
MOVED = "Another VPP account of the app has a license."
NO_LONGER_WANTED = "No longer wanted by the rule that asked for it."
OURS = (MOVED, NO_LONGER_WANTED)

CAUSES = {
    S.BLOCKED: "Nothing can be done now.",
    S.PLANNED: "Waits for its license.",
    S.LICENSE_PENDING: "Apple is asked for the license.",
    S.LICENSED: "It may be installed.",
    S.REVOKE_PENDING: "The grace is over, the license is taken back.",
    S.RECLAIMED: "The license is free again.",
    S.REMOVED: "Nothing of it is left here.",
}


def actor_of(app: ManagedApp, kind: BatchKind) -> Actor:
    name = f"{app} in {app.network}: {DOES[kind]}"
    return Actor(kind=AuditEvent.ActorKind.RULE, name=name[:254], id=app.pk)


def why_of(app: ManagedApp, kind: BatchKind) -> str:
    return WHY[kind].format(app=app, network=app.network)
