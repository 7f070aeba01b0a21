"""Which command an installation needs, and to whom it goes: the device, or the person on it."""

from __future__ import annotations

from typing import NamedTuple

from apps_catalog.channels import plists
from apps_catalog.channels.outbox import Address
from apps_catalog.models import Installation, ManagedApp, PurchaseMethod
from organizations.models import Device, Platform

# What `target_of` reads of an installation.
WITH_TARGET = ("managed_app__app", "device__enrollment_record")


class Target(NamedTuple):
    """Equal ones are sent the same."""

    managed_app_id: int
    is_macos: bool
    is_user_enrollment: bool
    to_person: bool


def target_of(installation: Installation) -> Target:
    device, managed_app = installation.device, installation.managed_app
    is_macos = device.platform == Platform.MACOS
    # A Mac looks for a user's license on the user's own channel.
    to_person = is_macos and managed_app.purchase_method == PurchaseMethod.USER
    return Target(
        managed_app.pk,
        is_macos,
        device.enrollment == Device.Enrollment.USER,
        to_person and bool(device.enrollment_record.user_channel_id),
    )


def address_of(installation: Installation, *, to_person: bool = False) -> Address:
    enrollment = installation.device.enrollment_record
    channel_id = enrollment.user_channel_id if to_person else enrollment.channel_id
    return Address(installation.device_id, channel_id)


def install(managed_app: ManagedApp, target: Target) -> plists.Command:
    return plists.install(
        plists.AppFacts(
            adam_id=managed_app.adam_id,
            platform=managed_app.platform,
            is_macos=target.is_macos,
            bundle_id=managed_app.app.bundle_id,
        ),
        plists.InstallOptions(
            is_licensed=managed_app.needs_license,
            removes_with_mdm=managed_app.removes_with_mdm,
            takes_over=managed_app.manages_unmanaged,
            is_user_enrollment=target.is_user_enrollment,
            is_removable=managed_app.is_removable,
        ),
    )
