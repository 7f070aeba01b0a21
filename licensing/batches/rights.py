"""Who may begin, stop and repeat batches. Without a membership the product itself acts: a rule."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from licensing.models import Batch, BatchItem
from organizations.models import AuditEvent, Membership
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import refuse_strangers, why_not

ORDER = "Only admins with full access to the organization can change who is served first."
OTHERS_WAIT = (
    "Only who asked for these licenses, or an admin with full access to the organization, can take"
    " them off the waiting list."
)
OTHERS_BATCH = (
    "Only who began this batch, or an admin with full access to the organization, can do this."
)


def refuse_beginning(account: VppAccount, membership: Membership | None, *, priority: int) -> None:
    if membership is None:
        return
    refuse_strangers(account, membership)
    if priority:
        refuse_ordering(membership)


def refuse_ordering(membership: Membership | None) -> None:
    """All networks share a waiting list, so an admin of one puts nobody first."""
    if membership and not membership.can_write:
        raise PermissionDenied(ORDER)


def refuse_control(batch: Batch, membership: Membership | None) -> None:
    if membership and (why := why_not_control(batch, membership)):
        raise PermissionDenied(why)


def refuse_taking_off(items: QuerySet[BatchItem], membership: Membership | None) -> None:
    if membership and items.exclude(batch__in=began_by(membership)).exists():
        raise PermissionDenied(OTHERS_WAIT)


def why_not_control(batch: Batch, membership: Membership) -> str:
    """Why this admin can neither stop nor repeat a batch; empty where they may."""
    if why := why_not(batch.account, membership):
        return why
    is_theirs = membership.can_write or began_by(membership).filter(pk=batch.pk).exists()
    return "" if is_theirs else OTHERS_BATCH


def why_not_order(account: VppAccount, membership: Membership) -> str:
    """Why this admin cannot change who is served first; empty where they may."""
    if why := why_not(account, membership):
        return why
    return "" if membership.can_write else ORDER


def began_by(membership: Membership) -> QuerySet[Batch, Batch]:
    """The batches that they, or a key of theirs, began; for full admins every one counts as such."""
    ours: QuerySet[Batch, Batch] = Batch.objects.filter(organization=membership.organization_id)
    if membership.can_write:
        return ours
    keys = membership.admin.api_keys.values("pk")
    kind = AuditEvent.ActorKind
    return ours.filter(
        Q(actor_kind=kind.ADMIN, actor_id=membership.admin_id)
        | Q(actor_kind=kind.API_KEY, actor_id__in=keys)
    )
