"""Systems Manager > Configure > Tags: the words that scopes point at."""

from __future__ import annotations

from functools import partial

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from licensing.forms.tags import NewTagForm, TagForm
from licensing.tables.tags import TagList, TagRow, tag_rows, tags_of
from organizations import tags
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.lists import render_listing
from organizations.models import Organization, Tag


def row_or_404(request: AdminRequest, tag_id: int) -> TagRow:
    found = tag_rows(list(tags_of(request.membership).filter(pk=tag_id)), request.membership)
    if not found:
        raise Http404
    return found[0]


@require_safe
@organization_view()
def tag_list(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    listing = TagList(request.GET, request.membership)
    if listing.wants_csv:
        return listing.csv_response("tags", zone=organization.zone)
    context = {"organization": organization}
    return render_listing(request, listing, "licensing/tag_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def tag_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = NewTagForm(request.POST or None)
    add = partial(tags.add_tag, by=request.actor, organization=organization)
    if done(form, lambda: add(name=form.cleaned_data["name"], kind=chosen_kind(form))):
        messages.success(request, f"{form.cleaned_data['name'].strip()} is added.")
        return redirect("licensing:tag_list", organization.pk)
    return render(request, "licensing/tag_add.html", {"organization": organization, "form": form})


def chosen_kind(form: NewTagForm) -> Tag.Kind:
    return Tag.Kind(form.cleaned_data["kind"])


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view()
def tag_edit(request: AdminRequest, organization: Organization, tag_id: int) -> HttpResponse:
    """Its page; whoever may not write sees the same, and cannot send it."""
    row = row_or_404(request, tag_id)
    form = TagForm(request.POST or None, initial={"name": row.tag.name})
    rename = partial(tags.rename_tag, by=request.actor, tag=row.tag)
    if done(form, lambda: rename(name=form.cleaned_data["name"])):
        messages.success(request, f"{form.cleaned_data['name'].strip()} is saved.")
        return redirect("licensing:tag_list", organization.pk)
    context = {"organization": organization, "row": row, "form": form}
    return render(request, "licensing/tag_edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def tag_delete(request: AdminRequest, organization: Organization, tag_id: int) -> HttpResponse:
    row = row_or_404(request, tag_id)
    form = forms.Form(request.POST if request.method == "POST" else None)
    delete = partial(tags.delete_tags, by=request.actor, organization=organization, tags=[row.tag])
    if done(form, delete):
        messages.success(request, f"{row.tag} is deleted.")
        return redirect("licensing:tag_list", organization.pk)
    foreseen = [] if row.is_automatic else tags.deletion_consequences(request.membership, [row.tag])
    context = {"organization": organization, "row": row, "form": form, "consequences": foreseen}
    return render(request, "licensing/tag_delete.html", context)
