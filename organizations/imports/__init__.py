"""Tables out of files that people upload: read, looked at row by row, confirmed, written.

kinds    rows out of bytes (text: CSV in its many forms; spreadsheets: .xlsx; old_excel: .xls)
columns  which column says what, by the many names that it may have
reading  the rows under such a header, cleaned
stages   the way of an import: checked, confirmed, applied, forgotten

What people and devices say in their files is theirs: users/imports and organizations/devices.
"""

from organizations.imports.columns import Columns
from organizations.imports.kinds import LARGEST_FILE, rows_of
from organizations.imports.reading import FileRow, TableFile
from organizations.imports.refusals import FileWrong, ManyMissing, NothingToImport, NotWaiting
from organizations.imports.stages import Imports

__all__ = [
    "LARGEST_FILE",
    "Columns",
    "FileRow",
    "FileWrong",
    "Imports",
    "ManyMissing",
    "NotWaiting",
    "NothingToImport",
    "TableFile",
    "rows_of",
]
