"""What each state of an account means to a person: one table for pages, banners and mails."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from vpp_accounts.models import AccountState, VppAccount


class Urgency(IntEnum):
    """How a banner strip orders the accounts; the highest comes first."""

    NONE = 0
    INFORMATION = 1
    WARNING = 2
    DANGER = 3


COLOURS = {
    Urgency.NONE: "secondary",
    Urgency.INFORMATION: "info",
    Urgency.WARNING: "warning",
    Urgency.DANGER: "danger",
}


@dataclass(frozen=True, slots=True)
class StateWords:
    """One state in words.

    `headline` goes on after the account's name. `action_url` is a URL name that takes the
    organization's and the account's id; empty where nobody has to do anything.
    """

    state: AccountState
    urgency: Urgency
    headline: str = ""
    what_to_do: str = ""
    action_label: str = ""
    action_url: str = ""
    retries: bool = False  # Apple is asked again by itself

    @property
    def label(self) -> str:
        return str(self.state.label)

    @property
    def colour(self) -> str:
        """Bootstrap's name of the colour."""
        return "success" if self.state == AccountState.IN_SYNC else COLOURS[self.urgency]

    @property
    def needs_a_person(self) -> bool:
        return self.urgency >= Urgency.WARNING


GET_A_NEW_ONE = (
    "Download the token of this location again in Apple Business or Apple School Manager,"
    " then update it here."
)

WORDS = {
    words.state: words
    for words in (
        StateWords(
            AccountState.NOT_VERIFIED,
            Urgency.INFORMATION,
            "is saved, but Apple has not confirmed its token yet.",
            "Nothing now: Apple is asked again automatically. If this stays, check that this server"
            " can reach Apple.",
            "See the attempts",
            "licensing:account_runs",
            retries=True,
        ),
        StateWords(AccountState.SYNCING, Urgency.NONE, "is being read from Apple."),
        StateWords(AccountState.IN_SYNC, Urgency.NONE, "is in sync."),
        StateWords(
            AccountState.SYNC_FAILED,
            Urgency.WARNING,
            "could not be synced, so its numbers are from the last sync that worked.",
            "It is tried again automatically. If it keeps failing, look at the reason.",
            "See the attempts",
            "licensing:account_runs",
            retries=True,
        ),
        StateWords(
            AccountState.EXPIRING,
            Urgency.WARNING,
            "has a token that expires soon. Afterwards no license can be read or assigned.",
            GET_A_NEW_ONE,
            "Update Token",
            "licensing:account_renew",
        ),
        StateWords(
            AccountState.EXPIRED,
            Urgency.DANGER,
            "has an expired token. No license can be read or assigned; apps in use stay in use.",
            GET_A_NEW_ONE,
            "Update Token",
            "licensing:account_renew",
        ),
        StateWords(
            AccountState.REVOKED,
            Urgency.DANGER,
            "has a token that Apple has revoked. No license can be read or assigned.",
            GET_A_NEW_ONE,
            "Update Token",
            "licensing:account_renew",
        ),
        StateWords(
            AccountState.CLAIMED,
            Urgency.DANGER,
            "is in use by another MDM, so all work on its licenses has stopped here.",
            "Decide which system manages this location: remove its token there and take it over,"
            " or remove the account here.",
            "Take over",
            "licensing:account_take_over",
        ),
        StateWords(
            AccountState.READ_ONLY,
            Urgency.WARNING,
            "is read-only at Apple: licenses can be seen but not assigned or revoked.",
            "In Apple Business or Apple School Manager, check that Apple's own device management"
            " is off for this location and that whoever downloaded the token may manage Apps and"
            " Books; then update the token.",
            "Update Token",
            "licensing:account_renew",
        ),
    )
}


def words_for(account: VppAccount) -> StateWords:
    return WORDS[AccountState(account.state)]
