"""People out of files: what organizations/imports does with any file, with what is their own.

reading   what a row says (columns: the header), and what is wrong with it in itself
verdicts  what each row would do, decided for all of them at once
applying  writing it, in a few statements
stages    the way of an import: checked, confirmed, applied, forgotten
"""

from organizations.imports import (
    LARGEST_FILE,
    FileWrong,
    ManyMissing,
    NothingToImport,
    NotWaiting,
)
from users.imports.columns import FIELDS, MOST_ROWS
from users.imports.stages import (
    apply,
    cancel,
    check,
    confirm,
    forget_old,
    start_import,
    waiting,
)

__all__ = [
    "FIELDS",
    "LARGEST_FILE",
    "MOST_ROWS",
    "FileWrong",
    "ManyMissing",
    "NotWaiting",
    "NothingToImport",
    "apply",
    "cancel",
    "check",
    "confirm",
    "forget_old",
    "start_import",
    "waiting",
]
