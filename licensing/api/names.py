"""What ids and holders are called on the wire, read once for a whole page of rows."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

from licensing.models import Assignment, LicensedApp
from users.models import VppUser

USER = Assignment.HolderKind.USER
# How a plan calls a person whom the account does not have (licensing/batches/facts.py).
NOT_THERE = re.compile(r"user ([0-9]+)")


def title_keys(ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """The id of a title → its Adam ID and its price class."""
    rows = LicensedApp.objects.filter(pk__in=ids).values_list("pk", "adam_id", "pricing_param")
    return {pk: (adam_id, pricing_param) for pk, adam_id, pricing_param in rows}


@dataclass(frozen=True, slots=True)
class Names:
    """The titles of some rows, and the ids of their people by clientUserId."""

    titles: dict[int, tuple[str, str]]
    people: dict[str, str]

    @classmethod
    def of(cls, account_id: int, titles: Collection[int], client_user_ids: Collection[str]) -> Self:
        users = VppUser.objects.filter(account=account_id, client_user_id__in=client_user_ids)
        found = users.values_list("client_user_id", "pk") if client_user_ids else ()
        return cls(title_keys(titles), {holder: str(pk) for holder, pk in found})

    def title(self, title_id: int | None) -> dict[str, Any]:
        """Nulls where no title is meant: somebody is registered."""
        adam_id, pricing_param = self.titles.get(title_id or 0, (None, None))
        return {"adamId": adam_id, "pricingParam": pricing_param}

    def holder(self, kind: str, holder: str) -> dict[str, Any]:
        if kind != USER:
            return {"serialNumber": holder, "userId": None, "clientUserId": None}
        unknown = NOT_THERE.fullmatch(holder)
        if unknown and holder not in self.people:
            return {"serialNumber": None, "userId": unknown[1], "clientUserId": None}
        return {"serialNumber": None, "userId": self.people.get(holder), "clientUserId": holder}
