"""What may be said to a person: the base of every error that is not a bug."""

from django.core.exceptions import PermissionDenied


class Refusal(Exception):
    """A request that cannot be done; its text says why and what to do, and is safe to show.

    `code` is the stable word that programs key on; `field` the form field it belongs to.
    """

    code = "refused"
    field: str | None = None
    # Seconds after which the same request may succeed; such an answer is never replayed.
    retry_after: int | None = None


class Conflict(Refusal):
    """Refused because of what is there already or has changed meanwhile."""

    code = "conflict"


class Forbidden(PermissionDenied):
    """403 for programs, with the stable word that they key on."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code
