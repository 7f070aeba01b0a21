"""Two owners side by side, and the one that they come to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.models import Organization, Owner
from users.filters import owner_matches
from users.services.merging import merge_owners, obstacle_to_merging
from users.tables.owners import OwnerRow, merged_row, rows_of
from users.views.owners import owners_of, row_or_404

CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of the one who stays, of the other, and of who results."""

    label: str
    keep: str
    other: str
    result: str


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def owner_merge(request: AdminRequest, organization: Organization, owner_id: int) -> HttpResponse:
    mine = row_or_404(request, owner_id)
    keep = mine.owner
    context: dict[str, Any] = {"organization": organization, "keep": keep}
    if not request.GET.get("with"):
        return choose(request, keep, context)
    theirs = row_or_404(request, row_id(request.GET["with"]))
    other = theirs.owner
    form = forms.Form(request.POST if request.method == "POST" else None)
    if done(form, partial(merge_owners, by=request.actor, keep=keep, other=other)):
        messages.success(request, f"{keep.name} and {other.name} are one owner now.")
        return redirect("users:owner_edit", organization.pk, keep.pk)
    context |= {
        "other": other,
        "form": form,
        "lines": lines(mine, theirs, merged_row(mine, theirs)),
        "obstacle": obstacle_to_merging(keep, other),
    }
    return render(request, "users/owner_merge.html", context)


def choose(request: AdminRequest, keep: Owner, context: dict[str, Any]) -> HttpResponse:
    """Who matches; before anything was typed, whoever has the same name."""
    text = request.GET.get("q", "").replace("\0", "").strip()
    found = owners_of(request).exclude(pk=keep.pk)
    found = found.filter(owner_matches(text) if text else same_name(keep))
    candidates = rows_of(found.order_by("name", "pk")[:CANDIDATES], request.membership)
    context |= {"q": text, "candidates": candidates, "is_full": len(candidates) == CANDIDATES}
    return render(request, "users/owner_merge_choose.html", context)


def row_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404
    return int(text)


def same_name(owner: Owner) -> Q:
    same = Q(name=owner.name)
    return same | Q(username=owner.username) if owner.username else same


def lines(keep: OwnerRow, other: OwnerRow, result: OwnerRow) -> list[Line]:
    """Label by label; what nobody has is left out."""
    told = [row_in_words(row) for row in (keep, other, result)]
    found = [Line(label, *(words[label] for words in told)) for label in told[0]]
    return [line for line in found if line.result]


def row_in_words(row: OwnerRow) -> dict[str, str]:
    return {
        "Name": row.owner.name,
        "Email": row.owner.email,
        "Username": row.owner.username,
        "Managed Apple Account": row.owner.managed_apple_account,
        "Tags": " ".join(row.tags),
        "Language": dict(settings.PEOPLE_LANGUAGES).get(row.owner.language, ""),
        "Devices": str(row.devices or ""),
        "VPP status": row.vpp_status,
    }
