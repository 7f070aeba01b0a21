"""What belongs to a VPP account of the sweep: licenses, people, batches, syncs."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from licensing.models import AppleOperation, Batch, Writer
from organizations.models import Network
from organizations.preferences import alarms_off_token
from tests import factories
from tests.sweep.tenant import SECRET, Tenant
from users.invitations import links
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import Alarm, FormerClaim, Notification, SyncRun, VppAccount


def rows_of(
    tenant: Tenant, apple: FakeApple, network: Network, allowed: str, number: int
) -> dict[str, Any]:
    account = _account_of(tenant, apple, network, allowed, number)
    inner = f"{tenant.inner}-{number}"
    # Both stand in addresses, so that neither carries the mark.
    adam_id, serial = f"90{tenant.number}{number}77", f"DMQ{tenant.number}{number}HELD"
    tenant.values += [adam_id, serial]
    title = factories.LicensedAppFactory(
        account=account, app__name=f"{inner} Title", app__adam_id=adam_id, low_threshold=50
    )
    factories.LicenseCountFactory(licensed_app=title)
    held = factories.AssignmentFactory(licensed_app=title, holder=serial)
    user = _user_of(account, inner)
    batch = _batch_of(tenant, title, inner)
    plan = factories.BatchPlanFactory(account=account, title=title)
    return {
        "account_id": account.pk,
        "account_uuid": account.uuid,
        "adam_id": title.adam_id,
        "pricing_param": title.pricing_param,
        "holder_kind": held.holder_kind,
        "holder": held.holder,
        "user_id": user.pk,
        "batch_id": batch.pk,
        "plan_id": plan.pk,
        "sync_run_id": _sync_rows_of(account, inner).pk,
        "link": links.token_of(factories.InvitationFactory(user=user)),
        "alarms_link": alarms_off_token(tenant.membership("full")),
    }


def _account_of(
    tenant: Tenant, apple: FakeApple, network: Network, allowed: str, number: int
) -> VppAccount:
    inner = f"{tenant.inner}-{number}"
    # Whoever holds the token learns from Apple what Apple calls it: that is not ours to keep.
    location = apple.create_location(name=f"Location {tenant.number}-{number}", org_name="Apple's")
    token = location.issue_token()
    account: VppAccount = factories.VppAccountFactory(
        organization=tenant.organization,
        name=f"{inner} Account",
        email=f"vpp@{inner}.example",
        uid=location.uid,
        location_name=f"{inner} Location",
        token_org_name=f"{inner} Org",
        token=token,
        allowed_admins=allowed,
        state_reason=f"{inner} says so",
        notification_secret_hash=hashlib.sha256(inner.encode()).hexdigest(),
    )
    named = ("full", "reader", "named") if allowed == "named" else ()
    account.named_admins.set(tenant.admins[who] for who in named)
    account.allowed_networks.set([network])
    account.assignable_network_list.set([network])
    tenant.values += [location.uid, account.token_hash, str(account.uuid)]
    tenant.secrets += [token, account.notification_secret_hash]
    tenant.digests.append(account.notification_secret_hash)
    tenant.token = tenant.token or token
    return account


def _user_of(account: VppAccount, inner: str) -> Any:
    return factories.VppUserFactory(
        account=account,
        owner=factories.OwnerFactory(
            organization=account.organization,
            name=f"{inner} User",
            email=f"user@{inner}.example",
        ),
        client_user_id=f"{inner}-{uuid4()}",
        name=f"{inner} User",
        email=f"user@{inner}.example",
        apple_status="Registered",
        invite_code=f"{SECRET}-{inner}",
        invited_at=timezone.now(),
    )


def _batch_of(tenant: Tenant, title: Any, inner: str) -> Batch:
    batch: Batch = factories.BatchFactory(
        account=title.account,
        about=f"{inner} to everybody",
        why=f"{inner} wants it",
        reason=f"{inner} paused it",
        actor_name=f"full@{inner}.example",
        state="running",
        waiting=1,
        failed=1,
    )
    operation = AppleOperation.objects.create(
        organization=tenant.organization,
        account=title.account,
        path="assets/associate",
        event_id=f"{inner}-event",
        message=f"{inner} failed",
    )
    item = {"batch": batch, "licensed_app": title, "operation": operation}
    factories.BatchItemFactory(**item, state="waiting", holder=f"{inner}WAITS".upper())
    factories.BatchItemFactory(
        **item, state="failed", holder=f"{inner}FAILED".upper(), message=f"{inner} failed"
    )
    Writer.objects.create(
        organization=tenant.organization,
        account=title.account,
        paused_reason=f"{inner} pauses",
        paused_since=timezone.now(),
    )
    return batch


def _sync_rows_of(account: VppAccount, inner: str) -> SyncRun:
    tenant_rows = {"organization": account.organization, "account": account}
    Alarm.objects.create(**tenant_rows, key=f"{inner}-alarm")
    Notification.objects.create(
        **tenant_rows,
        notification_id=f"{inner}-notification",
        kind="ASSET_MANAGEMENT",
        payload={"eventId": f"{inner}-event"},
        error=f"{inner} was not understood",
    )
    FormerClaim.objects.create(
        mdm_id=f"{inner}-mark",
        organization=account.organization,
        name=f"{inner} former",
        next_attempt_at=timezone.now() + timedelta(days=1),
    )
    run: SyncRun = factories.SyncRunFactory(
        account=account,
        requested_by=None,
        message=f"{inner} was synced",
        outcome="failed",
        phase="done",
        finished_at=timezone.now(),
    )
    return run
