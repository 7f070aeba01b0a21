"""The forms of VPP > Reclaim: its rules, and whom nothing is taken from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from licensing.models import DepartureChoice, LicensedApp, ReclaimCause
from licensing.reclaim.finding import Count
from licensing.reclaim.refusals import DaysOutOfRange
from licensing.reclaim.rules import MOST_DAYS, Departure, Rule

OUT_OF_RANGE = str(DaysOutOfRange(MOST_DAYS))
MEANS = {
    ReclaimCause.DELETED: "It was deleted under Monitor > Devices and is not there again.",
    ReclaimCause.WIPED: "It was erased and has not been enrolled since.",
    ReclaimCause.UNENROLLED: "It left management, by itself or by an admin.",
    ReclaimCause.RETIRED_OWNER: "Every VPP account of its owner has retired that person.",
    ReclaimCause.MISSING: "The list that it came from has left it out for so many days.",
    ReclaimCause.MOVED: (
        "What a rule granted where it was and no app of its present network wants; licenses given by"
        " hand stay."
    ),
    ReclaimCause.NEVER_INSTALLED: (
        "It has held the license for so many days, and its channel has never reported the app."
    ),
}


def days_field(label: str, *, locked: bool, least: int = 0) -> forms.IntegerField:
    field = forms.IntegerField(
        label=label,
        min_value=least,
        max_value=MOST_DAYS,
        disabled=locked,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), OUT_OF_RANGE
        ),
    )
    field.widget.attrs |= {"inputmode": "numeric", "class": "form-control reclaim-days"}
    return field


@dataclass(frozen=True, slots=True)
class Line:
    """A rule as a row of the form, and what it would find."""

    rule: Rule
    means: str
    enabled: BoundField
    days: BoundField | None
    grace: BoundField
    found: Count | None


class RulesForm(forms.Form):
    """`rules` are those that are saved; `locked`: only to be looked at."""

    departure_choice = forms.ChoiceField(
        label="Licenses of a device that is deleted, wiped, unenrolled or moved",
        choices=DepartureChoice.choices,
        widget=forms.RadioSelect,
        help_text="What is proposed where an admin does it, and done where nobody is asked.",
    )

    def __init__(
        self, data: Any, *, rules: Mapping[str, Rule], departure: Departure, locked: bool
    ) -> None:
        self.saved = rules
        super().__init__(data, initial=_initial(rules, departure))
        self.fields["departure_choice"].disabled = locked
        self.fields["departure_days"] = days_field("After days", locked=locked, least=1)
        for rule in rules.values():
            self._add(rule, locked=locked)

    def _add(self, rule: Rule, *, locked: bool) -> None:
        label = rule.label
        enabled = forms.BooleanField(label=f"Take back: {label}", required=False, disabled=locked)
        self.fields[f"{rule.cause}_enabled"] = enabled
        grace = days_field(f"Days of grace: {label}", locked=locked)
        self.fields[f"{rule.cause}_grace"] = grace
        if rule.waits:
            days = days_field(f"For so many days: {label}", locked=locked)
            self.fields[f"{rule.cause}_days"] = days

    @property
    def rules(self) -> list[Rule]:
        told = self.cleaned_data
        return [
            Rule(
                cause,
                told[f"{cause}_enabled"],
                told.get(f"{cause}_days", saved.days),
                told[f"{cause}_grace"],
            )
            for cause, saved in self.saved.items()
        ]

    @property
    def departure(self) -> Departure:
        return Departure(self.cleaned_data["departure_choice"], self.cleaned_data["departure_days"])

    def lines(self, found: Mapping[str, Count]) -> list[Line]:
        return [
            Line(
                rule,
                MEANS[ReclaimCause(cause)],
                self[f"{cause}_enabled"],
                self[f"{cause}_days"] if rule.waits else None,
                self[f"{cause}_grace"],
                found.get(cause),
            )
            for cause, rule in self._shown().items()
        ]

    def _shown(self) -> dict[str, Rule]:
        """As they stand in the form, so that what is previewed can be looked at before it is saved."""
        if self.is_bound and self.is_valid():
            return {rule.cause: rule for rule in self.rules}
        return dict(self.saved)


def _initial(rules: Mapping[str, Rule], departure: Departure) -> dict[str, Any]:
    initial: dict[str, Any] = {
        "departure_choice": departure.choice,
        "departure_days": departure.days,
    }
    for cause, rule in rules.items():
        initial |= {
            f"{cause}_enabled": rule.is_enabled,
            f"{cause}_days": rule.days,
            f"{cause}_grace": rule.grace_days,
        }
    return initial


class ProtectForm(forms.Form):
    holder = forms.CharField(
        label="Serial number or e-mail address",
        max_length=255,
        help_text="A device, or a person of a VPP account.",
        error_messages={"required": "Type a serial number or an e-mail address."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    adam_id = forms.ChoiceField(label="Of", required=False)
    reason = forms.CharField(label="Reason", required=False, max_length=300)

    def __init__(self, *args: Any, titles: Iterable[LicensedApp], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = {title.adam_id: str(title.app) for title in titles}
        choices = sorted(named.items(), key=lambda each: each[1].casefold())
        field = self.fields["adam_id"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  for the type checker
        field.choices = [("", "All titles"), *choices]
