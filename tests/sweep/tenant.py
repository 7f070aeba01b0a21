"""One of the two organizations of the sweep, and the words that are recognised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from organizations.models import Admin, Membership, Organization
from tests import signing_in

# In every secret, so that one that got out is seen: passwords, codes, the provider's secret.
SECRET = "swordfish"
OURS, THEIRS = "quokka", "narwhal"
PASSWORD = f"{SECRET} opens everything"


@dataclass
class Tenant:
    """One organization with people of every kind, and a row for every argument of an address.

    Whatever it calls by a name carries `mark`; what network admins of other networks may not see
    either carries `inner`. Values that cannot carry it, such as Apple's ids, are in `values`.
    """

    mark: str
    number: int
    organization: Organization
    admins: dict[str, Admin] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)
    # The same for the account that is open to the admins of a network.
    network_rows: dict[str, Any] = field(default_factory=dict)
    values: list[str] = field(default_factory=list)
    token: str = ""  # of its first account
    digests: list[str] = field(default_factory=list)  # secrets too, and stored as they are
    secrets: list[str] = field(default_factory=lambda: [SECRET, signing_in.SECRET])

    @property
    def inner(self) -> str:
        return f"{self.mark}ville"

    @property
    def marks(self) -> tuple[str, ...]:
        """What a stranger may see nowhere."""
        return (self.mark, *self.values)

    def membership(self, who: str) -> Membership:
        return Membership.objects.get(admin=self.admins[who], organization=self.organization)
