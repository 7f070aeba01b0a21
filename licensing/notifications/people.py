"""What news of client users changes: a decision on plain values, and its application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from licensing.sync.plans import RETIRED, one_record_each
from users import records
from users.models import VppUser
from users.models.people import digest_of
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
COMES_LATE = timedelta(minutes=10)  # Apple tries for five


@dataclass(frozen=True, slots=True)
class UserPlan:
    create: list[ClientUser]
    change: list[tuple[VppUser, ClientUser]]


def plan_users(
    told: Iterable[ClientUser], held: Mapping[str, VppUser], *, now: datetime
) -> UserPlan:
    """`held` are those of them that we know, by clientUserId."""
    users = [user for user in one_record_each(told).values() if user.status in ORDER]
    return UserPlan(
        create=[user for user in users if user.client_user_id not in held],
        change=[
            (known, user)
            for user in users
            if (known := held.get(user.client_user_id)) and _is_news(user, known, now)
        ],
    )


def _is_news(user: ClientUser, known: VppUser, now: datetime) -> bool:
    if ORDER[user.status] < ORDER.get(known.apple_status, 0):
        return False
    if _is_of_an_earlier_record(user, known, now):
        return False
    merged = _merged(user, known)
    held = known.apple_status, known.email, known.id_hash
    is_invited_anew = user.status == Status.REGISTERED and _is_another_code(user, known)
    return is_invited_anew or (merged.status, merged.email, merged.id_hash) != held


def _is_of_an_earlier_record(user: ClientUser, known: VppUser, now: datetime) -> bool:
    """Whether it may well be about the record that this person had before they were retired."""
    if user.status == Status.REGISTERED:
        return False
    if known.invite_code_digest and _is_another_code(user, known):
        return True
    began = known.registered_at if known.apple_status else now
    return user.status in RETIRED and began is not None and now - began < COMES_LATE


def _is_another_code(user: ClientUser, known: VppUser) -> bool:
    return bool(user.invite_code) and digest_of(user.invite_code or "") != known.invite_code_digest


def _merged(user: ClientUser, known: VppUser) -> ClientUser:
    """What a notification leaves out stays as it is."""
    email, id_hash = (user.email or "")[:254], (user.id_hash or "")[:64]
    return replace(user, email=email or known.email, id_hash=id_hash or known.id_hash)


def apply_users(account: VppAccount, told: Iterable[ClientUser]) -> None:
    """Call it in a transaction."""
    told, now = list(told), timezone.now()
    rows = VppUser.objects.filter(
        account=account, client_user_id__in=[user.client_user_id for user in told]
    )
    plan = plan_users(told, {row.client_user_id: row for row in rows}, now=now)
    news = [*plan.create, *(_merged(user, known) for known, user in plan.change)]
    records.keep(account, news, as_of=now)
