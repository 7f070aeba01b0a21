"""An app as it would be after saving, and what was shown of it: nothing is granted or taken back by
saving that nobody has seen before.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

from apps_catalog.managing import ManagedAppDetails
from apps_catalog.models import ManagedApp
from licensing.automation.preview import Draft, Outlook, Preview, is_worse

NOT_SEEN = "See below what this leads to, then save again."
GOT_WORSE = (
    "Meanwhile it would come out worse than what you saw. See below what it leads to now, then"
    " save again."
)


def draft_of(managed_app: ManagedApp, details: ManagedAppDetails) -> Draft:
    return Draft(
        organization_id=managed_app.organization_id,
        network_ids=(managed_app.network_id,),
        adam_id=managed_app.adam_id,
        platform=managed_app.platform,
        scope=details.scope,
        purchase_method=details.purchase_method,
        account_ids=details.account_ids,
        grants=details.grants_automatically,
        revokes=details.revokes_automatically,
        grace_days=details.grace_days,
        managed_app_id=managed_app.pk,
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page said before `Save Changes` was pressed; it comes back with the form."""

    draft: str
    outlook: Outlook

    @classmethod
    def of(cls, draft: Draft, preview: Preview) -> Self:
        digest = blake2b(repr(draft).encode(), digest_size=8).hexdigest()
        return cls(digest, preview.outlook)

    @classmethod
    def read(cls, text: str) -> Self | None:
        draft, *numbers = text.split(":")
        if len(numbers) != len(Outlook._fields) or not all(map(is_number, numbers)):
            return None
        return cls(draft, Outlook(*map(int, numbers)))

    def __str__(self) -> str:
        return ":".join([self.draft, *map(str, self.outlook)])


def question_before_saving(shown: Shown | None, draft: Draft, now: Preview, saved: Draft) -> str:
    """Why saving asks once more; empty where it may go on.

    What is said of an app as it is saved already is on its way, whoever saves what.
    """
    current = Shown.of(draft, now)
    if draft == saved or not any(current.outlook):
        return ""
    if shown is None or shown.draft != current.draft:
        return NOT_SEEN
    return GOT_WORSE if is_worse(shown.outlook, current.outlook) else ""


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
