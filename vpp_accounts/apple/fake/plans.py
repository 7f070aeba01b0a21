"""A location's seats of one in-app subscription."""

from dataclasses import dataclass, field

from vpp_accounts.apple.fake.wire import Json

STATUSES = ("ACTIVE", "INACTIVE", "PAUSED")


@dataclass(slots=True)
class Seat:
    """Who holds it wants to renew or not; the license underneath renews or not."""

    renewing: bool = False
    of_renewing: bool = False
    # The event that takes the seat away when the period ends.
    ends_with: str = ""

    @property
    def ends_with_period(self) -> bool:
        return not self.renewing or not self.of_renewing or bool(self.ends_with)

    def wire(self, plan: "Plan", client_user_id: str) -> Json:
        shown = {"adamId": plan.adam_id, "clientUserId": client_user_id}
        return shown | {"renewing": self.renewing}


@dataclass(slots=True, eq=False)
class Plan:
    adam_id: int
    parent_adam_id: int | None
    period_end: str
    renewing: int = 0
    expiring: int = 0
    status: str = "ACTIVE"
    seats: dict[str, Seat] = field(default_factory=dict)
    admins: dict[str, None] = field(default_factory=dict)

    @property
    def available(self) -> dict[str, int]:
        of_renewing = sum(seat.of_renewing for seat in self.seats.values())
        of_expiring = len(self.seats) - of_renewing
        return {"renewing": self.renewing - of_renewing, "expiring": self.expiring - of_expiring}

    def license_for(self, *, renewing: bool) -> bool | None:
        """Shall the seat use a license that renews? None when there is none left for it."""
        left = self.available
        if not renewing and left["expiring"] > 0:
            return False
        return True if left["renewing"] > 0 else None

    def counts(self) -> Json:
        """Assignments count by their own mode, available and owned ones by their licenses'."""
        assigned = sum(seat.renewing for seat in self.seats.values())
        return {
            "assigned": {"renewing": assigned, "expiring": len(self.seats) - assigned},
            "available": self.available,
            "total": {"renewing": self.renewing, "expiring": self.expiring},
        }

    def wire(self) -> Json:
        return {
            "parentAdamId": self.parent_adam_id,
            "adamId": self.adam_id,
            "status": self.status,
            "periodEndDate": self.period_end,
            "counts": self.counts(),
        }

    def forget(self, client_user_id: str) -> bool:
        """Somebody who is retired holds no seat and administers nothing."""
        had_seat = self.seats.pop(client_user_id, None) is not None
        was_admin = client_user_id in self.admins
        self.admins.pop(client_user_id, None)
        return had_seat or was_admin
