"""The pages `+ Add user` and Edit."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from licensing.forms.people import NewPersonForm, PersonForm
from licensing.people import adding
from licensing.people.facts import name_of, url_of
from licensing.views.people import is_id, list_url, missing_step
from licensing.views.person_actions import person_or_404
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.models import Organization, Owner
from organizations.refusals import Refusal
from users.models import VppUser
from users.refusals import PersonExists
from users.services import PersonDetails, edit_person
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import obstacle_of

CHOOSE_ONE = "Choose a person of the list, or search for another one."


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def user_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    accounts = list(VppAccount.objects.open_to(request.membership).order_by("name", "pk"))
    account = chosen_account(request, accounts)
    context: dict[str, Any] = {
        "organization": organization,
        "accounts": accounts,
        "account": account,
        "missing": missing_step(request.membership, accounts),
        "back_url": list_url(organization.pk, account),
    }
    if account is None:
        return render(request, "licensing/user_add.html", context)
    adder = Adder(request, account)
    if request.method == "POST" and adder.add():
        return redirect(url_of(adder.added))
    context |= {
        "form": adder.form,
        "problem": adder.problem,
        "known": adder.known,
        "obstacle": obstacle_of(account, request.membership),
    } | owners_context(request, account)
    return render(request, "licensing/user_add.html", context)


def chosen_account(request: AdminRequest, accounts: list[VppAccount]) -> VppAccount | None:
    """None where there are several and the address names none of them."""
    named = [each for each in accounts if str(each.pk) == request.GET.get("account")]
    if not named and len(accounts) == 1:
        return accounts[0]
    return named[0] if named else None


def owners_context(request: AdminRequest, account: VppAccount) -> dict[str, Any]:
    """Those that match, or the one whom the address names."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:200]
    offer = adding.offer(account, request.membership, text)
    named = named_owner(request, account, request.GET.get("owner", "")) if not text else None
    if named:
        offer = adding.Offer([named], is_cut=True)
    return {"offer": offer, "q": text, "named": named}


def named_owner(request: AdminRequest, account: VppAccount, text: str) -> Owner | None:
    if not is_id(text):
        return None
    return adding.addable_owners(account, request.membership).filter(pk=int(text)).first()


class Adder:
    """One of the two forms, sent: an owner who was chosen, or somebody new."""

    def __init__(self, request: AdminRequest, account: VppAccount) -> None:
        self.request, self.account = request, account
        self.is_new = "email" in request.POST
        self.form = NewPersonForm(request.POST if self.is_new else None)
        self.problem = ""  # of the choice
        self.known: VppUser | None = None  # who has the address already
        self.added = VppUser()

    def add(self) -> bool:
        return done(self.form, self._add_new) if self.is_new else self._add_chosen()

    def _add_new(self) -> None:
        tags = self.form.cleaned_data["tags"].split()
        try:
            self._add(self.form.details, tags=tags)
        except PersonExists as refusal:
            self.known = VppUser.objects.filter(pk=refusal.user_id).first()
            raise

    def _add_chosen(self) -> bool:
        owner = named_owner(self.request, self.account, self.request.POST.get("owner", ""))
        try:
            if owner:
                self._add(PersonDetails(), owner=owner)
        except Refusal as refusal:
            self.problem = str(refusal)
        else:
            self.problem = "" if owner else CHOOSE_ONE
        return not self.problem

    def _add(self, details: PersonDetails, **more: Any) -> None:
        invites = bool(self.request.POST.get("invites"))
        add = partial(adding.add, by=self.request.actor, account=self.account)
        self.added = add(details=details, invites=invites, **more)
        messages.success(self.request, self._in_words(invites=invites))

    def _in_words(self, *, invites: bool) -> str:
        then = "The invitation follows by itself." if invites else "Invite them when you like."
        return format_html(
            "{} is added to {} and being registered at Apple. {} "
            '<a class="alert-link" href="{}?account={}">Add another user</a>',
            name_of(self.added),
            self.account.name,
            then,
            reverse("licensing:user_add", args=[self.account.organization_id]),
            self.account.pk,
        )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def user_edit(request: AdminRequest, organization: Organization, user_id: int) -> HttpResponse:
    person = person_or_404(request, user_id)
    form = PersonForm(request.POST or None, initial=PersonForm.values_of(person.user))
    if done(form, lambda: edit_person(by=request.actor, user=person.user, details=form.details)):
        messages.success(request, f"{form.cleaned_data['name'] or person.name} is changed.")
        return redirect(person.url)
    context = {"organization": organization, "person": person, "form": form}
    return render(request, "licensing/user_edit.html", context)
