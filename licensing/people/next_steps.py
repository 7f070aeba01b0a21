"""What has to happen next for one person, and what an admin can do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils import formats, timezone

from licensing.models import BatchKind
from licensing.people.facts import Person
from users.invitations.letters import OF_MAIL
from users.models import Invitation, VppUser


class Step(StrEnum):
    """What can be done, as its button says it."""

    INVITE = "Send invitation(s)"
    LINK = "Copy invitation link"
    REGISTER_AGAIN = "Register again"
    TRY_AGAIN = "Try again"
    RETIRE = "Retire user(s)"


@dataclass(frozen=True, slots=True)
class NextStep:
    """A sentence, and what can be done; the first of it is what usually comes next."""

    text: str
    possible: tuple[Step, ...]


def next_step(person: Person, invitation: Invitation | None) -> NextStep:
    """`invitation` is the open one, where there is one."""
    return NextStep(" ".join(_sentences(person, invitation)), possible_steps(person))


def possible_steps(person: Person) -> tuple[Step, ...]:
    if BatchKind.RETIRE in person.going_on:
        return ()
    if person.user.is_retired:
        return (Step.REGISTER_AGAIN,)
    possible = {
        Step.TRY_AGAIN: is_refused_by_apple(person.user),
        Step.INVITE: bool(person.email) and person.is_invitable,
        Step.LINK: person.can_accept,
        Step.RETIRE: True,
    }
    return tuple(step for step, is_possible in possible.items() if is_possible)


def is_refused_by_apple(user: VppUser) -> bool:
    """Not by the mail server: that is mended by sending the invitation again."""
    return bool(user.failure) and not user.is_retired and not user.failure.startswith(OF_MAIL)


def _sentences(person: Person, invitation: Invitation | None) -> Iterator[str]:
    user = person.user
    if BatchKind.RETIRE in person.going_on:
        yield "Is being retired: their licenses return as soon as Apple confirms it."
    elif user.is_retired:
        yield f"Retired{_on(user.retired_at)}. They can be registered again."
    elif user.apple_status == VppUser.AppleStatus.ASSOCIATED:
        yield f"Has accepted{_on(user.associated_at)}: licenses arrive at their devices."
        yield from [user.failure] if user.failure else []
    elif user.failure:
        yield user.failure
        again = "try again" if is_refused_by_apple(user) else "send the invitation again"
        yield f"Correct what is wrong with Edit, or {again}."
    elif not person.can_accept:
        yield "Apple gets to know them next, by itself; an invitation waits for that."
    else:
        yield from _of_invitation(person, invitation)


def _of_invitation(person: Person, invitation: Invitation | None) -> Iterator[str]:
    if person.asked_again_at:
        yield f"Asked for a new invitation{_on(person.asked_again_at)}: send it."
    elif invitation and invitation.is_expired:
        yield f"The invitation expired{_on(invitation.expires_at)}: sending it again renews it."
    elif person.user.invited_at:
        yield (
            f"Invited{_on(person.user.invited_at)}, has not accepted yet: send it again or copy"
            " the link."
        )
    elif person.email:
        yield "Apple knows them: send the invitation next."
    if not person.email:
        yield "Has no e-mail address: add one with Edit, or hand the invitation link over yourself."


def _on(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return f" on {formats.date_format(timezone.localtime(moment), 'j M Y')}"
