"""Apps and devices of the sweep: what is deployed, how far it is, and what is said to devices."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils import timezone

from apps_catalog.models import (
    ChannelCommand,
    ChannelEvent,
    CodeImport,
    Deployment,
    InstallationStep,
    RedemptionCode,
    SimulatedDevice,
    SimulatedFleet,
    StoreSearch,
)
from apps_catalog.store.reading import Result
from licensing.models import (
    Automation,
    AutomationChange,
    AutomationHold,
    LicensedApp,
    Reclaim,
    ReclaimRule,
)
from organizations.models import Device, DeviceImport, DeviceImportRow, Tag
from tests import factories
from tests.sweep.tenant import SECRET, Tenant

OF_RESULTS = sorted(Result.__annotations__.keys() - {"adam_id", "name"})


def rows_of(tenant: Tenant) -> dict[str, Any]:
    """One app of the network, with something in every table that it leads to."""
    device = Device.objects.get(pk=tenant.rows["device_id"])
    tag = Tag.objects.get(pk=device.tag_ids[0])
    title = LicensedApp.objects.get(adam_id=tenant.rows["adam_id"])
    app = _app_of(tenant, device, tag, title)
    installation = factories.InstallationFactory(
        managed_app=app,
        device=device,
        state="licensed",
        detail=f"{tenant.inner} said so",
        asked_by=f"full@{tenant.inner}.example",
    )
    InstallationStep.objects.create(
        organization=tenant.organization,
        managed_app_id=app.pk,
        device_id=device.pk,
        cause=f"{tenant.inner} wanted it",
        actor_kind="admin",
        actor_name=f"full@{tenant.inner}.example",
    )
    _said_to(tenant, device, app.pk)
    _rules_of(tenant, app, title, device)
    return {
        "managed_app_id": app.pk,
        "app_id": app.pk,
        "installation_id": installation.pk,
        "tag_id": tag.pk,
        "reclaim_id": _reclaim_of(tenant, title, device).pk,
        "search_id": _search_of(tenant).pk,
        "device_import_id": _import_of(tenant, device).pk,
        "code_id": _codes_of(tenant, app).pk,
    }


def _app_of(tenant: Tenant, device: Device, tag: Tag, title: LicensedApp) -> Any:
    app = factories.ManagedAppFactory(
        network=device.network,
        app=title.app,
        scope_operator="withAny",
        scope_tag_ids=[tag.pk],
        created_by=f"full@{tenant.inner}.example",
        paused_by=f"full@{tenant.inner}.example",
    )
    factories.ManagedAppAccountFactory(managed_app=app, account=title.account)
    return app


def _said_to(tenant: Tenant, device: Device, app_id: int) -> None:
    ours, inner = {"organization": tenant.organization}, tenant.inner
    factories.EnrollmentFactory(
        device=device, channel_id=f"{inner}-udid", topic=f"com.apple.mgmt.{inner}"
    )
    ChannelCommand.objects.create(
        **ours,
        device=device,
        channel_id=f"{inner}-udid",
        request_type="InstallApplication",
        managed_app_id=app_id,
        problem=f"{inner} refused it",
    )
    event = ChannelEvent(**ours, channel="nanomdm", event_id=f"{inner}-event", topic="mdm.Connect")
    event.told_at = timezone.now()
    event.payload = f"{SECRET} push token"
    event.save()
    SimulatedFleet.objects.create(**ours)
    SimulatedDevice.objects.create(**ours, device=device, apps={inner: {}})
    Deployment.objects.create(**ours)


def _rules_of(tenant: Tenant, app: Any, title: LicensedApp, device: Device) -> None:
    ours, inner = {"organization": tenant.organization}, tenant.inner
    Automation.objects.create(**ours, paused_by=f"full@{inner}.example")
    AutomationChange.objects.create(**ours, device_id=device.pk, cause=f"{inner} changed")
    AutomationHold.objects.create(
        **ours, managed_app=app, revokes=6, assigned=10, named=[f"{inner} iPad"]
    )
    ReclaimRule.objects.create(**ours, cause="deleted")


def _reclaim_of(tenant: Tenant, title: LicensedApp, device: Device) -> Reclaim:
    reclaim: Reclaim = Reclaim.objects.create(
        organization=tenant.organization,
        account=title.account,
        licensed_app=title,
        holder_kind="device",
        holder=device.serial_number,
        holder_name=device.name,
        cause="deleted",
        due_at=timezone.now(),
        by_name=f"full@{tenant.inner}.example",
    )
    return reclaim


def _search_of(tenant: Tenant) -> StoreSearch:
    search: StoreSearch = StoreSearch.objects.create(
        organization=tenant.organization,
        term=f"{tenant.mark} app",
        country="US",
        platform="iOS",
        results=[{"adam_id": "1", "name": f"{tenant.mark} app", **dict.fromkeys(OF_RESULTS, "")}],
        answered_at=timezone.now(),
    )
    tenant.values.append(str(search.pk))
    return search


def _import_of(tenant: Tenant, device: Device) -> DeviceImport:
    found: DeviceImport = DeviceImport.objects.create(
        organization=tenant.organization,
        network=device.network,
        file_name=f"{tenant.inner}.csv",
        state="checked",
        counts={"new": 1, "update": 0, "unchanged": 0, "error": 0, "missing": 0}
        | {"misses_many": False, "notices": []},
        actor_kind="admin",
        actor_name=f"full@{tenant.inner}.example",
    )
    DeviceImportRow.objects.create(
        organization=tenant.organization,
        device_import=found,
        number=2,
        serial_number=f"{tenant.mark}NEW".upper(),
        name=f"{tenant.inner} Row",
        verdict="new",
    )
    return found


def _codes_of(tenant: Tenant, app: Any) -> RedemptionCode:
    code = RedemptionCode(
        organization=tenant.organization,
        managed_app=app,
        code_digest=hashlib.sha256(tenant.inner.encode()).hexdigest(),
        last_letters="FISH",
        order=f"{tenant.inner} order",
        email=f"code@{tenant.inner}.example",
    )
    code.code = f"{tenant.inner} herring"  # whoever may write in the network is shown it
    code.save()
    tenant.secrets.append(code.code_digest)
    tenant.digests.append(code.code_digest)
    waiting = CodeImport(
        organization=tenant.organization,
        managed_app=app,
        file_name=f"{tenant.inner}.xls",
        created_by=f"full@{tenant.inner}.example",
    )
    waiting.rows = json.dumps([[1, [f"{SECRET}CODE"]]])
    waiting.save()
    tenant.values.append(str(waiting.pk))
    tenant.rows["code_import_id"] = waiting.pk
    return code
