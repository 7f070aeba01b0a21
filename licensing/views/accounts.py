"""The windows of Organization > MDM: add, edit, renew, take over and remove a VPP account."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from licensing.forms.accounts import AddForm, EditForm, RemoveForm, RenewForm
from licensing.forms.tokens import TokenForm
from licensing.views.account_answers import account_or_404, back_to_table, window
from organizations.access import AdminRequest, organization_view
from organizations.models import Organization
from organizations.refusals import Refusal
from vpp_accounts import services
from vpp_accounts.models import AccountState, VppAccount
from vpp_accounts.refusals import ClaimedByAnotherMdm

T = TypeVar("T")


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def account_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = AddForm(*_sent(request), admin=request.user, membership=request.membership)
    if form.is_valid():
        account = _attempt(
            form,
            lambda: services.add_account(
                by=request.actor,
                organization=organization,
                token_text=form.credential,
                take_over=form.cleaned_data["take_over"],
                **form.details,
            ),
        )
        if account:
            messages.success(request, _added(account))
            _warn_of_nobody(request, account)
            return back_to_table(request, organization, in_place=True)
    form.keep_token()
    return window(request, "account_add.html", "Add VPP account", form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def account_edit(
    request: AdminRequest, organization: Organization, account_id: int
) -> HttpResponse:
    account = account_or_404(request, account_id)
    form = EditForm(
        _sent(request)[0], membership=request.membership, initial=EditForm.values_of(account)
    )
    if form.is_valid():
        services.edit_account(by=request.actor, account=account, **form.details)
        messages.success(request, f"{account.name} is updated.")
        _warn_of_nobody(request, account)
        return back_to_table(request, organization, in_place=True)
    heading = f"Edit {account.name}"
    return window(request, "account_edit.html", heading, form=form, account=account)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def account_renew(
    request: AdminRequest, organization: Organization, account_id: int
) -> HttpResponse:
    account = account_or_404(request, account_id)
    form = RenewForm(*_sent(request), admin=request.user)
    if form.is_valid():
        renew = partial(services.renew_token, by=request.actor, account=account)
        renewed = _attempt(
            form,
            lambda: renew(token_text=form.credential, take_over=form.cleaned_data["take_over"]),
        )
        if renewed:
            messages.success(request, f"{renewed.name}: {_renewed(renewed)}")
            return back_to_table(request, organization, in_place=False)
    form.keep_token()
    heading = f"Update Token of {account.name}"
    return window(request, "account_renew.html", heading, form=form, account=account)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def account_take_over(
    request: AdminRequest, organization: Organization, account_id: int
) -> HttpResponse:
    account = account_or_404(request, account_id)
    claimed = account.state == AccountState.CLAIMED
    told: dict[str, Any] = {}
    if claimed and request.method == "POST":
        take_over = partial(services.take_over, by=request.actor, account=account)
        try:
            take_over(shown_id=request.POST.get("mdm_id", ""))
        except Refusal as refusal:
            told = {"refusal": refusal, "holder": getattr(refusal, "holder", None)}
        else:
            messages.success(
                request, f"{account.name} is taken over. Its licenses are being read again."
            )
            return back_to_table(request, organization, in_place=False)
    elif claimed:
        told = _holder_now(account)
    return window(
        request,
        "account_take_over.html",
        f"Take over {account.name}",
        account=account,
        claimed=claimed,
        **told,
    )


def _holder_now(account: VppAccount) -> dict[str, Any]:
    """Consent is to displace one certain MDM, so the window shows which one that would be."""
    try:
        holder = services.holder_of(account)
    except Refusal as refusal:
        return {"refusal": refusal}
    return {"holder": holder, "has_left": holder is None}


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def account_remove(
    request: AdminRequest, organization: Organization, account_id: int
) -> HttpResponse:
    account = account_or_404(request, account_id)
    form = RemoveForm(_sent(request)[0])
    if form.is_valid():
        remove = partial(services.remove_account, by=request.actor, account=account)
        try:
            remove(typed_name=form.cleaned_data["typed_name"])
        except Refusal as refusal:
            form.add_error("typed_name", str(refusal))
        else:
            messages.success(request, f"{account.name} is removed. Its assignments at Apple stay.")
            return back_to_table(request, organization, in_place=False)
    return window(
        request,
        "account_remove.html",
        f"Remove {account.name}",
        form=form,
        account=account,
        consequences=services.removal_consequences(account, in_numbers=account.is_open),
    )


@organization_view(writes=True)
@require_POST
def token_preview(request: AdminRequest, organization: Organization) -> HttpResponse:
    """What the chosen file says, before anything is saved."""
    form = TokenForm(*_sent(request), admin=request.user)
    form.full_clean()
    return render(request, "licensing/_account_token_preview.html", {"form": form})


def _sent(request: AdminRequest) -> tuple[Any, Any]:
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _attempt(form: AddForm | RenewForm, act: Callable[[], T]) -> T | None:
    """One try; a refusal goes beside its field, another MDM's claim becomes an offer."""
    try:
        done = act()
    except ClaimedByAnotherMdm as claim:
        form.claim = claim
        return None
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return None
    form.forget_token()
    return done


def _warn_of_nobody(request: AdminRequest, account: VppAccount) -> None:
    """Allowed, since full admins can always choose others; but hardly meant."""
    if not VppAccount.objects.filter(pk=account.pk).managers().exists():
        messages.warning(
            request,
            f"Nobody can change the users and licenses of {account.name} now: none of its allowed"
            " admins has full access to the organization, or may write in a network.",
        )


def _added(account: VppAccount) -> str:
    if account.state == AccountState.NOT_VERIFIED:
        return (
            f"{account.name} is saved, but not verified yet: Apple could not be reached. "
            "It is asked again automatically, and its licenses appear as soon as it answers."
        )
    return f"{account.name} is added. Its licenses are being read; they appear here by themselves."


def _renewed(account: VppAccount) -> str:
    expires = account.token_expires_at.astimezone(account.organization.zone)
    return f"Renewed, valid until {expires:%-d %B %Y}."
