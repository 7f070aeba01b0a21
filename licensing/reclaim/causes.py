"""When a license could serve somebody else: each cause as the database is asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from apps_catalog.models import (
    ChannelKind,
    Enrollment,
    Installation,
    InstallationState,
    InstallationStep,
    ManagedApp,
)
from licensing.models import Assignment, LicensedApp, ReclaimCause
from organizations.models import AuditEvent, Device
from organizations.models.audit import DEVICE_DELETED
from users.models import VppUser
from users.states import RETIRED

DEVICE = Assignment.HolderKind.DEVICE
DEVICES, HELD = Device._meta.db_table, Assignment._meta.db_table
TITLES, USERS = LicensedApp._meta.db_table, VppUser._meta.db_table
INSTALLATIONS, MANAGED = Installation._meta.db_table, ManagedApp._meta.db_table
STEPS, ENROLLMENTS = InstallationStep._meta.db_table, Enrollment._meta.db_table
EVENTS = AuditEvent._meta.db_table
GONE_USERS = tuple(str(status) for status in RETIRED)


@dataclass(frozen=True, slots=True)
class Cause:
    """`devices` selects serial, name, since, device_id, rule_id and adam_id (null: of any title);
    `where` narrows their licenses: `cause`, `held`, `title`. `over`, a condition on `reclaim`: it is
    so no longer, with the sentence that says it. `waits`: it has to be so for a number of days.
    `noticed`: so long after it happened `since` may say at the latest that it did.
    """

    devices: str
    over: str
    over_because: str
    where: str = "true"
    waits: bool = False
    noticed: str = "1 minute"  # it is written in the same breath as a decision about it


def _devices(where: str, *, since: str, joined: str = "", more: str = "NULL, NULL") -> str:
    return f"""
        SELECT device.serial_number, device.name, {since}, device.id, {more}
        FROM {DEVICES} AS device {joined}
        WHERE device.organization_id = %(organization)s AND device.serial_number IS NOT NULL
          AND {where}
    """  # noqa: S608  table names are the models'


def _this_device(and_: str = "true") -> str:
    return f"""EXISTS (
        SELECT FROM {DEVICES} AS device, {TITLES} AS title
        WHERE device.organization_id = %(organization)s AND device.serial_number = reclaim.holder
          AND title.id = reclaim.licensed_app_id AND ({and_}))
    """


def _installation(device: str, adam_id: str, and_: str) -> str:
    return f"""EXISTS (
        SELECT FROM {INSTALLATIONS} AS install
        JOIN {MANAGED} AS app ON app.id = install.managed_app_id
        WHERE install.organization_id = %(organization)s AND install.device_id = {device}
          AND app.adam_id = {adam_id} AND ({and_}))
    """


WANTED = "install.is_wanted"
INSTALLED = f"""install.state = '{InstallationState.INSTALLED}' OR EXISTS (
    SELECT FROM {STEPS} AS step
    WHERE step.organization_id = %(organization)s AND step.device_id = install.device_id
      AND step.managed_app_id = install.managed_app_id
      AND step.new = '{InstallationState.INSTALLED}')
"""

# All of them at once: asked device by device, a planner without statistics takes minutes.
_EVER_INSTALLED = f"""
    SELECT install.device_id, app.adam_id FROM {INSTALLATIONS} AS install
    JOIN {MANAGED} AS app ON app.id = install.managed_app_id
    WHERE install.organization_id = %(organization)s
      AND install.state = '{InstallationState.INSTALLED}'
    UNION
    SELECT step.device_id, app.adam_id FROM {STEPS} AS step
    JOIN {MANAGED} AS app ON app.id = step.managed_app_id
    WHERE step.organization_id = %(organization)s AND step.new = '{InstallationState.INSTALLED}'
"""  # noqa: S608

_ENROLLED_SINCE = f"""EXISTS (
    SELECT FROM {ENROLLMENTS} AS enrollment WHERE enrollment.device_id = device.id
      AND enrollment.is_enrolled AND enrollment.enrolled_at > device.wiped_at)
"""

# Whom every account has retired; whoever is in none is no VPP user at all.
_RETIRED_OWNERS = f"""(
    SELECT owner_id, max(retired_at) AS at FROM {USERS}
    WHERE organization_id = %(organization)s AND owner_id IS NOT NULL
    GROUP BY owner_id HAVING bool_and(apple_status IN {GONE_USERS}))
"""  # noqa: S608

_NOT_ENROLLED = f"device.enrollment = '{Device.Enrollment.NONE}'"

CAUSES: dict[str, Cause] = {
    ReclaimCause.DELETED: Cause(
        devices=f"""
            SELECT gone.serial_number, gone.name, gone.at, NULL, NULL, NULL
            FROM (SELECT (before ->> 'serialNumber') COLLATE "C" AS serial_number,
                         max(before ->> 'name') AS name, max(at) AS at
                  FROM {EVENTS}
                  WHERE organization_id = %(organization)s AND action = '{DEVICE_DELETED}'
                    AND NOT refused GROUP BY 1) AS gone
            WHERE NOT EXISTS (
                SELECT FROM {DEVICES} AS device WHERE device.organization_id = %(organization)s
                  AND device.serial_number = gone.serial_number)
        """,  # noqa: S608
        over=_this_device(),
        over_because="The device is in the inventory again.",
    ),
    ReclaimCause.WIPED: Cause(
        devices=_devices(
            f"device.wiped_at IS NOT NULL AND NOT {_ENROLLED_SINCE}", since="device.wiped_at"
        ),
        over=_this_device(f"device.wiped_at IS NULL OR {_ENROLLED_SINCE}"),
        over_because="The device is in use again.",
    ),
    ReclaimCause.UNENROLLED: Cause(
        devices=_devices(
            f"device.unenrolled_at IS NOT NULL AND {_NOT_ENROLLED}", since="device.unenrolled_at"
        ),
        over=_this_device(f"device.unenrolled_at IS NULL OR NOT {_NOT_ENROLLED}"),
        over_because="The device is enrolled again.",
    ),
    ReclaimCause.RETIRED_OWNER: Cause(
        devices=_devices(
            "true",
            since="retired.at",
            joined=f"JOIN {_RETIRED_OWNERS} AS retired ON retired.owner_id = device.owner_id",
        ),
        over=_this_device(f"""device.owner_id IS NULL OR NOT EXISTS (
            SELECT FROM {_RETIRED_OWNERS} AS retired
            WHERE retired.owner_id = device.owner_id)"""),
        over_because="Its owner is no longer retired, or it has another one.",
    ),
    ReclaimCause.MISSING: Cause(
        devices=_devices("device.missing_since <= %(before)s", since="device.missing_since"),
        over=_this_device("device.missing_since IS NULL"),
        over_because="The device was seen again.",
        waits=True,
    ),
    # Of what a rule granted where the device was; what an app wants where it is stays.
    ReclaimCause.MOVED: Cause(
        devices=_devices(
            "NOT was.is_wanted AND was.left_at IS NOT NULL"
            " AND device.network_id <> rule.network_id",
            since="was.left_at",
            joined=f"""JOIN {INSTALLATIONS} AS was ON was.device_id = device.id
                        AND was.organization_id = %(organization)s
                       JOIN {MANAGED} AS rule ON rule.id = was.managed_app_id""",
            more="rule.id, rule.adam_id",
        ),
        where="held.rule_id = cause.rule_id AND NOT "
        + _installation("cause.device_id", "title.adam_id", WANTED),
        over=_this_device(_installation("device.id", "title.adam_id", WANTED)),
        over_because="An app of the device's network wants it.",
        # When automatic licensing came to look at the device, however busy it was.
        noticed="1 day",
    ),
    # Only a channel tells what is installed.
    ReclaimCause.NEVER_INSTALLED: Cause(
        devices=_devices(
            f"""wanted.is_wanted AND wanted.state <> '{InstallationState.INSTALLED}'
            AND enrollment.channel <> '{ChannelKind.NONE}'
            AND NOT EXISTS (SELECT FROM ({_EVER_INSTALLED}) AS done
                WHERE done.device_id = device.id AND done.adam_id = rule.adam_id)""",
            since="NULL::timestamptz",
            joined=f"""JOIN {INSTALLATIONS} AS wanted ON wanted.device_id = device.id
                        AND wanted.organization_id = %(organization)s
                       JOIN {MANAGED} AS rule ON rule.id = wanted.managed_app_id
                       JOIN {ENROLLMENTS} AS enrollment ON enrollment.device_id = device.id""",
            more="NULL, rule.adam_id",
        ),
        where="held.since <= %(before)s",
        over=_this_device(_installation("device.id", "title.adam_id", INSTALLED)),
        over_because="The app is installed by now.",
        waits=True,
    ),
}
