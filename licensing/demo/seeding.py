"""Makes the demo, or only what is missing of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from apps_catalog.models import App
from licensing import sync
from licensing.demo.blueprint import LocationPlan, OrganizationPlan
from licensing.demo.company import COMPANY
from licensing.demo.deploying import deploy_apps
from licensing.demo.district import DISTRICT
from licensing.demo.facts import (
    Facts,
    facts_of_addresses,
    facts_of_admin,
    facts_of_tenant,
    ids_of_accounts,
    read_facts,
    write_facts,
)
from licensing.demo.fleet import bring_to_life
from licensing.demo.grants import grant_some
from licensing.demo.history import invent_history
from licensing.demo.invitations import invite_some
from licensing.demo.leaving import let_some_leave
from licensing.demo.refusals import START_ANEW, CannotSeed
from licensing.demo.store import Store
from licensing.demo.tenant import DEMO, create_tenant
from licensing.metadata import fetch_for_account
from organizations import tenancy
from organizations.founding import next_id
from organizations.models import Organization, Owner
from users.models import VppUser
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.runs import request_sync
from vpp_accounts.services import Rights, add_account

PLANS = (DISTRICT, COMPANY)
Organizations = Mapping[str, Organization]


def seed(*, apple_url: str, output: Path) -> Facts:
    """Make what is missing and write down what programs need to know; quick when all is there."""
    _require_demo(apple_url)
    store = Store(apple_url)
    try:
        before = read_facts(output)
        found = {plan.name: _organization(plan) for plan in PLANS}
        organizations = {name: each for name, each in found.items() if each}
        at_apple = store.locations()
        _require_one_age(before, organizations, at_apple)
        if not before or len(organizations) < len(PLANS):
            organizations = {plan.name: _build(plan, store, at_apple) for plan in PLANS}
        _follow_the_icons(store.url, organizations)
        facts = _facts(before, organizations, store, folder=output.parent / "tokens")
    finally:
        store.close()
    write_facts(output, facts)
    return facts


def _require_demo(apple_url: str) -> None:
    if settings.PRODUCTION:
        raise CannotSeed(
            "This is a production installation, and the demo's passwords are known to everybody."
            " Use ./dev demo, or set VPP_ENVIRONMENT to demo."
        )
    if not settings.APPLE_VPP_BASE_URL.startswith(apple_url.rstrip("/") + "/"):
        raise CannotSeed(
            f"The product talks to {settings.APPLE_VPP_BASE_URL} and not to the fake Apple at"
            f" {apple_url}. Set APPLE_VPP_BASE_URL to {apple_url.rstrip('/')}/mdm/v2/."
        )


def _organization(plan: OrganizationPlan) -> Organization | None:
    """Found by its first admin, since it may have been renamed."""
    everybodys = Organization.objects.using("system").order_by("pk")
    found = everybodys.filter(memberships__admin__email=plan.admins[0].email).first()
    if found is None:
        return None
    with tenancy.inside(found.pk):
        return Organization.objects.get(pk=found.pk)


def _require_one_age(
    before: Facts, organizations: Organizations, at_apple: Mapping[str, Any]
) -> None:
    """The database and the fake Apple remember the same demo, or one of them lost its memory."""
    accounts = VppAccount.objects.using("system").exclude(uid=None)
    ours = accounts.filter(organization__in=[each.pk for each in organizations.values()])
    known = {*ours.values_list("uid", flat=True)}
    known |= {token["uid"] for token in before.get("tokens", ())} if organizations else set()
    if known - at_apple.keys():
        raise CannotSeed(f"The fake Apple has forgotten the demo's locations. {START_ANEW}")
    for plan in PLANS:
        if plan.name not in organizations and any(
            each["orgName"] == plan.name for each in at_apple.values()
        ):
            raise CannotSeed(f"The database has forgotten “{plan.name}”. {START_ANEW}")


def _build(plan: OrganizationPlan, store: Store, at_apple: Mapping[str, Any]) -> Organization:
    """Every step may have been done by a start that was stopped."""
    there = _organization(plan)
    with tenancy.inside(there.pk if there else next_id()):
        organization = there or create_tenant(plan)
        for location in plan.locations:
            uid = _uid_of(location, plan, at_apple) or store.create_location(location, plan.name)
            store.stock(uid, location, plan)
            if location.email:
                account = _account(organization, location, uid, store)
                _sync(account)
                grant_some(account)
                invite_some(account)
        if plan is DISTRICT:
            deploy_apps(organization)
            bring_to_life(organization)
            let_some_leave(organization)
    return organization


def _uid_of(
    location: LocationPlan, plan: OrganizationPlan, at_apple: Mapping[str, Any]
) -> str | None:
    wanted = (location.name, plan.name)
    same = (
        uid for uid, each in at_apple.items() if (each["locationName"], each["orgName"]) == wanted
    )
    return next(same, None)


def _account(
    organization: Organization, location: LocationPlan, uid: str, store: Store
) -> VppAccount:
    added = VppAccount.objects.filter(organization=organization, uid=uid).first()
    return added or add_account(
        by=DEMO,
        organization=organization,
        name=location.name,
        email=location.email,
        token_text=store.issue_token(uid),
        rights=Rights(),
        take_over=True,  # from the account that a demo had here before
    )


def _sync(account: VppAccount) -> None:
    """To its end and in this process: the demo is complete when its first page is asked for."""
    if account.last_synced_at:
        return
    run = request_sync(by=DEMO, account=account, trigger=SyncRun.Trigger.ADDED, full=True)
    finished = sync.run(sync_run_id=run.pk) or sync.wait_for(run)
    if finished.outcome != SyncRun.Outcome.SUCCEEDED:
        raise CannotSeed(f"“{account}” could not be synced: {finished.message} {START_ANEW}")
    account.refresh_from_db()
    fetch_for_account(account)
    invent_history(account)
    _tie_users_to_owners(account)


def _tie_users_to_owners(account: VppAccount) -> None:
    """In the demo's story it was this dashboard that once registered its owners at Apple."""
    owners = Owner.objects.filter(
        organization=account.organization_id, email__iexact=OuterRef("email")
    )
    users = VppUser.objects.filter(account=account, owner=None).exclude(email="")
    name = Coalesce(Subquery(owners.values("name")[:1]), Value(""))
    users.update(owner=Subquery(owners.values("pk")[:1]), name=name)


def _follow_the_icons(apple_url: str, organizations: Organizations) -> None:
    """The fake Apple serves them; where it moved to another port, ask for the new addresses."""
    for organization in organizations.values():
        with tenancy.inside(organization.pk):
            accounts = VppAccount.objects.filter(organization=organization)
            moved = (
                App.objects.filter(licensed_apps__account__in=accounts)
                .exclude(icon_url="")
                .exclude(icon_url__startswith=f"{apple_url}/")
            )
            if App.objects.filter(pk__in=moved.values("pk")).update(
                metadata_as_of=None, metadata_asked_at=None
            ):
                for account in accounts:
                    fetch_for_account(account)


def _facts(before: Facts, organizations: Organizations, store: Store, folder: Path) -> Facts:
    full, reader, network_admin = DISTRICT.admins
    outsider = COMPANY.admins[0]
    return {
        **facts_of_addresses(store.url),
        **facts_of_admin(full, before),
        **facts_of_tenant(organizations[DISTRICT.name]),
        "vpp_account_ids": ids_of_accounts(organizations[DISTRICT.name]),
        "read_only": facts_of_admin(reader, before.get("read_only", {}), read_only_key=True),
        "network_admin": facts_of_admin(network_admin, before.get("network_admin", {})),
        "outsider": {
            **facts_of_admin(outsider, before.get("outsider", {})),
            **facts_of_tenant(organizations[COMPANY.name]),
        },
        "tokens": _token_files(before, store, folder),
    }


def _token_files(before: Facts, store: Store, folder: Path) -> list[dict[str, str]]:
    """One file for each location of the district; the last one is of no account yet."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {token["location"]: token["uid"] for token in before.get("tokens", ())}
    files = []
    for location in DISTRICT.locations:
        path = folder / f"{location.file}.vpptoken"
        uid = kept.get(location.name) or _uid_of(location, DISTRICT, store.locations())
        if uid is None:
            raise CannotSeed(f"“{location.name}” is not at the fake Apple any more. {START_ANEW}")
        if not path.exists():
            path.write_text(store.issue_token(uid))
        files.append({"file": _from_root(path), "location": location.name, "uid": uid})
    return files


def _from_root(path: Path) -> str:
    """As a person in the project's folder would type it."""
    absolute = path.resolve()
    if absolute.is_relative_to(settings.BASE_DIR):
        absolute = absolute.relative_to(settings.BASE_DIR)
    return str(absolute)
