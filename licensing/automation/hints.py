"""What an admin should know beside the numbers of a preview."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from licensing.automation.choosing import Supply
from licensing.automation.drafts import Draft
from licensing.automation.sources import Source, Titles, sources_of
from vpp_accounts.models import VppAccount


def transfers(
    draft: Draft,
    titles: Titles,
    supply: Supply,
    accounts: Mapping[int, VppAccount],
    short_by: int,
) -> list[str]:
    """Where the missing licenses lie: in accounts that this app cannot draw from."""
    used = _used(draft, supply)
    if not used or used[0].account_id not in accounts:
        return []
    target = accounts[used[0].account_id]
    drawn = {source.title_id for source in used}
    hints = []
    for source in sources_of(titles, sorted(accounts)):
        movable = 0 if source.title_id in drawn or source.barrier else source.free or 0
        number = min(movable, short_by)
        if number and source.account_id != target.pk:
            short_by -= number
            origin = accounts[source.account_id]
            hints.append(f"Move {number:,} from {origin} to {target} in {PORTAL}.")
    return hints


PORTAL = "Apple School Manager or Apple Business Manager"


def _used(draft: Draft, supply: Supply) -> list[Source]:
    return [
        source
        for source in supply.sources
        if any(
            not source.why_not(network, "", to_devices=not supply.is_for_people)
            for network in draft.network_ids
        )
    ]


def permanent(sources: Sequence[Source]) -> str:
    """Empty where all that is given can be taken back."""
    titles: Iterable[Source] = (source for source in sources if source.title_id)
    if all(source.revocable for source in titles):
        return ""
    return "Licenses of this app are permanent: nobody can ever take them back."
