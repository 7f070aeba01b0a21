"""Who may use an account where, and what the audit log keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from organizations import audit
from organizations.audit import Actor
from organizations.models import Admin, Network
from vpp_accounts.models import VppAccount


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may manage an account's users and licenses, and which networks it may serve."""

    allowed_admins: str = "all"
    named_admins: Sequence[Admin] = ()
    allowed_networks: Sequence[Network] = ()
    assignable_networks: str = "all"
    assignable_network_list: Sequence[Network] = ()


def set_rights(account: VppAccount, rights: Rights) -> None:
    account.allowed_admins = rights.allowed_admins
    account.assignable_networks = rights.assignable_networks
    account.save(update_fields=["allowed_admins", "assignable_networks"])
    account.named_admins.set(rights.named_admins)
    account.allowed_networks.set(rights.allowed_networks)
    account.assignable_network_list.set(rights.assignable_network_list)


def facts(account: VppAccount) -> dict[str, Any]:
    """What the audit log keeps of an account; never its token."""
    return {
        "name": account.name,
        "email": account.email,
        "location": account.location_name,
        "allowedAdmins": account.allowed_admins,
        "namedAdmins": sorted(account.named_admins.values_list("email", flat=True)),
        "allowedNetworks": sorted(account.allowed_networks.values_list("name", flat=True)),
        "assignableNetworks": account.assignable_networks,
        "assignableNetworkList": sorted(
            account.assignable_network_list.values_list("name", flat=True)
        ),
    }


def record(action: str, by: Actor, account: VppAccount, **facts: Any) -> None:
    audit.record(action, by=by, organization=account.organization, target=account, **facts)
