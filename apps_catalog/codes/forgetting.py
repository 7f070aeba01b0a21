"""What codes say of a person, told and emptied. Call it in the transaction of the erasure."""

from __future__ import annotations

from django.db.models import Q

from apps_catalog.codes.letters import mails_of
from apps_catalog.models import RedemptionCode
from apps_catalog.models.codes import CodeQuerySet
from organizations.models import OutgoingMail, Owner


def codes_of(owner: Owner) -> CodeQuerySet:
    theirs = Q(owner=owner)
    if owner.email:
        theirs |= Q(owner=None, email__iexact=owner.email)
    codes: CodeQuerySet = RedemptionCode.objects.filter(
        theirs, organization=owner.organization_id
    ).order_by("pk")
    return codes


def forget_person(owner: Owner) -> None:
    """That the code was given away stays, so that nobody gets it a second time."""
    ids = list(codes_of(owner).values_list("pk", flat=True))
    if owner.email:
        mails = OutgoingMail.objects.filter(mails_of(ids), organization=owner.organization_id)
        mails.filter(to__iexact=owner.email).delete()
    RedemptionCode.objects.filter(pk__in=ids).update(owner=None, email="", mail_problem="")
