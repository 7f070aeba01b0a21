"""Which networks' devices may get licenses of an account, and by whom: planned, and again when sent."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from django.utils import timezone

from licensing.batches.reasons import Reason
from licensing.models import Assignment, BatchItem, BatchKind, ItemState
from organizations.bulk import returned
from organizations.models import Device, Membership, Network
from vpp_accounts.models import AssignableNetworks, VppAccount


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Ids of networks; None: all of them."""

    assignable: Set[int] | None
    writable: Set[int] | None

    @classmethod
    def of(cls, account: VppAccount, membership: Membership | None) -> Boundaries:
        """Without a membership a rule acts, which the account's own list still binds."""
        assignable: set[int] | None = None
        if account.assignable_networks == AssignableNetworks.SOME:
            assignable = set(account.assignable_network_list.values_list("pk", flat=True))
        elif account.assignable_networks == AssignableNetworks.NONE:
            assignable = set()
        writable: set[int] | None = None
        if membership is not None and not membership.can_write:
            networks = Network.objects.writable_by(membership)
            writable = set(networks.values_list("pk", flat=True))
        return cls(assignable, writable)

    @property
    def of_a_revoke(self) -> Boundaries:
        """What is held may be taken back wherever the account may be used by now."""
        return Boundaries(None, self.writable)

    def barrier(self, network: int | None) -> Reason | None:
        """`network` None: the inventory does not know the device, or this admin does not: admins of
        networks are not told which."""
        if self.writable is not None and network not in self.writable:
            return Reason.NOT_YOUR_NETWORK
        if self.assignable is None or network in self.assignable:
            return None
        return Reason.UNKNOWN_DEVICE if network is None else Reason.NETWORK


def leave_out(account: VppAccount, item_ids: Sequence[int] | None = None) -> set[int]:
    """What is not sent yet to devices that are in no assignable network any more is skipped: of
    these items, which are about to be sent, or of all. Answers the batches.
    """
    if account.assignable_networks == AssignableNetworks.ALL:
        return set()
    rows = returned(
        _LEAVE_OUT.format(unsent=_UNSENT if item_ids is None else _ABOUT_TO_BE_SENT),
        {
            "organization": account.organization_id,
            "account": account.pk,
            "ids": list(item_ids or ()),
            "some": account.assignable_networks == AssignableNetworks.SOME,
            "elsewhere": Reason.NETWORK.sentence,
            "unknown": Reason.UNKNOWN_DEVICE.sentence,
            "now": timezone.now(),
        },
    )
    return {batch_id for (batch_id,) in rows}


ITEMS, DEVICES = BatchItem._meta.db_table, Device._meta.db_table
LIST = VppAccount.assignable_network_list.through._meta.db_table

# The states one by one: each has an index of its own.
_UNSENT = f"(item.state = '{ItemState.PLANNED}' OR item.state = '{ItemState.WAITING}')"
_ABOUT_TO_BE_SENT = f"item.id = ANY(%(ids)s::bigint[]) AND item.state = '{ItemState.PLANNED}'"

_LEAVE_OUT = f"""
    WITH outside AS (
        SELECT item.id, device.id IS NOT NULL AS is_known
        FROM {ITEMS} AS item
        LEFT JOIN {DEVICES} AS device ON device.organization_id = %(organization)s
             AND device.serial_number = item.holder
        WHERE item.account_id = %(account)s AND {{unsent}}
          AND item.kind = '{BatchKind.GRANT}' AND item.holder_kind = '{Assignment.HolderKind.DEVICE}'
          AND NOT (%(some)s AND device.id IS NOT NULL AND device.network_id IN (
              SELECT network_id FROM {LIST} WHERE vppaccount_id = %(account)s))
    ), skipped AS (
        UPDATE {ITEMS} AS item SET state = '{ItemState.SKIPPED}', changed_at = %(now)s,
            message = CASE WHEN outside.is_known THEN %(elsewhere)s ELSE %(unknown)s END
        FROM outside
        WHERE item.id = outside.id AND item.state IN ('{ItemState.PLANNED}', '{ItemState.WAITING}')
        RETURNING item.batch_id)
    SELECT DISTINCT batch_id FROM skipped
"""  # noqa: S608  table names are the models'
