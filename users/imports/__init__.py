"""People out of files: read, looked at row by row, confirmed, written.

reading   rows out of bytes (text: CSV in its many forms; spreadsheets: .xlsx; columns: the header)
verdicts  what each row would do, decided for all of them at once
applying  writing it, in a few statements
stages    the way of an import: checked, confirmed, applied, forgotten
"""

from users.imports.columns import FIELDS
from users.imports.reading import LARGEST_FILE, MOST_ROWS
from users.imports.refusals import FileWrong, ManyMissing, NothingToImport, NotWaiting
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
