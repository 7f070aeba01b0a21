"""Your account > API keys. They belong to the person, whatever they open."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from organizations import keys, switching, tenancy
from organizations.access import organizations_of
from organizations.audit import Actor
from organizations.forms.api_keys import ALL, READ, WRITE, ApiKeyForm
from organizations.forms.handling import done
from organizations.lists import render_listing
from organizations.models import Admin, ApiKey
from organizations.models.people import ApiKeyQuerySet
from organizations.signin.limits import only_organization, within
from organizations.signin.recent import reauthenticate_before
from organizations.tables.api_keys import EVERYWHERE, KeyList, KeyRow, names_of, opens


@require_safe
@login_required
@never_cache
def api_key_list(request: HttpRequest) -> HttpResponseBase:
    own = entered(request)
    listing = KeyList(request.GET, own_keys(request), own)
    if listing.wants_csv:
        return listing.csv_response("api-keys", zone=timezone.get_current_timezone())
    context = {"may_add": bool(own), "is_limited": only_organization(request) is not None}
    return render_listing(request, listing, "organizations/api_key_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@reauthenticate_before
@never_cache
def api_key_add(request: HttpRequest) -> HttpResponse:
    """The answer to the POST shows the key's text, and no other page ever does."""
    admin, renewed = admin_of(request), renewed_key(request)
    choices, leaves_out = choices_for(request)
    sent = request.POST if request.method == "POST" else None
    form = ApiKeyForm(sent, choices=choices, initial=facts_of(renewed))
    made: list[tuple[ApiKey, str]] = []
    by = Actor.of_admin(admin)
    if done(form, lambda: made.append(keys.create(by=by, admin=admin, **form.wanted))):
        [(key, text)] = made
        row = KeyRow(key, opens(key, {key.organization_id or 0: choices[limit_of(key)]}))
        context = {"row": row, "text": text, "renewed": renewed}
        return render(request, "organizations/api_key_made.html", context)
    context = {
        "form": form,
        "renewed": renewed,
        "may_add": bool(choices),
        "leaves_out": leaves_out,
    }
    return render(request, "organizations/api_key_add.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def api_key_revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    key = key_or_404(request, key_id)
    form = forms.Form(request.POST if request.method == "POST" else None)
    if done(form, partial(keys.revoke, by=Actor.of_admin(admin_of(request)), key=key)):
        messages.success(request, f"{key.name} is revoked and opens nothing any more.")
        return redirect("organizations:api_key_list")
    row = KeyRow(key, opens(key, names_of(entered(request))))
    return render(request, "organizations/api_key_revoke.html", {"row": row})


def admin_of(request: HttpRequest) -> Admin:
    return cast("Admin", request.user)


def entered(request: HttpRequest) -> list[int]:
    """What this session opens, of all that the admin may enter."""
    return within(request, organizations_of(admin_of(request)))


def own_keys(request: HttpRequest) -> ApiKeyQuerySet:
    ours = keys.keys_of(admin_of(request), only_organization(request))
    return ours.select_related("admin")


def key_or_404(request: HttpRequest, key_id: int) -> ApiKey:
    key = own_keys(request).filter(pk=key_id).first()
    if key is None:
        raise Http404("No such API key.")
    return key


def renewed_key(request: HttpRequest) -> ApiKey | None:
    """The key in whose place another one is made; it stays until it is revoked."""
    told = request.GET.get("renew", "")
    is_id = told.isascii() and told.isdigit() and len(told) < 19
    return key_or_404(request, int(told)) if is_id else None


def choices_for(request: HttpRequest) -> tuple[dict[str, str], bool]:
    """And whether any is left out: a key opens nothing that asks for another sign-in than this one."""
    ids = entered(request)
    with tenancy.among(ids):
        met = switching.met(request, switching.memberships(request, ids))
    names = names_of(each.organization_id for each in met)
    leaves_out = len(names) < len(ids)
    is_whole = only_organization(request) is None and not leaves_out
    whole = {ALL: EVERYWHERE} if names and is_whole else {}
    return whole | {str(pk): name for pk, name in names.items()}, leaves_out


def limit_of(key: ApiKey) -> str:
    return ALL if key.organization_id is None else str(key.organization_id)


def facts_of(key: ApiKey | None) -> dict[str, Any]:
    if key is None:
        return {}
    scope = READ if key.read_only else WRITE
    return {"name": key.name, "organization": limit_of(key), "scope": scope}
