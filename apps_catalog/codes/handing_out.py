"""One unused code to each chosen owner, by mail; code and mail in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps_catalog.codes.letters import Writer, key_of
from apps_catalog.codes.refusals import NobodyChosen, NobodyLeft, NotEnoughCodes, TooManyChosen
from apps_catalog.managing.editing import locked
from apps_catalog.models import Installation, ManagedApp, RedemptionCode
from organizations import audit
from organizations.audit import Actor
from organizations.models import Device, Membership, Owner
from organizations.models.inventory import OwnerQuerySet
from organizations.outbox import post_keyed

MOST_AT_ONCE = 500
State = RedemptionCode.State


def recipients(membership: Membership) -> OwnerQuerySet:
    """Who can be written to. An admin of networks sees no list of people, but whose devices are theirs."""
    ours: OwnerQuerySet = Owner.objects.filter(organization=membership.organization_id)
    ours = ours.exclude(email="")
    if membership.sees_organization:
        return ours
    devices = Device.objects.visible_to(membership).filter(owner=OuterRef("pk"))
    return ours.filter(Exists(devices))


def with_code(managed_app: ManagedApp) -> Exists:
    """Whether an owner has one of this app's codes, redeemed or not."""
    given = RedemptionCode.objects.filter(managed_app=managed_app.pk).exclude(state=State.UNUSED)
    same = Q(owner=OuterRef("pk")) | Q(owner=None, email__iexact=OuterRef("email"))
    return Exists(given.filter(same))


def owners_in_scope(managed_app: ManagedApp) -> Exists:
    wanted = Installation.objects.filter(managed_app=managed_app.pk, is_wanted=True)
    return Exists(wanted.filter(device__owner=OuterRef("pk")))


@transaction.atomic
def hand_out(
    *, by: Actor, membership: Membership, managed_app: ManagedApp, owner_ids: Sequence[int]
) -> list[RedemptionCode]:
    """Who has one already gets no second one, so that to press twice is to press once."""
    if not owner_ids:
        raise NobodyChosen
    if len(owner_ids) > MOST_AT_ONCE:
        raise TooManyChosen(MOST_AT_ONCE)
    # Two admins must not both give out the last one, nor two to one person.
    managed_app = locked(managed_app)
    chosen = recipients(membership).filter(pk__in=owner_ids)
    owners = list(chosen.exclude(with_code(managed_app)).order_by("name", "pk"))
    if not owners:
        raise NobodyLeft
    codes = _take(managed_app, len(owners))
    _give(codes, owners, by)
    _write(managed_app, codes, owners)
    after = {"app": str(managed_app), "network": str(managed_app.network)}
    audit.record_each(
        action="redemption_code.handed_out",
        by=by,
        organization=managed_app.organization,
        targets=codes,
        after=after,
    )
    return codes


def _take(managed_app: ManagedApp, wanted: int) -> list[RedemptionCode]:
    unused = RedemptionCode.objects.filter(managed_app=managed_app, state=State.UNUSED)
    codes = list(unused.select_for_update(no_key=True).order_by("pk")[:wanted])
    if len(codes) < wanted:
        raise NotEnoughCodes(wanted=wanted, unused=len(codes))
    return codes


def _give(codes: Sequence[RedemptionCode], owners: Sequence[Owner], by: Actor) -> None:
    now = timezone.now()
    for code, owner in zip(codes, owners, strict=True):
        code.state, code.owner, code.email = State.HANDED_OUT, owner, owner.email
        code.handed_out_at, code.changed_by, code.mail_problem = now, by.name[:254], ""
    fields = ["state", "owner", "email", "handed_out_at", "changed_by", "mail_problem"]
    RedemptionCode.objects.bulk_update(codes, fields)


def _write(
    managed_app: ManagedApp, codes: Sequence[RedemptionCode], owners: Sequence[Owner]
) -> None:
    writer = Writer(managed_app)
    letters = [
        (key_of(code), writer.letter(code, name=_name_of(owner), language=owner.language))
        for code, owner in zip(codes, owners, strict=True)
    ]
    post_keyed(organization=managed_app.organization, letters=letters)


def _name_of(owner: Owner) -> str:
    """Without a name of their own people are called by their address."""
    return "" if "@" in owner.name else " ".join(owner.name.split())
