"""Icons out of one vendored sprite (static/vendor/vendored.json says which version)."""

from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@cache
def sprite() -> str:
    """A page has a hundred icons, and each look-up in the manifest costs as much as a row."""
    return static("vendor/tabler-icons/icons.svg")


@register.simple_tag
def icon(name: str, *, label: str = "", css: str = "") -> SafeString:
    """An icon of the sprite; decoration unless it has a label."""
    use = format_html('<use href="{}#{}"></use></svg>', sprite(), name)
    if label:
        return format_html('<svg class="icon {}" role="img" aria-label="{}">{}', css, label, use)
    return format_html('<svg class="icon {}" aria-hidden="true">{}', css, use)
