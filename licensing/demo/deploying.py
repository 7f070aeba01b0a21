"""The district's networks deploy apps, and licenses that devices hold were granted because of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps_catalog.codes import handing_out, importing
from apps_catalog.managing import ManagedAppDetails, add_apps, edit_app, pause_app
from apps_catalog.models import App, ManagedApp, PurchaseMethod
from licensing.batches.plans import RUNS_ON
from licensing.demo.wished import DEPLOYED, AppPlan
from licensing.models import Assignment, LicensedApp
from organizations import automatic_tags
from organizations.audit import Actor
from organizations.models import Device, Membership, Network, Organization, Tag
from organizations.models.inventory import DeviceQuerySet
from organizations.scopes import Scope, devices_in
from users.models import VppUser
from vpp_accounts.models import VppAccount

CODES_HANDED_OUT = 2
GONE_SINCE = timedelta(days=24)


@transaction.atomic
def deploy_apps(organization: Organization) -> None:
    """All of them or none; where there are some, it was done or people have changed it."""
    if ManagedApp.objects.filter(organization=organization).exists():
        return
    automatic_tags.ensure(organization)
    membership = first_admin(organization)
    for plan in DEPLOYED:
        _deploy(Actor.of_admin(membership.admin), membership, plan)


def first_admin(organization: Organization) -> Membership:
    full = Membership.objects.filter(organization=organization, access="full")
    return full.select_related("admin", "organization").earliest("pk")


def _deploy(by: Actor, membership: Membership, plan: AppPlan) -> None:
    organization = membership.organization
    network = Network.objects.get(organization=organization, name=plan.network)
    if plan.gone:
        _no_longer_sold(organization, plan)
    details = _details(organization, plan)
    title = LicensedApp.objects.filter(organization=organization, adam_id=plan.adam_id)
    (managed_app,) = add_apps(
        by=by,
        membership=membership,
        app=title.select_related("app").earliest("pk").app,
        platform=plan.platform,
        networks={network: details},
    )
    if plan.codes:
        _import_codes(by, membership, managed_app, plan.codes)
        details = _details(organization, plan, method=PurchaseMethod.CODES)
        edit_app(by=by, membership=membership, managed_app=managed_app, details=details)
    if plan.is_paused:
        pause_app(by=by, managed_app=managed_app)
    if plan.grants:
        _granted_by(managed_app, details.account_ids)


def _details(
    organization: Organization, plan: AppPlan, method: PurchaseMethod | None = None
) -> ManagedAppDetails:
    tags = Tag.objects.filter(organization=organization, name__in=plan.tags).order_by("pk")
    accounts = VppAccount.objects.filter(organization=organization, name__in=plan.accounts)
    ids = dict(accounts.values_list("name", "pk"))
    return ManagedAppDetails(
        scope=Scope(plan.operator, tuple(tags.values_list("pk", flat=True))),
        purchase_method=method or plan.method,
        account_ids=tuple(ids[name] for name in plan.accounts if name in ids),
        installs_automatically=plan.installs,
        grants_automatically=plan.grants,
        revokes_automatically=plan.revokes,
        **plan.more,  # type: ignore[arg-type]
    )


def _granted_by(managed_app: ManagedApp, account_ids: Sequence[int]) -> None:
    """In the demo's story it was this rule that once granted what its devices hold."""
    titles = LicensedApp.objects.filter(account__in=account_ids, adam_id=managed_app.adam_id)
    is_users = managed_app.purchase_method == PurchaseMethod.USER
    held = Assignment.objects.filter(
        account__in=account_ids,
        licensed_app__in=list(titles.values_list("pk", flat=True)),
        holder_kind="user" if is_users else "device",
        holder__in=_holders_of(managed_app, account_ids, is_users=is_users),
    )
    held.update(origin=Assignment.Origin.RULE, rule_id=managed_app.pk)


def _holders_of(
    managed_app: ManagedApp, account_ids: Sequence[int], *, is_users: bool
) -> list[str]:
    devices = in_scope_of(managed_app)
    if not is_users:
        return [serial for serial in devices.values_list("serial_number", flat=True) if serial]
    owners = list(devices.exclude(owner=None).values_list("owner", flat=True))
    people = VppUser.objects.filter(account__in=account_ids, owner__in=owners)
    return list(people.values_list("client_user_id", flat=True))


def in_scope_of(managed_app: ManagedApp) -> DeviceQuerySet:
    platforms = [name for name, runs in RUNS_ON.items() if managed_app.platform in runs]
    devices = Device.objects.filter(network=managed_app.network, platform__in=platforms)
    return devices_in(devices, managed_app.scope, managed_app.organization_id)


def _no_longer_sold(organization: Organization, plan: AppPlan) -> None:
    """It was bought once; by now neither the account nor the store has it."""
    now = timezone.now()
    app = App.objects.create(
        adam_id=plan.adam_id,
        country="US",
        name=plan.gone,
        platforms=[plan.platform],
        metadata_as_of=now,
    )
    LicensedApp.objects.create(
        organization=organization,
        account=VppAccount.objects.get(organization=organization, name=plan.accounts[0]),
        app=app,
        adam_id=plan.adam_id,
        pricing_param="STDQ",
        product_type="App",
        platforms=[plan.platform],
        counts_as_of=now,
        gone_at=now - GONE_SINCE,
    )


# --- Redemption codes -------------------------------------------------------------------------------


def _import_codes(by: Actor, membership: Membership, managed_app: ManagedApp, number: int) -> None:
    """An order of years ago: some redeemed, some just handed out."""
    sheet = importing.start_import(
        by=by,
        managed_app=managed_app,
        file_name="order-M0417739.csv",
        content=_sheet(managed_app, number).encode(),
    )
    importing.confirm(by=by, code_import=sheet)
    owners = in_scope_of(managed_app).exclude(owner=None).order_by("pk")
    handing_out.hand_out(
        by=by,
        membership=membership,
        managed_app=managed_app,
        owner_ids=list(owners.values_list("owner", flat=True)[:CODES_HANDED_OUT]),
    )


def _sheet(managed_app: ManagedApp, number: int) -> str:
    codes = [f"RVRSDE{place:02d}{managed_app.adam_id[-4:]}" for place in range(number)]
    rows = [
        f"{code},{'redeemed' if place < number // 3 else ''}" for place, code in enumerate(codes)
    ]
    head = ["Order ID,M0417739", f"Adam ID,{managed_app.adam_id}", "Code,Status"]
    return "\n".join([*head, *rows])
