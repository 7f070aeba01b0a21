"""Rows out of an .xlsx workbook: those of its first sheet, as its parts are unpacked.

Whoever uploads a file may have made it to harm: what is unpacked is counted, a cell far out costs
nothing, and a document type, through which a small file becomes a large one, is refused.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator
from xml.parsers import expat

from organizations.imports.refusals import FileWrong
from organizations.imports.text import Rows

MOST_UNPACKED = 150 * 1024 * 1024
MOST_STRINGS = 1_000_000
MOST_COLUMNS = 200
LONGEST_CELL, LAST_ROW = 32_767, 1_048_576  # Excel's own limits
MOST_PARTS, PART = 5000, b"PK\x01\x02"  # the table of contents is read into memory
CHUNK = 256 * 1024
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

DAMAGED = "This workbook is damaged. Open it, save it anew as .xlsx or “CSV UTF-8” and upload that."
TOO_LARGE = (
    f"This workbook has more than {MOST_UNPACKED // 1024**2} MB when it is unpacked. Save its first"
    " sheet as “CSV UTF-8” and upload that."
)
Attributes = dict[str, str]


def read_workbook(content: bytes) -> Rows:
    if content.count(PART) > MOST_PARTS:
        raise FileWrong(DAMAGED)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from _Workbook(archive).rows()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise FileWrong(DAMAGED) from error
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise FileWrong(DAMAGED) from error


class _Workbook:
    """The parts of a workbook, found as its relations say."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.unpacked = 0

    def rows(self) -> Rows:
        [book] = [path for kind, path in self._related("").values() if kind == "officeDocument"][:1]
        related = self._related(book)
        strings: list[str] = []
        for kind, path in related.values():
            if kind == "sharedStrings":
                strings = _SharedStrings().read(self._parts(path))
        first = _FirstSheet().read(self._parts(book))
        yield from _Sheet(strings).rows(self._parts(related[first][1]))

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        """The parts that one part points at: id → kind and path."""
        folder, name = posixpath.split(part)
        path = posixpath.join(folder, "_rels", f"{name}.rels")
        found = _Relations().read(self._parts(path))
        return {
            key: (kind, posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/"))
            for key, (kind, target) in found.items()
        }

    def _parts(self, path: str) -> Iterator[bytes]:
        # Spreadsheets pack in no other way; some of the others unpack gigabytes at once.
        if self.archive.getinfo(path).compress_type not in PACKED:
            raise FileWrong(DAMAGED)
        with self.archive.open(path) as part:
            while chunk := part.read(CHUNK):
                self.unpacked += len(chunk)
                if self.unpacked > MOST_UNPACKED:
                    raise FileWrong(TOO_LARGE)
                yield chunk


class _Reader:
    """What one kind of part says, by the names of its elements without their prefixes."""

    def __init__(self) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = lambda name, attributes: self.start(_local(name), attributes)
        parser.EndElementHandler = lambda name: self.end(_local(name))
        parser.CharacterDataHandler = self.text
        self.feed: Callable[[bytes, bool], object] = parser.Parse

    def start(self, name: str, attributes: Attributes) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, text: str) -> None: ...

    def read_all(self, chunks: Iterator[bytes]) -> None:
        for chunk in chunks:
            self.feed(chunk, False)
        self.feed(b"", True)


class _Relations(_Reader):
    def read(self, chunks: Iterator[bytes]) -> dict[str, tuple[str, str]]:
        self.found: dict[str, tuple[str, str]] = {}
        self.read_all(chunks)
        return self.found

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            kind = attributes["Type"].rpartition("/")[2]
            self.found[attributes["Id"]] = (kind, attributes["Target"])


class _FirstSheet(_Reader):
    """Answers the id by which the workbook points at its first sheet."""

    def read(self, chunks: Iterator[bytes]) -> str:
        self.ids: list[str] = []
        self.read_all(chunks)
        return self.ids[0] if self.ids else ""

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "sheet":
            self.ids += [value for key, value in attributes.items() if key.endswith(":id")]


class _Texts(_Reader):
    """Text in pieces: every `t` of a string, but for the hints how to speak it."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.length = 0
        self.listens = self.is_spoken = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "rPh":
            self.is_spoken = True
        elif name in ("t", "v"):
            self.listens = not self.is_spoken

    def end(self, name: str) -> None:
        if name == "rPh":
            self.is_spoken = False
        elif name in ("t", "v"):
            self.listens = False

    def text(self, text: str) -> None:
        if self.listens:
            self.length += len(text)
            if self.length > LONGEST_CELL:
                raise FileWrong(DAMAGED)
            self.pieces.append(text)

    def taken(self) -> str:
        whole = "".join(self.pieces)
        self.pieces.clear()
        self.length = 0
        return whole


class _SharedStrings(_Texts):
    def read(self, chunks: Iterator[bytes]) -> list[str]:
        self.strings: list[str] = []
        self.read_all(chunks)
        return self.strings

    def end(self, name: str) -> None:
        super().end(name)
        if name == "si":
            if len(self.strings) == MOST_STRINGS:
                raise FileWrong(TOO_LARGE)
            self.strings.append(self.taken())


class _Sheet(_Texts):
    def __init__(self, strings: list[str]) -> None:
        super().__init__()
        self.strings = strings
        self.number = self.column = 0
        self.kind = ""
        self.cells: dict[int, str] = {}
        self.ready: list[tuple[int, list[str]]] = []

    def rows(self, chunks: Iterator[bytes]) -> Rows:
        for chunk in chunks:
            self.feed(chunk, False)
            yield from self.ready
            self.ready.clear()
        self.feed(b"", True)
        yield from self.ready

    def start(self, name: str, attributes: Attributes) -> None:
        super().start(name, attributes)
        if name == "row":
            last, self.number = self.number, int(attributes.get("r") or self.number + 1)
            self.column = 0
            if not last < self.number <= LAST_ROW:
                raise FileWrong(DAMAGED)
        elif name == "c":
            self.column = _column(attributes["r"]) if "r" in attributes else self.column + 1
            self.kind = attributes.get("t", "")

    def end(self, name: str) -> None:
        super().end(name)
        if name == "c":
            self._keep(self.taken())
        elif name == "row" and self.cells:
            cells = [self.cells.get(column, "") for column in range(1, max(self.cells) + 1)]
            self.ready.append((self.number, cells))
            self.cells = {}

    def _keep(self, text: str) -> None:
        if self.kind == "s" and text:
            text = self.strings[int(text)]
        if text and self.column <= MOST_COLUMNS:
            self.cells[self.column] = text


def _column(reference: str) -> int:
    """“C7” → 3."""
    number = 0
    for letter in reference[:10].rstrip("0123456789"):
        number = number * 26 + ord(letter) - 64
    return number


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_doctype(*declaration: object) -> None:
    raise FileWrong(DAMAGED)
