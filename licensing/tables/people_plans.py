"""The plan of a retirement or of invitations in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from django.db.models import Count

from licensing.batches import people_planning
from licensing.batches.reasons import Reason
from licensing.holders import USER
from licensing.models import Assignment, BatchPlan, LicensedApp
from licensing.tables.people import selection_key
from licensing.tables.plans import CHUNK, Change, Figure, PlanWords, Rows, counted, told
from users.models import VppUser

Outcome = tuple[str, str, str]  # clientUserId, what happens, why not


class PeopleWords(PlanWords):
    """What plans about people have in common."""

    verb = ""  # “Retire 3 people”
    goes = ""  # “Is retired”
    changing: dict[str, str] = {}

    @cached_property
    def heading(self) -> str:
        return f"{self.verb} {self._whom}"

    @property
    def _whom(self) -> str:
        ids = self.plan.request["users"]
        if len(ids) > 1:
            return f"{len(ids):,} people"
        user = VppUser.objects.filter(account=self.plan.account_id, pk__in=ids).first()
        return (user.name or str(user)) if user else "nobody"

    @property
    def selection_keys(self) -> list[str]:
        return [selection_key(self.plan.account_id)]

    def changed_since(self, before: BatchPlan) -> list[Change]:
        return self._changes(before, self.changing)

    def outcomes(self) -> Rows:
        ids = self.plan.request["users"]
        plan = people_planning.propose(self.plan.account, self.plan.kind, ids).plan
        rows = [
            *((person.client_user_id, self.goes, "") for person in plan.go),
            *((holder, "Left out", reason.sentence) for holder, reason in plan.skipped),
        ]
        for start in range(0, len(rows), CHUNK):
            yield self._dressed(rows[start : start + CHUNK])

    def _dressed(self, rows: Sequence[Outcome]) -> list[tuple[object, ...]]:
        known = self._known([holder for holder, *_ in rows])
        return [(*known.get(row[0], ("", "")), *row) for row in rows]

    def _known(self, holders: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Name and e-mail address of each."""
        users = VppUser.objects.filter(account=self.plan.account_id, client_user_id__in=holders)
        facts = users.values_list("client_user_id", "name", "owner__email", "email")
        return {holder: (name, owned or email) for holder, name, owned, email in facts}


class RetireWords(PeopleWords):
    verb, goes = "Retire", "Is retired"
    is_destructive = True
    moved = "Return"
    consequences = "licensing/_plan_retire.html"
    nothing = "Nobody chosen can be retired."
    changing = {
        "go": "are retired",
        "returning": "licenses return",
        "irrevocable": "stay for good",
        "skipped": "left out",
    }
    export = (
        "Name",
        "Email",
        "Client user ID",
        "Outcome",
        "Reason",
        "Licenses that return",
        "Permanent licenses that stay",
    )

    @cached_property
    def figures(self) -> list[Figure]:
        n = self.numbers
        found = [
            Figure("Are retired", n["go"]),
            Figure("Licenses return", n["returning"]),
            Figure(self.permanent[1].capitalize() + " stay", n["irrevocable"], self._with_whom),
            Figure("Grants dropped", n["dropped"], "planned or waited for"),
            Figure("Invitations end", n["invitations"]),
            Figure("Left out", n["skipped"], "the reasons are below"),
        ]
        return [found[0], *(figure for figure in found[1:] if figure.number)]

    @cached_property
    def notes(self) -> list[str]:
        n = self.numbers
        sentences = (told(n["have_left"], HAVE_LEFT), told(n["unregistered"], NEVER_REGISTERED))
        return [sentence for sentence in sentences if sentence]

    @cached_property
    def permanent(self) -> tuple[str, str]:
        """What one calls that which stays: “book”, “books”."""
        stay = [each["id"] for each in self.numbers["titles"] if each["stay"]]
        others = LicensedApp.objects.filter(pk__in=stay).exclude(product_type="Book")
        if others.exists():
            return "permanent license", "permanent licenses"
        return "book", "books"

    @property
    def _with_whom(self) -> str:
        return f"with {counted(self.numbers['staying_with'], 'person', 'people')} for good"

    @property
    def what_stays(self) -> str:
        """“12 books stay with 7 people for good”."""
        number = self.numbers["irrevocable"]
        stay = "stays" if number == 1 else "stay"
        return f"{counted(number, *self.permanent)} {stay} {self._with_whom}" if number else ""

    @property
    def pledge(self) -> str:
        if not self.what_stays:
            return ""
        them = "it" if self.numbers["irrevocable"] == 1 else "them"
        return f"I understand that {self.what_stays}: nobody can ever take {them} back."

    @property
    def confirm_label(self) -> str:
        return f"Retire {counted(self.numbers['go'], 'person', 'people')}"

    def _dressed(self, rows: Sequence[Outcome]) -> list[tuple[object, ...]]:
        held = self._held([holder for holder, goes, _ in rows if goes == self.goes])
        return [(*row, *held[str(row[2])]) for row in super()._dressed(rows)]

    def _held(self, holders: Sequence[str]) -> defaultdict[str, list[int]]:
        """How many licenses of each return, and how many stay."""
        held = Assignment.objects.filter(
            organization=self.plan.organization_id,
            account=self.plan.account_id,
            holder_kind=USER,
            holder__in=holders,
        )
        found: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        rows = held.values_list("holder", "licensed_app__revocable").annotate(n=Count("*"))
        for holder, revocable, number in rows.order_by():
            found[holder][not revocable] = number
        return found


class InviteWords(PeopleWords):
    verb, goes = "Invite", "Gets an invitation"
    consequences = "licensing/_plan_invite.html"
    nothing = "Nobody chosen can be invited."
    changing = {"go": "get an invitation", "skipped": "left out"}
    export = ("Name", "Email", "Client user ID", "Outcome", "Reason")

    @cached_property
    def figures(self) -> list[Figure]:
        n = self.numbers
        accepted = n["reasons"].get(Reason.ACCEPTED, 0)
        found = [
            Figure("Get an invitation", n["go"]),
            Figure("Of these once more", n["again"], "they were invited before"),
            Figure("Have accepted", accepted, "nothing changes"),
            Figure("Left out", n["skipped"] - accepted, "the reasons are below"),
        ]
        return [found[0], *(figure for figure in found[1:] if figure.number)]

    @cached_property
    def notes(self) -> list[str]:
        number, account = self.numbers["unregistered"], self.plan.account
        later = told(number, WAIT_FOR_APPLE if account.takes_no_changes else REGISTERED_FIRST)
        return [later.replace("ACCOUNT", account.name)] if later else []

    @property
    def pledge(self) -> str:
        return ""

    @property
    def confirm_label(self) -> str:
        return f"Send {counted(self.numbers['go'], 'invitation', 'invitations')}"


HAVE_LEFT = (
    "{} of them is no longer in the owners' source.",
    "{} of them are no longer in the owners' source.",
)
NEVER_REGISTERED = (
    "{} is unknown to Apple: their registration is dropped, and Apple is told nothing.",
    "{} are unknown to Apple: their registration is dropped, and Apple is told nothing.",
)
REGISTERED_FIRST = (
    "{} is unknown to Apple and is registered first; the mail follows by itself.",
    "{} are unknown to Apple and are registered first; their mails follow by themselves.",
)
WAIT_FOR_APPLE = (
    "{} is unknown to Apple. “ACCOUNT” takes no changes now: the mail goes out once it does again.",
    "{} are unknown to Apple. “ACCOUNT” takes no changes now: their mails go out once it does again.",
)
