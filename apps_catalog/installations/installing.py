"""From the license to the command: what may be installed is sent, once, and only while it is licensed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Case, CharField, F, Q, Value, When

from apps_catalog.channels import outbox
from apps_catalog.installations import commands, licenses
from apps_catalog.installations.transitions import Transition, move
from apps_catalog.installations.work import AT_A_TIME, BY, UNDER_WAY, Work, set_commands
from apps_catalog.models import (
    ChannelCommand,
    Installation,
    InstallationState,
    PurchaseMethod,
)
from apps_catalog.reasons import Reason

S = InstallationState
INSTALL = "InstallApplication"
NOT_LICENSED = "Its license, or the wish for it, was gone before it was sent."
# A user's redemption code is redeemed by that user.
BY_HAND = Q(managed_app__purchase_method=PurchaseMethod.CODES)
ASKED = Q(asked_at__isnull=False)
AUTOMATIC = Q(managed_app__installs_automatically=True, managed_app__paused_at=None)
# In Setup Assistant nobody is there to sign in for a license of their own.
IN_ASSISTANT = Q(device__enrollment_record__awaits_configuration=True) & ~Q(
    managed_app__purchase_method=PurchaseMethod.DEVICE
)


def say_why_not(work: Work) -> None:
    """What is licensed and stays so for now says why."""
    while found := _resting(work):
        with work.hold.transaction():
            for reason, ids in found.items():
                why = Transition(S.LICENSED, "Looked at", BY, reason=reason)
                move(ids, why, only_from=[S.LICENSED])


def _resting(work: Work) -> dict[str, list[int]]:
    """Those whose reason is another one than they have, by reason."""
    licensed = Installation.objects.filter(
        organization=work.organization_id, state=S.LICENSED, is_wanted=True
    )
    wrong = (
        licensed.exclude(BY_HAND)
        .exclude(reason=Reason.OWNER_NOT_ASSOCIATED)
        .annotate(why=_why_not(work))
        .exclude(reason=F("why"))
    )
    found: defaultdict[str, list[int]] = defaultdict(list)
    for pk, why in wrong.order_by("pk").values_list("pk", "why")[:AT_A_TIME]:
        found[why].append(pk)
    return found


def _why_not(work: Work) -> Case:
    """The first thing in the way; empty where nothing is."""
    if work.channel is None:
        return Case(default=Value(Reason.OTHER_MDM), output_field=CharField())
    paused = Q(managed_app__installs_automatically=True)
    return Case(
        When(~(AUTOMATIC | ASKED) & paused, then=Value(Reason.PAUSED)),
        When(~(AUTOMATIC | ASKED), then=Value(Reason.NOT_AUTOMATIC)),
        When(work.reached, then=Value("")),
        default=Value(Reason.NOT_ENROLLED),
        output_field=CharField(),
    )


def send_installs(work: Work) -> None:
    if work.channel is None:
        return
    after = 0
    while chunk := _candidates(work, after):
        after = chunk[-1].pk
        with work.hold.transaction():
            _send(work, chunk)


def _candidates(work: Work, after: int) -> list[Installation]:
    wanted = Installation.objects.filter(
        AUTOMATIC | ASKED,
        work.reached,
        organization=work.organization_id,
        state=S.LICENSED,
        is_wanted=True,
        pk__gt=after,
    )
    free = wanted.exclude(BY_HAND).exclude(IN_ASSISTANT).exclude(UNDER_WAY)
    return list(free.select_related(*commands.WITH_TARGET).order_by("pk")[:AT_A_TIME])


def _send(work: Work, chunk: Sequence[Installation]) -> None:
    confirmed = licenses.confirmed([row.pk for row in chunk])
    sent = Transition(S.INSTALL_QUEUED, "Install sent", BY)
    moved = set(move(confirmed, sent, only_from=[S.LICENSED]))
    queue_installs(work.organization_id, [row for row in chunk if row.pk in moved])


def queue_installs(organization_id: int, rows: Sequence[Installation]) -> None:
    """Apps on devices, with `commands.WITH_TARGET`; what is sent again updates."""
    groups: defaultdict[commands.Target, list[Installation]] = defaultdict(list)
    for row in rows:
        groups[commands.target_of(row)].append(row)
    for target, group in groups.items():
        request_type, body = commands.install(group[0].managed_app, target)
        queued = outbox.queue(
            organization_id,
            [commands.address_of(row, to_person=target.to_person) for row in group],
            request_type,
            body,
            managed_app_id=target.managed_app_id,
        )
        set_commands(queued)


def recall(waiting: Sequence[ChannelCommand]) -> set[int]:
    """Installs that were about to be sent, and may not be any more."""
    installs = [command for command in waiting if command.request_type == INSTALL]
    if not installs:
        return set()
    rows = [row for row in rows_of(installs) if row.is_wanted]
    confirmed = licenses.confirmed([row.pk for row in rows])
    wanted = {(row.managed_app_id, row.device_id) for row in rows if row.pk in confirmed}
    gone = [each for each in installs if (each.managed_app_id, each.device_id) not in wanted]
    outbox.void([each.pk for each in gone], NOT_LICENSED)
    back = Transition(S.LICENSED, NOT_LICENSED, BY)
    move([row.pk for row in rows_of(gone)], back, only_from=[S.INSTALL_QUEUED, S.DEFERRED])
    return {each.pk for each in gone}


def rows_of(found: Iterable[ChannelCommand]) -> Iterator[Installation]:
    """The installations that these commands are about."""
    places = {(command.managed_app_id, command.device_id) for command in found}
    rows = Installation.objects.filter(
        managed_app__in={app for app, _ in places}, device__in={device for _, device in places}
    )
    return (row for row in rows if (row.managed_app_id, row.device_id) in places)
