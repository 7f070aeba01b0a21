"""What this app does when something is announced: ring for a worker, tell of admins' rights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from organizations import hooks as tenant
from organizations.audit import Actor
from organizations.models import Membership, Organization
from vpp_accounts import hooks
from vpp_accounts.models import VppAccount
from vpp_accounts.services import leaving
from vpp_accounts.services.rights import facts, record
from vpp_accounts.tasks import say_goodbye


def connect() -> None:
    hooks.goodbye_due.connect(start_goodbye, dispatch_uid="vpp_accounts.start_goodbye")
    tenant.organization_closed.connect(end_syncs, dispatch_uid="vpp_accounts.end_syncs")
    tenant.organization_reopened.connect(sync_again, dispatch_uid="vpp_accounts.sync_again")
    tenant.deletion_asked.connect(silence, dispatch_uid="vpp_accounts.silence")
    tenant.deletion_undone.connect(break_silence, dispatch_uid="vpp_accounts.break_silence")
    tenant.erasure.connect(leave_marks_only, dispatch_uid="vpp_accounts.leave_marks_only")
    tenant.account_rights.connect(accounts_managed_by, dispatch_uid="vpp_accounts.managed_by")
    tenant.admin_removal.connect(accounts_losing, dispatch_uid="vpp_accounts.losing")
    tenant.admin_removed.connect(forget_admin, dispatch_uid="vpp_accounts.forget_admin")


def start_goodbye(sender: Any, *, former_claim_id: int, **kwargs: Any) -> None:
    say_goodbye.delay(former_claim_id=former_claim_id)


def accounts_managed_by(
    sender: Any, *, organization: Organization, memberships: Sequence[Membership], **kwargs: Any
) -> dict[int, list[str]]:
    """By membership, in one statement for all of them."""
    managers = VppAccount.objects.filter(organization=organization).managers()
    theirs = managers.filter(member__in=[membership.pk for membership in memberships])
    names: dict[int, list[str]] = {}
    for member, name in theirs.order_by("name", "pk").values_list("member", "name"):
        names.setdefault(member, []).append(name)
    return names


def accounts_losing(sender: Any, *, membership: Membership, **kwargs: Any) -> list[str]:
    """What an admin's end means for the VPP accounts that name them, or that they alone manage."""
    naming = names_of(accounts_naming(membership))
    lonely = names_of(VppAccount.objects.managed_only_by(membership))
    return [
        *([f"Taken out of the allowed admins of {naming}."] if naming else []),
        *(
            [
                f"Nobody may then manage users and licenses of {lonely}."
                " Change its allowed admins on Organization > MDM."
            ]
            if lonely
            else []
        ),
    ]


def forget_admin(sender: Any, *, membership: Membership, by: Actor, **kwargs: Any) -> None:
    accounts = accounts_naming(membership).select_related("organization").order_by("pk")
    for account in accounts.select_for_update(of=("self",)):
        before = facts(account)
        account.named_admins.remove(membership.admin_id)
        record("vpp_account.edited", by, account, before=before, after=facts(account))


def accounts_naming(membership: Membership) -> Any:
    """In this organization: the same person may be named in another one."""
    ours = VppAccount.objects.filter(organization=membership.organization_id)
    return ours.filter(named_admins=membership.admin_id)


def names_of(accounts: Any) -> str:
    return ", ".join(accounts.order_by("name", "pk").values_list("name", flat=True))


def end_syncs(sender: Any, *, organization: Organization, **kwargs: Any) -> None:
    leaving.end_syncs(organization)


def sync_again(sender: Any, *, organization: Organization, **kwargs: Any) -> None:
    leaving.sync_again(organization)


def silence(sender: Any, *, organization: Organization, **kwargs: Any) -> None:
    leaving.silence(organization)


def break_silence(sender: Any, *, organization: Organization, **kwargs: Any) -> None:
    leaving.break_silence(organization)


def leave_marks_only(sender: Any, *, organization_id: int, **kwargs: Any) -> None:
    leaving.leave_marks_only(organization_id)
