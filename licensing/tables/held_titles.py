"""The list of what one device or person holds in one account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, F, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import QueryDict

from licensing import titles
from licensing.holders import License, licenses_of_holder
from licensing.models import Assignment, LicensedApp
from licensing.tables.holders import LICENSE_COLUMNS, LICENSE_EXPORT
from organizations.lists import Column, Listing
from vpp_accounts.models import VppAccount


@dataclass(frozen=True, slots=True)
class HeldTitle:
    title: LicensedApp
    license: License

    @property
    def name(self) -> str:
        return titles.name_of(self.title)

    @property
    def url(self) -> str:
        return titles.url_of(self.title)


class HeldTitleList(Listing[HeldTitle]):
    template = "licensing/_held_titles.html"
    columns = (Column("name", "Title", sort=("name",)), *LICENSE_COLUMNS)
    export = {
        "Title": lambda row: row.name,
        "Adam ID": lambda row: row.title.adam_id,
        "Pricing param": lambda row: row.title.pricing_param,
        **LICENSE_EXPORT,
    }
    default_sort = "name"
    unique = ("title",)
    counted_column = "title"
    noun = ("title", "titles")

    def __init__(
        self,
        params: QueryDict,
        account: VppAccount,
        kind: Assignment.HolderKind,
        holder: str,
    ) -> None:
        self.account, self.kind, self.holder = account, kind, holder
        held = Assignment.objects.filter(
            organization=account.organization_id, account=account, holder_kind=kind, holder=holder
        )
        known_name = NullIf(Lower("licensed_app__app__name"), Value(""))
        name = Coalesce(known_name, F("licensed_app__adam_id"), output_field=CharField())
        super().__init__(
            params, held.annotate(name=name, title=F("licensed_app_id")).values("name", "title")
        )

    def dress(self, rows: list[dict[str, Any]]) -> list[HeldTitle]:
        ids = [row["title"] for row in rows]
        found = LicensedApp.objects.select_related("app").in_bulk(ids)
        licenses = licenses_of_holder(self.account, self.kind, self.holder, ids)
        return [HeldTitle(found[id_], licenses.get(id_, License())) for id_ in ids if id_ in found]
