"""A filter set's fields as the filter form above a list shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms


@dataclass(frozen=True, slots=True)
class FilterField:
    """One control. `options` is empty for those that are typed into."""

    name: str
    label: str
    value: str
    input_type: str
    options: tuple[tuple[str, str], ...] = ()
    placeholder: str = ""


def search_field(placeholder: str, **arguments: Any) -> django_filters.CharFilter:
    """The search box that every list begins with."""
    box = forms.TextInput(attrs={"placeholder": placeholder})
    box.input_type = "search"
    return django_filters.CharFilter(label="Search", widget=box, max_length=200, **arguments)


def filter_fields(form: Any) -> list[FilterField]:
    return [_field(bound) for bound in form]


def _field(bound: Any) -> FilterField:
    choices = getattr(bound.field, "choices", ())
    widget = bound.field.widget
    return FilterField(
        name=bound.html_name,
        label=str(bound.label),
        value=str(bound.data or ""),
        input_type=getattr(widget, "input_type", "select"),
        options=tuple((str(value), str(label)) for value, label in choices),
        placeholder=widget.attrs.get("placeholder", ""),
    )


def problems(form: Any) -> list[str]:
    """What in the address cannot be used, one sentence each."""
    return [
        f"{form.fields[name].label}: {error} This filter was left out."
        for name, errors in form.errors.items()
        for error in errors
    ]
