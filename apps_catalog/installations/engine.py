"""One worker's turn in one organization: look again, install, remove, send, push.

Nothing that has to be remembered is only in memory: the worker may die anywhere, and the next turn
goes on from the rows (steps.py names the places, tests/test_deployment_crashes.py kills it at each).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db.models import Min
from django.utils import timezone

from apps_catalog import hooks
from apps_catalog.channels import outbox, pushing
from apps_catalog.channels.choosing import channel_of
from apps_catalog.channels.sending import Sender
from apps_catalog.installations import (
    installing,
    inviting,
    refused,
    removing,
    steps,
    turns,
    verifying,
)
from apps_catalog.installations.work import Work, set_commands
from apps_catalog.models import ChannelCommand, Deployment, Installation, InstallationStep
from organizations.models import Organization
from vpp_accounts.leases import Hold, LeaseLost

log = structlog.get_logger(__name__)

COUNTED_EVERY = timedelta(seconds=30)


def run(organization_id: int) -> None:
    """Do what there is to do now; leave at once where somebody else does."""
    is_open = Organization.objects.open().filter(pk=organization_id).exists()
    token = turns.claim(organization_id) if is_open else None
    if token is None:
        return
    with Hold(turns.rows_of(organization_id), token) as hold:
        work = Work(organization_id, hold, channel_of(organization_id))
        try:
            _work(work)
            turns.leave(hold, organization_id, next_at=_next_at(work))
        except LeaseLost:
            log.warning("deployment.lease_lost", organization=organization_id)
        finally:
            if work.channel:
                work.channel.close()


def _work(work: Work) -> None:
    verifying.look_again(work)
    steps.reached(steps.LOOKED)
    installing.say_why_not(work)
    installing.send_installs(work)
    steps.reached(steps.INSTALLS_STORED)
    removing.send_removals(work)
    steps.reached(steps.REMOVALS_STORED)
    inviting.send_invitations(work)
    _send(work)
    _tell_counts(work)


def _send(work: Work) -> None:
    if work.channel is None:
        return
    Sender(
        organization_id=work.organization_id,
        channel=work.channel,
        transaction=work.hold.transaction,
        recall=_recall,
        failed=refused.by_the_server,
        fill=inviting.fill,
    ).run()
    steps.reached(steps.SENT)
    pushing.push_due(
        work.organization_id,
        work.channel,
        transaction=work.hold.transaction,
        replaced=lambda pairs: set_commands(fresh for _, fresh in pairs),
    )


def _recall(waiting: Sequence[ChannelCommand]) -> set[int]:
    gone = installing.recall(waiting) | removing.recall(waiting)
    return gone | inviting.recall(waiting)


def _tell_counts(work: Work) -> None:
    """Whoever counts hears which apps moved; not for each of many answers."""
    now = timezone.now()
    deployment = Deployment.objects.get(organization=work.organization_id)
    if deployment.counted_at and deployment.counted_at > now - COUNTED_EVERY:
        return
    moved = InstallationStep.objects.filter(organization=work.organization_id)
    if deployment.counted_at:
        moved = moved.filter(at__gte=deployment.counted_at)
    ids = sorted(set(moved.values_list("managed_app_id", flat=True).distinct()))
    if ids:
        hooks.installations_moved.send(
            Installation, organization_id=work.organization_id, managed_app_ids=ids
        )
        work.hold.update(counted_at=now)


def _next_at(work: Work) -> datetime | None:
    """When there is something to do again, as far as that is known."""
    rows = Installation.objects.filter(organization=work.organization_id)
    commands = ChannelCommand.objects.filter(
        organization=work.organization_id, state__in=outbox.OPEN
    )
    times = [
        rows.filter(state__in=LOOKED_AT).aggregate(at=Min("next_at"))["at"],
        commands.aggregate(at=Min("next_at"))["at"] if work.channel else None,
    ]
    return min((at for at in times if at is not None), default=None)


LOOKED_AT = (
    *verifying.VERIFYING,
    installing.S.INSTALLED,
    installing.S.FAILED,
    installing.S.RECLAIMED,
)
