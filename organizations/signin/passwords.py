"""What Django's rules for passwords leave out."""

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError

LONGEST = 128


class LongestPasswordValidator:
    """Whole sentences fit; a file that somebody dropped into the field does not."""

    def validate(self, password: str, user: AbstractUser | None = None) -> None:
        if len(password) > LONGEST:
            raise ValidationError(
                f"This password has {len(password):,} characters; at most {LONGEST} are possible.",
                code="password_too_long",
            )

    def get_help_text(self) -> str:
        return f"Your password can have at most {LONGEST} characters."
