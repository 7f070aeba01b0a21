"""Why an app is not on a device: codes for programs, sentences for people, and what to do."""

from apps_catalog.reasons import words  # noqa: F401  fills the table
from apps_catalog.reasons.codes import UNNAMED, Reason, Stage, Where, told

__all__ = ["UNNAMED", "Reason", "Stage", "Where", "told"]
