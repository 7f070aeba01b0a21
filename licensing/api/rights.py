"""Who may use an account and where, out of what a program sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from organizations.models import Membership, Network
from organizations.refusals import Refusal
from vpp_accounts.models import AllowedAdmins, AssignableNetworks, VppAccount
from vpp_accounts.services import Rights

Row = TypeVar("Row", bound=Model)


class RightsWrong(Refusal):
    code = "rights_wrong"

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        super().__init__(f"“{field}” {problem}.")


@dataclass(frozen=True, slots=True)
class Choosing:
    """One list of ids that counts under one choice only."""

    choice_name: str
    choice: str
    ids_name: str

    def rows(
        self, chosen: str, given: dict[str, Any], offered: QuerySet[Row], current: Sequence[Row]
    ) -> Sequence[Row]:
        if chosen != self.choice:
            return ()
        sent = given.get(self.ids_name)
        rows = current if sent is None else self._found(sent, offered)
        if not rows:
            raise RightsWrong(
                self.ids_name, f"must name at least one when {self.choice_name} is “{self.choice}”"
            )
        return rows

    def _found(self, ids: list[int], offered: QuerySet[Row]) -> Sequence[Row]:
        rows = list(offered.filter(pk__in=ids).order_by("pk"))
        missing = sorted(set(ids) - {row.pk for row in rows})
        if missing:
            raise RightsWrong(
                self.ids_name, f"has an id that is not in this organization: {missing[0]}"
            )
        return rows


NAMED = Choosing("allowedAdmins", AllowedAdmins.NAMED, "allowedAdminIds")
OF_NETWORKS = Choosing("allowedAdmins", AllowedAdmins.NETWORKS, "allowedNetworkIds")
SOME = Choosing("assignableNetworks", AssignableNetworks.SOME, "assignableNetworkIds")


def are_given(given: dict[str, Any]) -> bool:
    names = {"allowedAdmins", "allowedAdminIds", "allowedNetworkIds"}
    return bool(given.keys() & (names | {"assignableNetworks", "assignableNetworkIds"}))


def plan_rights(
    given: dict[str, Any], membership: Membership, account: VppAccount | None = None
) -> Rights:
    """What was sent, over what `account` has now (a new one: everything allowed)."""
    networks = Network.objects.visible_to(membership)
    # An admin's id on the wire is that of the membership, as in the list of administrators.
    members = Membership.objects.accepted_in(membership).select_related("admin")
    now = _rights_of(account) if account else Rights()
    allowed = given.get("allowedAdmins", now.allowed_admins)
    assignable = given.get("assignableNetworks", now.assignable_networks)
    named_now = list(members.filter(admin__in=now.named_admins))
    return Rights(
        allowed_admins=allowed,
        named_admins=[named.admin for named in NAMED.rows(allowed, given, members, named_now)],
        allowed_networks=OF_NETWORKS.rows(allowed, given, networks, now.allowed_networks),
        assignable_networks=assignable,
        assignable_network_list=SOME.rows(assignable, given, networks, now.assignable_network_list),
    )


def _rights_of(account: VppAccount) -> Rights:
    return Rights(
        allowed_admins=account.allowed_admins,
        named_admins=list(account.named_admins.all()),
        allowed_networks=list(account.allowed_networks.all()),
        assignable_networks=account.assignable_networks,
        assignable_network_list=list(account.assignable_network_list.all()),
    )
