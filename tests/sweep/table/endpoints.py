"""The REST API. `writes` is for whichever of POST, PUT and DELETE there are."""

from __future__ import annotations

from tests.sweep.rules import (
    FORBIDDEN,
    FULL,
    MANAGERS,
    MEMBERS,
    NOBODY,
    ORGANIZATION,
    THEIRS,
    Line,
    Personal,
    button,
    page,
)

ORG = "/organizations/{organizationId}"
ACCOUNT = f"{ORG}/sm/vppAccounts/{{vppAccountId}}"
MY_KEYS = "/administered/identities/me/api/keys"

ENDPOINTS: dict[str, Line] = {
    "/administered/identities/me": Personal(),
    MY_KEYS: Personal(),
    f"{MY_KEYS}/generate": Personal(writes=MEMBERS),
    f"{MY_KEYS}/{{keyId}}/revoke": Personal(writes=MEMBERS),
    "/organizations": Personal(),
    ORG: page(writes=FULL),
    f"{ORG}/admins": page(ORGANIZATION, FULL, hides=FORBIDDEN),
    f"{ORG}/admins/{{adminId}}": page(ORGANIZATION, FULL, hides=FORBIDDEN),
    f"{ORG}/networks": page(writes=FULL),
    "/networks/{networkId}": page(THEIRS, FULL),
    "/networks/{networkId}/sm/devices": page(NOBODY, MANAGERS),
    "/networks/{networkId}/sm/apps": page(THEIRS, MANAGERS),
    "/networks/{networkId}/sm/apps/{appId}": page(THEIRS, MANAGERS),
    "/networks/{networkId}/sm/apps/{appId}/scope": page(THEIRS),
    "/networks/{networkId}/sm/apps/{appId}/pause": button(MANAGERS),
    "/networks/{networkId}/sm/apps/{appId}/resume": button(MANAGERS),
    "/networks/{networkId}/sm/apps/installs": page(THEIRS),
    "/networks/{networkId}/sm/devices/{deviceId}/installApps": page(NOBODY, MANAGERS),
    "/networks/{networkId}/sm/devices/{deviceId}/uninstallApps": page(NOBODY, MANAGERS),
    f"{ORG}/auditEvents": page(ORGANIZATION, hides=FORBIDDEN),
    f"{ORG}/sm/owners/{{ownerId}}/data": page(FULL, FULL, hides=FORBIDDEN, notes=True),
    f"{ORG}/sm/vppAccounts": page(writes=FULL),
    ACCOUNT: page(THEIRS, FULL),
    f"{ACCOUNT}/renew": page(THEIRS, FULL),
    f"{ACCOUNT}/takeOver": page(THEIRS, FULL),
    f"{ACCOUNT}/sync": page(THEIRS, MANAGERS),
    f"{ACCOUNT}/syncRuns": page(THEIRS),
    f"{ACCOUNT}/syncRuns/{{syncRunId}}": page(THEIRS),
    f"{ACCOUNT}/assets": page(THEIRS),
    f"{ACCOUNT}/assets/{{adamId}}/{{pricingParam}}": page(THEIRS),
    f"{ACCOUNT}/assignments": page(THEIRS),
    f"{ACCOUNT}/batches": page(THEIRS, MANAGERS),
    f"{ACCOUNT}/batches/{{batchId}}": page(THEIRS),
    f"{ACCOUNT}/batches/{{batchId}}/items": page(THEIRS),
    f"{ACCOUNT}/batches/{{batchId}}/cancel": page(THEIRS, FULL),
    f"{ACCOUNT}/batches/{{batchId}}/retry": page(THEIRS, FULL),
    f"{ACCOUNT}/users": page(THEIRS, FULL),
    f"{ACCOUNT}/users/import": page(THEIRS, FULL),
    f"{ACCOUNT}/users/invite": page(THEIRS, MANAGERS),
    f"{ACCOUNT}/users/retire": page(THEIRS, MANAGERS),
    f"{ACCOUNT}/users/{{userId}}": page(THEIRS, FULL),
}
