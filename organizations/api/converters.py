"""What an address may contain; anything else is no address of ours and answers 404 as JSON."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class RowId(StringConverter):
    """Digits that fit a bigint."""

    regex = "[0-9]{1,18}"


class AdamId(StringConverter):
    regex = "[0-9]{1,20}"


class PricingParam(StringConverter):
    regex = "[A-Za-z]{1,10}"


for converter, name in ((RowId, "row"), (AdamId, "adam"), (PricingParam, "pricing")):
    register_converter(converter, name)
