"""What every form has in common: a service acts, and its refusal stands beside a field."""

from __future__ import annotations

from collections.abc import Callable

from django import forms

from organizations.refusals import Refusal


def done(form: forms.Form, act: Callable[[], object]) -> bool:
    """Do it if the form is right; a refusal becomes the error of its field."""
    if not form.is_valid():
        return False
    try:
        act()
    except Refusal as refusal:
        field = refusal.field if refusal.field in form.fields else None
        form.add_error(field, str(refusal))
        return False
    return True
