"""Devices that were chosen get or lose licenses: which account, which titles; then the plan's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render

from licensing import batches
from licensing.filters import title_matches
from licensing.holders import DEVICE
from licensing.models import Assignment, BatchKind, LicensedApp
from licensing.models.assignments import AssignmentQuerySet
from licensing.titles import name_of
from licensing.views.device_choice import Choice, is_confirmed, on_chosen
from licensing.views.selection import make_plan, no_devices_because, plan_url
from organizations.access import AdminRequest
from organizations.refusals import Refusal
from vpp_accounts.models import AssignableNetworks, VppAccount
from vpp_accounts.permissions import obstacle_of, refuse_strangers
from vpp_accounts.refusals import CannotDo

SHOWN = 100  # titles
NO_ACCOUNT = "No VPP account is open to you. A full admin can change that on Organization > MDM."


@dataclass(frozen=True, slots=True)
class TitleRow:
    """`held`: how many of the chosen devices hold one; `obstacle`: why it cannot be chosen."""

    title: LicensedApp
    held: int
    is_chosen: bool
    obstacle: str

    @property
    def name(self) -> str:
        return name_of(self.title)


@on_chosen(most=None)
def device_grant(request: AdminRequest, choice: Choice) -> HttpResponse:
    return choose_titles(request, choice, BatchKind.GRANT)


@on_chosen(most=None)
def device_revoke(request: AdminRequest, choice: Choice) -> HttpResponse:
    return choose_titles(request, choice, BatchKind.REVOKE)


def choose_titles(request: AdminRequest, choice: Choice, kind: BatchKind) -> HttpResponse:
    accounts = accounts_of(request)
    if not accounts:
        messages.error(request, NO_ACCOUNT)
        return redirect(choice.back_url)
    account = chosen_account(request, accounts)
    if account and is_confirmed(request) and "show" not in request.POST:
        try:
            return redirect(
                plan_url(plan_for(request, choice, account, kind), back=choice.back_url)
            )
        except Refusal as refusal:
            messages.error(request, str(refusal))
    context: dict[str, Any] = {
        "organization": choice.organization,
        "choice": choice,
        "is_grant": kind == BatchKind.GRANT,
        "accounts": accounts,
        "account": account,
        "q": request.POST.get("q", "")[:200].replace("\0", ""),
    }
    if account:
        rows = title_rows(request, choice, account, kind)
        context |= {
            "obstacle": obstacle_of(account, request.membership),
            "rows": rows[:SHOWN],
            "has_more": len(rows) > SHOWN,
        }
    return render(request, "licensing/device_licenses.html", context)


def accounts_of(request: AdminRequest) -> list[VppAccount]:
    ours = VppAccount.objects.open_to(request.membership).with_rights(request.membership)
    return list(ours.order_by("name", "pk"))


def chosen_account(request: AdminRequest, accounts: Sequence[VppAccount]) -> VppAccount | None:
    """The only one there is needs no choosing."""
    if len(accounts) == 1:
        return accounts[0]
    asked = request.POST.get("account", request.GET.get("account", ""))
    return next((account for account in accounts if str(account.pk) == asked), None)


def held_by(choice: Choice, account: VppAccount) -> AssignmentQuerySet:
    serials = choice.devices.exclude(serial_number=None).values("serial_number")
    return Assignment.objects.filter(
        organization=choice.organization,
        account=account,
        holder_kind=DEVICE,
        holder__in=serials,
    )


def title_rows(
    request: AdminRequest, choice: Choice, account: VppAccount, kind: BatchKind
) -> list[TitleRow]:
    """Those that match, after those that are ticked; to take back, only what is held."""
    counted = held_by(choice, account).values("licensed_app").annotate(n=Count("*"))
    held = dict(counted.values_list("licensed_app", "n"))
    apps = LicensedApp.objects.filter(account=account).exclude(product_type="Book")
    wanted = apps.filter(pk__in=held) if kind == BatchKind.REVOKE else apps.present()
    chosen = chosen_titles(request)
    text = request.POST.get("q", "")[:200].replace("\0", "").strip()
    if text:
        wanted = wanted.filter(title_matches(text) | Q(pk__in=chosen))
    rows = [
        TitleRow(title, held.get(title.pk, 0), title.pk in chosen, barrier(title, kind))
        for title in wanted.select_related("app", "account")
    ]
    return sorted(rows, key=lambda row: (not row.is_chosen, row.name.casefold(), row.title.pk))


def barrier(title: LicensedApp, kind: BatchKind) -> str:
    if kind == BatchKind.GRANT:
        return no_devices_because(title)
    return "Permanent: cannot be taken back." if title.is_irrevocable else ""


def chosen_titles(request: AdminRequest) -> set[int]:
    sent = request.POST.getlist("title") or request.GET.getlist("title")
    return {int(text) for text in sent if text.isascii() and text.isdigit() and len(text) < 19}


def plan_for(request: AdminRequest, choice: Choice, account: VppAccount, kind: BatchKind) -> Any:
    """The plan says who is left out, and why."""
    refuse_strangers(account, request.membership)
    if obstacle := obstacle_of(account, request.membership):
        raise CannotDo(obstacle)
    everything = kind == BatchKind.REVOKE and bool(request.POST.get("everything"))
    titles = wanted_titles(request, choice, account, everything=everything)
    if kind == BatchKind.GRANT and account.assignable_networks == AssignableNetworks.NONE:
        raise CannotDo(no_devices_because(titles[0]))
    wish = batches.wish_for(
        kind=kind,
        titles=titles,
        devices=choice.devices,
        everything=everything,
        why=f"From Monitor > Devices: {choice.what}.",
    )
    return make_plan(request, account, wish)


def wanted_titles(
    request: AdminRequest, choice: Choice, account: VppAccount, *, everything: bool
) -> list[LicensedApp]:
    ours = LicensedApp.objects.filter(account=account).select_related("app", "account")
    if everything:
        held = held_by(choice, account).filter(licensed_app=OuterRef("pk"))
        found = list(ours.filter(Exists(held)))
        if not found:
            raise CannotDo(f"{choice.they} hold no license in {account.name}.")
        return found
    chosen = list(ours.filter(pk__in=chosen_titles(request)))
    if not chosen:
        raise CannotDo("Choose at least one title.")
    return chosen
