"""The forms of Manage > Apps: searching the store, choosing networks, and the app's own page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms

from apps_catalog.managing import ManagedAppDetails
from apps_catalog.managing.checking import HIGHEST_PRIORITY, LONGEST_GRACE, ORDER
from apps_catalog.managing.details import PLAIN
from apps_catalog.managing.ending import LicenseChoice
from apps_catalog.managing.methods import possible_methods
from apps_catalog.managing.refusals import NoNetworkChosen
from apps_catalog.models import ManagedApp, PurchaseMethod
from apps_catalog.store import LONGEST_TERM
from licensing.managing.offers import Offer
from organizations.models import Membership, Network, Tag
from organizations.scopes import Operator, Scope

BOXES = forms.CheckboxSelectMultiple
GONE = {"invalid_choice": "One of these is no longer there: choose again."}
REMOVE_FIRST = "remove"
BY_CHECK_BOX = {PurchaseMethod.DEVICE, PurchaseMethod.NONE}
MEANINGS = {
    "installs_automatically": "On every device in scope as soon as its license is there; otherwise"
    " when somebody asks for it on the device's page.",
    "removes_with_mdm": "When a device is unenrolled, the app goes with the management.",
    "manages_unmanaged": "Takes over the app where a user had installed it before; an unsupervised"
    " device asks its user.",
    "keeps_up_to_date": "Installs newer versions by itself.",
    "is_removable": "The user may delete it.",
    "removes_out_of_scope": "A device that leaves the scope loses the app, as far as it is managed.",
}
LABELS = {
    "installs_automatically": "Install automatically",
    "removes_with_mdm": "Remove with MDM",
    "manages_unmanaged": "Attempt to manage unmanaged",
    "keeps_up_to_date": "Keep up to date",
    "is_removable": "Removable by the user",
    "removes_out_of_scope": "Remove when out of scope",
}


class StoreSearchForm(forms.Form):
    term = forms.CharField(
        label="Search the App Store",
        max_length=LONGEST_TERM,
        help_text="A name, a bundle ID, an Adam ID, or a link to the App Store.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Type a name, a bundle ID, an Adam ID or a link."},
    )
    country = forms.ChoiceField(
        label="Country", help_text="Where the VPP account buys.", error_messages=GONE
    )

    def __init__(self, *args: Any, countries: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["country"]
        choices.choices = [(country, country) for country in countries]
        if len(countries) == 1:
            choices.widget = forms.HiddenInput()
            choices.initial = countries[0]


class NetworksForm(forms.Form):
    """Where the app is to be deployed."""

    networks = forms.ModelMultipleChoiceField(
        Network.objects.none(),
        widget=BOXES,
        error_messages={**GONE, "required": str(NoNetworkChosen())},
    )

    def __init__(self, *args: Any, networks: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["networks"]
        choices.queryset = networks


class RemoveAppForm(forms.Form):
    what = forms.ChoiceField(
        label="What becomes of its licenses, and of the app on devices",
        choices=[
            (LicenseChoice.NOW.value, "Take the licenses back now. The app stays on the devices."),
            (LicenseChoice.KEEP.value, "Leave licenses and app where they are."),
            (
                REMOVE_FIRST,
                "Remove it from the devices first: its scope becomes “No devices” now. Delete it"
                " when no device has it any more.",
            ),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Say what becomes of the licenses, and of the app on devices."},
    )


class ManagedAppForm(forms.Form):
    """The app's page. Accounts have a place each, so that their order needs no JavaScript."""

    scope_operator = forms.ChoiceField(
        label="Scope", choices=Operator.choices, widget=forms.RadioSelect
    )
    scope_tags = forms.TypedMultipleChoiceField(
        label="Tags", coerce=int, required=False, widget=BOXES, error_messages=GONE
    )
    use_vpp_device_license = forms.BooleanField(label="Use VPP device license", required=False)
    purchase_method = forms.ChoiceField(label="Purchase method", error_messages=GONE)
    installs_automatically = forms.BooleanField(required=False)
    removes_with_mdm = forms.BooleanField(required=False)
    manages_unmanaged = forms.BooleanField(required=False)
    keeps_up_to_date = forms.BooleanField(required=False)
    is_removable = forms.BooleanField(required=False)
    removes_out_of_scope = forms.BooleanField(required=False)
    grants_automatically = forms.BooleanField(required=False)
    revokes_automatically = forms.BooleanField(
        label="Revoke from those out of scope", required=False
    )
    grace_days = forms.IntegerField(
        label="Grace period in days",
        min_value=0,
        max_value=LONGEST_GRACE,
        help_text="So long after a device left the scope its license is taken back.",
    )
    priority = forms.IntegerField(
        min_value=-HIGHEST_PRIORITY,
        max_value=HIGHEST_PRIORITY,
        help_text="Where licenses are short, apps with a higher one are served first.",
    )

    def __init__(
        self,
        *args: Any,
        managed_app: ManagedApp,
        tags: Sequence[Tag],
        offers: Sequence[Offer],
        membership: Membership,
        **kwargs: Any,
    ) -> None:
        self.was = ManagedAppDetails.of(managed_app)
        self.managed_app, self.tags, self.offers = managed_app, tags, offers
        kwargs["initial"] = told(self.was)
        super().__init__(*args, **kwargs)
        self._choices("scope_tags", [(tag.pk, tag.name) for tag in tags])
        self._offer_methods()
        for name, label in LABELS.items():
            self.fields[name].label, self.fields[name].help_text = label, MEANINGS[name]
        if not membership.can_write:
            self.fields["priority"].disabled = True
            self.fields["priority"].help_text = ORDER
        for offer in offers:
            self._offer_account(offer)

    def _choices(self, field: str, choices: Sequence[tuple[Any, str]]) -> None:
        chosen: Any = self.fields[field]
        chosen.choices = choices

    def _offer_methods(self) -> None:
        """One check box for a free app, a drop-down for all others."""
        methods = possible_methods(self.managed_app)
        self.is_by_check_box = set(methods) == BY_CHECK_BOX
        del self.fields["purchase_method" if self.is_by_check_box else "use_vpp_device_license"]
        if not self.is_by_check_box:
            choices = [(method.value, str(method.label)) for method in methods]
            self._choices("purchase_method", choices)

    def _offer_account(self, offer: Offer) -> None:
        drawn = self.was.account_ids
        place = drawn.index(offer.account.pk) + 1 if offer.account.pk in drawn else ""
        places = [(str(n), f"{n}.") for n in range(1, len(self.offers) + 1)]
        self.fields[place_of(offer)] = forms.ChoiceField(
            label=f"Place of {offer.account.name}",
            choices=[("", "Not used"), *places],
            initial=str(place),
            required=False,
            # What is drawn from already may stay, and may be taken off.
            disabled=bool(offer.obstacle and not place),
        )

    # --- What it says ---------------------------------------------------------------------------

    @property
    def details(self) -> ManagedAppDetails:
        said = self.cleaned_data
        return ManagedAppDetails(
            scope=Scope(Operator(said["scope_operator"]), tuple(said["scope_tags"])),
            purchase_method=self._method(),
            account_ids=self._account_ids(),
            **{name: said[name] for name in PLAIN},
        )

    def _method(self) -> str:
        if not self.is_by_check_box:
            return str(self.cleaned_data["purchase_method"])
        uses_license = self.cleaned_data["use_vpp_device_license"]
        return str((PurchaseMethod.DEVICE if uses_license else PurchaseMethod.NONE).value)

    def _account_ids(self) -> tuple[int, ...]:
        """In their places; those that this admin does not see stay where they were."""
        shown = {offer.account.pk: self.cleaned_data.get(place_of(offer)) for offer in self.offers}
        places = {pk: int(place) for pk, place in shown.items() if place}
        hidden = {pk: n for n, pk in enumerate(self.was.account_ids, 1) if pk not in shown}
        every = places | hidden
        return tuple(sorted(every, key=lambda pk: every[pk]))

    # --- What the template shows ----------------------------------------------------------------

    @property
    def grant_label(self) -> str:
        is_for_people = self.was.purchase_method == PurchaseMethod.USER
        return f"Grant to {'users' if is_for_people else 'devices'} in scope"

    @property
    def hidden_accounts(self) -> int:
        shown = {offer.account.pk for offer in self.offers}
        return len([pk for pk in self.was.account_ids if pk not in shown])

    @property
    def account_rows(self) -> Iterator[tuple[Offer, forms.BoundField]]:
        return ((offer, self[place_of(offer)]) for offer in self.offers)

    @property
    def install_fields(self) -> Iterator[forms.BoundField]:
        return (self[name] for name in LABELS)

    @property
    def tag_groups(self) -> list[tuple[str, list[tuple[Tag, bool]]]]:
        """By kind: each tag, and whether it is chosen."""
        field = self["scope_tags"]
        chosen = {str(value) for value in field.value() or ()}
        groups = []
        for kind in Tag.Kind:
            of_kind = [(tag, str(tag.pk) in chosen) for tag in self.tags if tag.kind == kind]
            groups.append((f"{kind.label}s", of_kind))
        return [group for group in groups if group[1]]


def told(details: ManagedAppDetails) -> dict[str, Any]:
    """As it stands in the form."""
    return {
        "scope_operator": details.scope.operator.value,
        "scope_tags": list(details.scope.tag_ids),
        "use_vpp_device_license": details.purchase_method == PurchaseMethod.DEVICE,
        "purchase_method": details.purchase_method,
        **{name: getattr(details, name) for name in PLAIN},
    }


def place_of(offer: Offer) -> str:
    return f"account_{offer.account.pk}"
