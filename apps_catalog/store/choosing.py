"""A result that somebody chose becomes an App of the catalogue, or completes the one it is."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from apps_catalog.models import App, StoreSearch
from apps_catalog.store.reading import Result
from organizations.refusals import Refusal


class NotAmongTheResults(Refusal):
    code = "not_among_the_results"

    def __init__(self) -> None:
        super().__init__("That app is not among the results of this search. Search for it again.")


def app_of(search: StoreSearch, adam_id: str) -> App:
    result = result_of(search, adam_id)
    app, _ = App.objects.get_or_create(adam_id=adam_id, country=search.country)
    return _describe(app, result)


def result_of(search: StoreSearch, adam_id: str) -> Result:
    for result in search.results:
        if result["adam_id"] == adam_id:
            found: Result = result
            return found
    raise NotAmongTheResults


def describe_managed(country: str, results: Iterable[Result]) -> None:
    """Apps that were added by their number alone, and have no name until the store says it."""
    by_id = {result["adam_id"]: result for result in results}
    nameless = App.objects.filter(adam_id__in=by_id, country=country, name="")
    for app in nameless.filter(managed_apps__isnull=False).distinct():
        _describe(app, by_id[app.adam_id])


def _describe(app: App, result: Result) -> App:
    for name, value in _facts(app, result).items():
        setattr(app, name, value)
    app.save()
    return app


def _facts(app: App, result: Result) -> dict[str, Any]:
    """The store's search names not every platform, so it never takes one away."""
    told: dict[str, Any] = {**result}
    del told["adam_id"]
    told["price"] = None if result["price"] is None else Decimal(result["price"])
    told["platforms"] = sorted({*app.platforms, *result["platforms"]})
    return {**told, "metadata_as_of": timezone.now()}
