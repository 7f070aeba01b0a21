"""What licensing does when a lower app announces something."""

from __future__ import annotations

from typing import Any

from django.db.models import Count

from licensing.models import Assignment, LicensedApp
from licensing.tasks import run_sync
from organizations.hooks import network_deletion
from organizations.models import Network
from vpp_accounts import hooks
from vpp_accounts.models import VppAccount
from vpp_accounts.services import Consequences


def connect() -> None:
    hooks.sync_requested.connect(start_sync, dispatch_uid="licensing.start_sync")
    hooks.account_removal.connect(what_goes, dispatch_uid="licensing.what_goes")
    hooks.account_removed.connect(forget_assignments, dispatch_uid="licensing.forget_assignments")
    network_deletion.connect(accounts_losing, dispatch_uid="licensing.accounts_losing")


def start_sync(sender: Any, *, sync_run_id: int, **kwargs: Any) -> None:
    run_sync.delay(sync_run_id=sync_run_id)


def what_goes(sender: Any, *, account: VppAccount, **kwargs: Any) -> Consequences:
    titles = LicensedApp.objects.filter(account=account).present().count()
    held = Assignment.objects.filter(account=account).aggregate(n=Count("*"))["n"]
    return Consequences(
        stops=[f"{titles:,} titles and the history of their counts leave this dashboard."],
        stays=[f"{held:,} licenses stay assigned at Apple; nothing is revoked."],
    )


def forget_assignments(sender: Any, *, account: VppAccount, **kwargs: Any) -> None:
    """In one statement: they hang on the account without a database constraint."""
    Assignment.objects.filter(account=account)._raw_delete(using="default")


def accounts_losing(sender: Any, *, network: Network, **kwargs: Any) -> list[str]:
    """What a network's end means for the VPP accounts that name it."""
    uses = {
        "their assignable networks": VppAccount.objects.filter(assignable_network_list=network),
        "the networks whose admins may manage them": VppAccount.objects.filter(
            allowed_networks=network
        ),
    }
    counts = {what: accounts.count() for what, accounts in uses.items()}
    return [
        f"VPP accounts that lose it from {what}: {count:,}."
        for what, count in counts.items()
        if count
    ]
