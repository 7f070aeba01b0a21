"""Manage > Apps > Add new: find the app in the store or among the licenses, then choose networks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from apps_catalog import store
from apps_catalog.managing import add_apps
from apps_catalog.models import App, ManagedApp, ManagedPlatform, StoreSearch
from apps_catalog.store.choosing import NotAmongTheResults, result_of
from licensing.forms.apps import NetworksForm, StoreSearchForm
from licensing.managing import finding
from licensing.managing.defaults import details_for
from licensing.managing.finding import Chosen
from licensing.models import LicensedApp
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.models import Network, Organization
from organizations.network_choice import chosen_network

LONGEST_ID = 19  # digits, of which the database could not be asked


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, network_writes=True)
def app_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    """Who searches goes on to the address of the search: it can be loaded again, and sent to others."""
    platform = platform_of(request)
    countries = finding.countries_for(request.membership, chosen_network(request))
    search = search_of(request)
    told = {"term": search.term, "country": search.country} if search else {}
    form = StoreSearchForm(posted(request), countries=countries, initial=told)
    asked: list[StoreSearch] = []

    def ask() -> None:
        said = form.cleaned_data
        asked.append(
            store.ask(
                organization=organization,
                term=said["term"],
                country=said["country"],
                platform=platform,
            )
        )

    if request.method == "POST" and done(form, ask):
        return redirect(here(request, platform, search=asked[0].pk))
    context = {
        "organization": organization,
        "platforms": platforms(request, platform),
        "platform": platform,
        "label": ManagedPlatform(platform).label,
        "form": form,
        "search": search,
        "titles": titles_of(request, platform),
        "typed": request.GET.get("q", ""),
    }
    return render(request, "licensing/app_add.html", context)


@require_safe
@organization_view(writes=True, network_writes=True)
def app_search(
    request: AdminRequest, organization: Organization, search_id: uuid.UUID
) -> HttpResponse:
    """What the store has answered by now, asked for while it has not."""
    searches = StoreSearch.objects.visible_to(request.membership)
    search = searches.filter(pk=search_id).first()
    if search is None:
        raise Http404
    context = {"organization": organization, "search": search, "platform": search.platform}
    return render(request, "licensing/_app_results.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, network_writes=True)
def app_networks(request: AdminRequest, organization: Organization) -> HttpResponse:
    """Where the app that was found is to be deployed."""
    chosen = chosen_of(request)
    if chosen is None:
        return redirect(here(request, platform_of(request)))
    networks = Network.objects.writable_by(request.membership).order_by("name", "pk")
    there = ManagedApp.objects.filter(
        network__in=networks, adam_id=chosen.adam_id, platform=chosen.platform
    )
    free = networks.exclude(pk__in=there.values("network"))
    form = NetworksForm(
        posted(request), networks=free, initial={"networks": proposed(request, free)}
    )
    added: list[ManagedApp] = []
    if request.method == "POST" and done(form, lambda: added.extend(add(request, chosen, form))):
        return added_page(request, organization, added)
    context = {
        "organization": organization,
        "chosen": chosen,
        "form": form,
        "there": there.select_related("network").order_by("network__name"),
        "back_url": here(request, chosen.platform),
    }
    return render(request, "licensing/app_networks.html", context)


def add(request: AdminRequest, chosen: Chosen, form: NetworksForm) -> list[ManagedApp]:
    app = app_of(chosen)
    networks = details_for(app, form.cleaned_data["networks"], request.membership)
    return add_apps(
        by=request.actor,
        membership=request.membership,
        app=app,
        platform=chosen.platform,
        networks=networks,
    )


def app_of(chosen: Chosen) -> App:
    if chosen.search:
        return store.app_of(chosen.search, chosen.adam_id)
    assert chosen.title is not None  # noqa: S101  one of the two is there
    return chosen.title.app


def added_page(
    request: AdminRequest, organization: Organization, added: Sequence[ManagedApp]
) -> HttpResponse:
    if len(added) == 1:
        messages.success(
            request, f"{added[0]} is added to {added[0].network}. Say here which devices get it."
        )
        return redirect("licensing:app_detail", organization.pk, added[0].pk)
    messages.success(
        request,
        f"{added[0]} is added to {len(added):,} networks. Open each to say which devices get it.",
    )
    address = reverse("licensing:app_list", args=[organization.pk])
    return redirect(f"{address}?{urlencode({'q': added[0].adam_id})}")


def posted(request: AdminRequest) -> QueryDict | None:
    """Also where nothing was chosen and so nothing came."""
    return request.POST if request.method == "POST" else None


# --- What the address says ------------------------------------------------------------------------


def platform_of(request: AdminRequest) -> str:
    wanted = request.GET.get("platform", "")
    return wanted if wanted in ManagedPlatform.values else ManagedPlatform.IOS.value


def search_of(request: AdminRequest) -> StoreSearch | None:
    try:
        search_id = uuid.UUID(request.GET.get("search", ""))
    except ValueError:
        return None
    return StoreSearch.objects.visible_to(request.membership).filter(pk=search_id).first()


def chosen_of(request: AdminRequest) -> Chosen | None:
    """A result of a search (`?search=&adam=`), or a title of the licenses (`?title=`)."""
    if search := search_of(request):
        try:
            result = result_of(search, request.GET.get("adam", ""))
        except NotAmongTheResults:
            return None
        return Chosen.of_result(search, result)
    title = title_of(request)
    return Chosen.of_title(title, request.GET.get("platform", "")) if title else None


def title_of(request: AdminRequest) -> LicensedApp | None:
    text = request.GET.get("title", "")
    if not (text.isascii() and text.isdigit() and len(text) < LONGEST_ID):
        return None
    ours = LicensedApp.objects.visible_to(request.membership).select_related("app", "account")
    return ours.filter(pk=text, product_type="App").first()


def titles_of(request: AdminRequest, platform: str) -> list[finding.Licensed]:
    networks = Network.objects.writable_by(request.membership)
    if network := chosen_network(request):
        networks = networks.filter(pk=network.pk)
    text = request.GET.get("q", "").replace("\0", "").strip()
    return finding.from_licenses(request.membership, platform, networks, text=text)


def platforms(request: AdminRequest, current: str) -> list[tuple[str, str, bool]]:
    """Address, label, whether it is the one shown."""
    return [
        (here(request, value), str(label), value == current)
        for value, label in ManagedPlatform.choices
    ]


def here(request: AdminRequest, platform: str, **more: Any) -> str:
    address = reverse("licensing:app_add", args=[request.membership.organization_id])
    return f"{address}?{urlencode({'platform': platform, **more})}"


def proposed(request: AdminRequest, networks: Any) -> list[int]:
    """The one that is chosen in the frame; the only one there is."""
    chosen = chosen_network(request)
    ids = list(networks.values_list("pk", flat=True)[:2])
    if chosen and networks.filter(pk=chosen.pk).exists():
        return [chosen.pk]
    return ids if len(ids) == 1 else []
