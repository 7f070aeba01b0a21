"""An app's page: what it is, for whom, from which licenses, and what saving would lead to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from apps_catalog.managing import edit_app
from apps_catalog.models import ManagedApp
from licensing.automation.preview import Draft, Preview, preview
from licensing.forms.apps import ManagedAppForm
from licensing.managing import words
from licensing.managing.drafts import Shown, draft_of, question_before_saving
from licensing.managing.facts import facts_of, is_gone
from licensing.managing.offers import offers_for
from licensing.models import AutomationHold
from licensing.tables.app_clients import ClientList
from licensing.views.apps import app_or_404, refuse_readers, why_read_only
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.lists import render_listing
from organizations.models import Organization, Tag

WRONG = "Correct what is marked above; then this shows what saving would lead to."


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a draft leads to, in words. `problem`: it cannot be read, so this is the saved app."""

    draft: Draft
    preview: Preview
    clients: ClientList
    is_saved: bool
    problem: str = ""

    @property
    def shown(self) -> str:
        return str(Shown.of(self.draft, self.preview))

    @property
    def headline(self) -> str:
        return words.headline(self.draft, self.preview)

    @property
    def shortage(self) -> str:
        return words.shortage(self.preview)

    @property
    def consequences(self) -> list[str]:
        return words.consequences(self.draft, self.preview)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def app_detail(request: AdminRequest, organization: Organization, app_id: int) -> HttpResponseBase:
    managed_app = app_or_404(request, app_id)
    if request.method == "POST":
        refuse_readers(request, managed_app)
        return change(request, managed_app)
    form = form_of(request, managed_app)
    outlook = outlook_of(request, Draft.of(managed_app), is_saved=True)
    if outlook.clients.wants_csv:
        return outlook.clients.csv_response("clients", zone=organization.zone)
    context = context_of(request, managed_app, form, outlook)
    return render_listing(request, outlook.clients, "licensing/app_detail.html", context)


def change(request: AdminRequest, managed_app: ManagedApp) -> HttpResponse:
    """`Save Changes`, or a look at what it would lead to."""
    form = form_of(request, managed_app, request.POST)
    saved = Draft.of(managed_app)
    if not form.is_valid():
        outlook = outlook_of(request, saved, problem=WRONG)
        return answer(request, managed_app, form, outlook)
    outlook = outlook_of(request, draft_of(managed_app, form.details))
    if "preview" in request.POST or "after" in request.POST:
        return answer(request, managed_app, form, outlook)
    shown = Shown.read(request.POST.get("shown", ""))
    question = question_before_saving(shown, outlook.draft, outlook.preview, saved)
    if question:
        return answer(request, managed_app, form, outlook, question=question)
    if not done(form, lambda: save(request, managed_app, form)):
        return answer(request, managed_app, form, outlook)
    told = words.saved(outlook.draft, outlook.preview)
    messages.success(request, f"{managed_app} is saved. {told}")
    return redirect("licensing:app_detail", managed_app.organization_id, managed_app.pk)


def save(request: AdminRequest, managed_app: ManagedApp, form: ManagedAppForm) -> None:
    edit_app(
        by=request.actor,
        membership=request.membership,
        managed_app=managed_app,
        details=form.details,
    )


def answer(
    request: AdminRequest,
    managed_app: ManagedApp,
    form: ManagedAppForm,
    outlook: Foreseen,
    *,
    question: str = "",
) -> HttpResponse:
    """What is not saved: the whole page, or only its lower part where htmx asked for that."""
    if request.htmx:
        context: dict[str, Any] = {
            "organization": managed_app.organization,
            "managed_app": managed_app,
            "outlook": outlook,
            "listing": outlook.clients,
        }
        return render(request, "licensing/_app_preview.html", context)
    context = context_of(request, managed_app, form, outlook) | {"question": question}
    return render(request, "licensing/app_detail.html", context)


def form_of(
    request: AdminRequest, managed_app: ManagedApp, data: QueryDict | None = None
) -> ManagedAppForm:
    tags = Tag.objects.filter(organization=managed_app.organization_id)
    return ManagedAppForm(
        data,
        managed_app=managed_app,
        tags=list(tags.order_by("name")),
        offers=offers_for(managed_app.adam_id, managed_app.network, request.membership),
        membership=request.membership,
    )


def outlook_of(
    request: AdminRequest, draft: Draft, *, is_saved: bool = False, problem: str = ""
) -> Foreseen:
    """The list goes on from where the page stands: in the address, or in the form."""
    place: QueryDict = request.GET
    if not is_saved:
        place = QueryDict(urlencode({"after": request.POST.get("after", "")}))
    foreseen = preview(draft, request.membership)
    clients = ClientList(place, draft, foreseen, request.membership)
    return Foreseen(draft, foreseen, clients, is_saved, problem)


def context_of(
    request: AdminRequest, managed_app: ManagedApp, form: ManagedAppForm, outlook: Foreseen
) -> dict[str, Any]:
    holds = AutomationHold.objects.visible_to(request.membership).waiting()
    return {
        "organization": managed_app.organization,
        "managed_app": managed_app,
        "app": managed_app.app,
        "facts": facts_of(managed_app),
        "gone": is_gone(managed_app),
        "form": form,
        "outlook": outlook,
        "listing": outlook.clients,
        "hold": holds.filter(managed_app=managed_app).first(),
        "obstacle": why_read_only(request, managed_app),
    }
