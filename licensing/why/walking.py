"""The whole way of an app to a device, step by step, until something is not in order."""

from __future__ import annotations

from collections.abc import Callable

from apps_catalog.models import ManagedApp
from apps_catalog.reasons import Stage
from licensing.why.at_apple import apple_step
from licensing.why.cases import Case
from licensing.why.in_scope import scope_step
from licensing.why.licenses import license_step
from licensing.why.on_device import channel_step, device_step
from licensing.why.steps import Step, Verdict
from organizations.models import Device, Membership

LOOKS: tuple[tuple[Stage, Callable[[Case], Step]], ...] = (
    (Stage.SCOPE, scope_step),
    (Stage.LICENSE, license_step),
    (Stage.APPLE, apple_step),
    (Stage.CHANNEL, channel_step),
    (Stage.DEVICE, device_step),
)


def walk(managed_app: ManagedApp, device: Device, membership: Membership) -> list[Step]:
    """Five steps; those after the first that is not in order are not looked at."""
    case = Case(managed_app, device, membership)
    steps: list[Step] = []
    for stage, look in LOOKS:
        goes_on = all(step.verdict == Verdict.OK for step in steps)
        steps.append(look(case) if goes_on else Step.not_reached(stage))
    return steps
