"""What erasing a person would do, and what stands against it; shown before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from licensing.batches.people_planning import propose
from licensing.batches.people_plans import RetireSummary
from licensing.models import BatchKind, LicensedApp
from licensing.personal_data.refusals import AccountsCannotWrite, ClosedAccounts
from licensing.personal_data.whose import accounts_but, users_of
from licensing.titles import name_of
from organizations.models import Membership, Owner
from users.models import VppUser
from vpp_accounts.models import VppAccount
from vpp_accounts.models.sets import VppAccountQuerySet


@dataclass(frozen=True, slots=True)
class Place:
    """The person in one account. `books`: titles whose license stays with the Apple Account."""

    account: VppAccount
    users: list[VppUser]
    retires: bool = False
    returning: int = 0
    staying: int = 0
    books: list[str] = field(default_factory=list)
    dropped: int = 0

    @property
    def is_active(self) -> bool:
        return any(not user.is_retired for user in self.users)

    @property
    def obstacle(self) -> str:
        """Why Apple cannot be told; empty where it can, or needs not to be."""
        if not (self.is_active and self.account.takes_no_changes):
            return ""
        return f"{self.account.name} is “{self.account.get_state_display()}”."


@dataclass(frozen=True, slots=True)
class Erasure:
    owner: Owner
    places: list[Place]
    closed: list[VppAccount]
    devices: int

    @property
    def typed(self) -> str:
        """What has to be typed to confirm."""
        return self.owner.email or self.owner.name

    @property
    def obstacle(self) -> ClosedAccounts | AccountsCannotWrite | None:
        if self.closed:
            return ClosedAccounts([account.name for account in self.closed])
        if obstacles := [place.obstacle for place in self.places if place.obstacle]:
            return AccountsCannotWrite(obstacles)
        return None

    @property
    def returning(self) -> int:
        return sum(place.returning for place in self.places)

    @property
    def staying(self) -> int:
        return sum(place.staying for place in self.places)


def plan_erasure(owner: Owner, membership: Membership) -> Erasure:
    ours = VppAccount.objects.manageable_by(membership)
    return Erasure(
        owner,
        list(_places(owner, ours)),
        accounts_but(owner, ours),
        owner.devices.count(),
    )


def _places(owner: Owner, ours: VppAccountQuerySet) -> Iterator[Place]:
    users: dict[VppAccount, list[VppUser]] = {}
    for user in users_of(owner).filter(account__in=ours).select_related("account"):
        users.setdefault(user.account, []).append(user)
    for account, theirs in users.items():
        yield _place(account, theirs)


def _place(account: VppAccount, users: list[VppUser]) -> Place:
    proposal = propose(account, BatchKind.RETIRE, [user.pk for user in users])
    summary = proposal.summary
    assert isinstance(summary, RetireSummary)  # noqa: S101  for the type checker
    stay = [line["id"] for line in summary.titles if line["stay"]]
    books = LicensedApp.objects.filter(pk__in=stay).select_related("app").order_by("app__name")
    return Place(
        account,
        users,
        retires=summary.go > 0,
        returning=summary.returning,
        staying=summary.irrevocable,
        books=[name_of(book) for book in books],
        dropped=summary.dropped,
    )
