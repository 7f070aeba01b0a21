"""How few licenses are too few: for the whole organization, and for one title."""

from __future__ import annotations

from django.db import transaction

from licensing.low.watching import lock, watch
from licensing.models import LicensedApp, LicensingSettings
from organizations import audit
from organizations.audit import Actor
from organizations.models import Organization
from organizations.refusals import Refusal
from vpp_accounts.models import VppAccount

MOST = 1_000_000


class TooLarge(Refusal):
    code = "threshold_out_of_range"
    field = "threshold"

    def __init__(self) -> None:
        super().__init__(f"Choose a number from 0 to {MOST:,}, or leave it empty.")


def default_threshold(organization: Organization) -> int | None:
    """None: no notice, unless a title has a threshold of its own."""
    ours = LicensingSettings.objects.filter(organization=organization)
    return ours.values_list("low_threshold", flat=True).first()


@transaction.atomic
def set_default(*, by: Actor, organization: Organization, threshold: int | None) -> None:
    """For every title without a threshold of its own; asking for what is so leaves no trace."""
    _refuse_nonsense(threshold)
    LicensingSettings.objects.get_or_create(organization=organization)
    ours = LicensingSettings.objects.select_for_update().get(organization=organization)
    if ours.low_threshold == threshold:
        return
    before, ours.low_threshold = ours.low_threshold, threshold
    ours.save(update_fields=["low_threshold"])
    audit.record(
        "vpp_settings.low_threshold_set",
        by=by,
        organization=organization,
        target=ours,
        before={"lowThreshold": before},
        after={"lowThreshold": threshold},
    )
    accounts = VppAccount.objects.filter(organization=organization).order_by("pk")
    for account in accounts.select_related("organization"):
        watch(account)


@transaction.atomic
def set_threshold(*, by: Actor, licensed_app: LicensedApp, threshold: int | None) -> None:
    """For one title; None: as the organization's default says, 0: never."""
    _refuse_nonsense(threshold)
    lock(licensed_app.account_id)  # before the row, as a sync does
    titles = LicensedApp.objects.select_for_update(of=("self",), no_key=True)
    locked = titles.select_related("app", "account__organization").get(pk=licensed_app.pk)
    if locked.low_threshold == threshold:
        return
    before, locked.low_threshold = locked.low_threshold, threshold
    locked.save(update_fields=["low_threshold"])
    audit.record(
        "title.low_threshold_set",
        by=by,
        organization=locked.account.organization,
        target=locked,
        before={"lowThreshold": before},
        after={"lowThreshold": threshold},
    )
    watch(locked.account)


def _refuse_nonsense(threshold: int | None) -> None:
    if threshold is not None and not 0 <= threshold <= MOST:
        raise TooLarge
