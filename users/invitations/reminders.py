"""Writing again to people who have not accepted, where their organization wants that."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import (
    CharField,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from organizations.models import OF_OPEN, OutgoingMail
from users.invitations import giving
from users.invitations.letters import KEY
from users.models import Invitation, InvitationSettings, VppUser
from users.models.invitations import InvitationQuerySet
from vpp_accounts import lookups
from vpp_accounts.models import VppAccount

log = structlog.get_logger(__name__)

AT_ONCE = 500
DAYS = ("first_reminder_days", "second_reminder_days")
# Who has not accepted, and whom the last mail has reached as far as we know.
STILL_ASKED = Q(
    user__apple_status=VppUser.AppleStatus.REGISTERED,
    user__failure="",
    sent_at__isnull=False,
    bounced_at=None,
) & (Q(user__owner__email__gt="") | Q(user__email__gt=""))


def remind_due() -> int:
    """Write every reminder whose time has come; answers to how many people."""
    accounts = due(Invitation.objects.using("system")).order_by("account").values_list("account")
    return sum(remind(account_id) for (account_id,) in accounts.distinct())


def remind(account_id: int) -> int:
    """Those of one account, a few hundred in each transaction."""
    reminded = 0
    with lookups.account.inside(account_id):
        while some := _remind_some(account_id):
            reminded += some
    if reminded:
        log.info("invitations.reminded", account=account_id, people=reminded)
    return reminded


def due(invitations: InvitationQuerySet) -> InvitationQuerySet:
    """The open ones to which nothing was answered for as many days as their organization waits."""
    now = timezone.now()
    waits = Q()
    for number, field in enumerate(DAYS):
        waits |= Q(reminders=number, last_sent_at__lte=_before(now, field))
    open_ = invitations.open().filter(OF_OPEN, waits, STILL_ASKED, expires_at__gt=now)
    return open_.exclude(account__state__in=VppAccount.STOPPED).exclude(_is_under_way())


def _before(now: datetime, field: str) -> Combinable:
    """As many days ago as the organization says there; null, and so never, where it says nothing."""
    days = F(f"organization__invitation_settings__{field}") * Value(timedelta(days=1))
    span = ExpressionWrapper(days, output_field=DurationField())
    return ExpressionWrapper(Value(now) - span, output_field=DateTimeField())


@transaction.atomic
def _remind_some(account_id: int) -> int:
    account = VppAccount.objects.select_related("organization").filter(pk=account_id).first()
    if account is None or not _claimed(account):
        return 0
    ours = due(Invitation.objects.filter(account=account)).order_by("pk")
    locked = ours.select_related("user__owner").select_for_update(of=("self",), no_key=True)
    some = list(locked[:AT_ONCE])
    return giving.mail(some, account=account, reminder=True) if some else 0


def _claimed(account: VppAccount) -> bool:
    """One worker at a time reminds for an organization: what is due is read after the claim."""
    settings = InvitationSettings.objects.select_for_update(skip_locked=True)
    return settings.filter(organization=account.organization_id).first() is not None


def _is_under_way() -> Exists:
    """Its last mail waits in the outbox, or went out without our having heard of it."""
    key = Concat(
        Value(KEY),
        Cast(OuterRef("pk"), CharField()),
        Value(":"),
        Cast(OuterRef("mails"), CharField()),
    )
    mails = OutgoingMail.objects.filter(organization=OuterRef("organization"), key=key)
    unheard = Q(next_attempt_at__isnull=False) | Q(sent_at__gt=OuterRef("last_sent_at"))
    return Exists(mails.filter(unheard))
