"""What news of client users changes: a decision on plain values, and its application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from licensing.sync.plans import one_record_each
from users.models import VppUser
from vpp_accounts.apple.types import ClientUser
from vpp_accounts.models import VppAccount

Status = VppUser.AppleStatus
# Nobody goes back in these. A retired person who is registered again is a new record at Apple,
# and news that came late looks the same: only a read can tell.
ORDER = {
    Status.REGISTERED.value: 0,
    Status.ASSOCIATED.value: 1,
    Status.RETIRED.value: 2,
    Status.DELETED.value: 2,
}


@dataclass(frozen=True, slots=True)
class UserPlan:
    create: list[ClientUser]
    change: list[tuple[VppUser, ClientUser]]


def plan_users(told: Iterable[ClientUser], held: Mapping[str, VppUser]) -> UserPlan:
    """`held` are those of them that we know, by clientUserId."""
    users = [user for user in one_record_each(told).values() if user.status in ORDER]
    return UserPlan(
        create=[user for user in users if user.client_user_id not in held],
        change=[
            (known, user)
            for user in users
            if (known := held.get(user.client_user_id)) and _is_news(user, known)
        ],
    )


def _is_news(user: ClientUser, known: VppUser) -> bool:
    if ORDER[user.status] < ORDER.get(known.apple_status, 0):
        return False
    return _facts(user, known) != (known.apple_status, known.email, known.id_hash)


def _facts(user: ClientUser, known: VppUser) -> tuple[str, str, str]:
    """What a notification leaves out stays as it is."""
    email, id_hash = (user.email or "")[:254], (user.id_hash or "")[:64]
    return user.status, email or known.email, id_hash or known.id_hash


def apply_users(account: VppAccount, told: Iterable[ClientUser]) -> None:
    """Call it in a transaction."""
    told = list(told)
    rows = VppUser.objects.filter(
        account=account, client_user_id__in=[user.client_user_id for user in told]
    )
    plan = plan_users(told, {row.client_user_id: row for row in rows})
    for known, user in plan.change:
        known.apple_status, known.email, known.id_hash = _facts(user, known)
    VppUser.objects.bulk_update(
        [known for known, _ in plan.change], ["apple_status", "email", "id_hash"]
    )
    # A sync may have brought them meanwhile.
    VppUser.objects.bulk_create(
        [_new(account, user) for user in plan.create], ignore_conflicts=True
    )


def _new(account: VppAccount, user: ClientUser) -> VppUser:
    new = VppUser(
        organization_id=account.organization_id,
        account=account,
        client_user_id=user.client_user_id,
    )
    new.apple_status, new.email, new.id_hash = _facts(user, new)
    return new
