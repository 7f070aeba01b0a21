"""What people who are invited read, in their languages: locale/*/LC_MESSAGES/django.po and .mo.

`./dev translate` brings the .po files up to date with the texts in the code, keeps what is translated
and compiles them. Runs inside the environment: Django reads its templates, Babel does the rest.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from tools import paths
from tools.console import say

LANGUAGES = ("de", "es")
TEMPLATES = ("templates/users/invited*.html", "templates/mail/invitation*")
CODE = ("users/**/*.py", "apps_catalog/codes/letters.py")
KEYWORDS = {**DEFAULT_KEYWORDS, "gettext_lazy": None, "ngettext_lazy": (1, 2)}

Message = tuple[str | tuple[str, ...], str | None, str]  # with its context and its file


def po_file(language: str) -> Path:
    return paths.ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def mo_file(language: str) -> Path:
    return po_file(language).with_suffix(".mo")


def messages() -> Iterator[Message]:
    """Every text that is to be translated."""
    for file in found(TEMPLATES):
        # In parentheses, since what is left of a template is indented like no Python.
        source = f"(\n{templatize(file.read_text(), origin=str(file))}\n)"
        yield from messages_in(io.BytesIO(source.encode()), file)
    for file in found(CODE):
        with file.open("rb") as source:
            yield from messages_in(source, file)


def found(patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(paths.ROOT.glob(pattern))


def messages_in(source: IO[bytes], file: Path) -> Iterator[Message]:
    for _, text, _, context in extract("python", source, keywords=KEYWORDS):
        yield text, context, str(file.relative_to(paths.ROOT))


def wanted() -> Catalog:
    catalog = Catalog()
    for text, context, file in messages():
        catalog.add(text, context=context, locations=[(file, 0)])
    return catalog


def translated(language: str) -> Catalog:
    file = po_file(language)
    if not file.exists():
        return Catalog(language, project="VPP Dashboard", header_comment="", fuzzy=False)
    with file.open("rb") as source:
        return read_po(source, locale=language)


def compiled(language: str) -> bytes:
    target = io.BytesIO()
    write_mo(target, translated(language))
    return target.getvalue()


def update(language: str) -> None:
    catalog = translated(language)
    catalog.update(wanted(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    file = po_file(language)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        write_po(target, catalog, width=100, sort_by_file=True, include_lineno=False)
    mo_file(language).write_bytes(compiled(language))


def untranslated(language: str) -> list[str]:
    return [str(message.id) for message in translated(language) if message.id and not done(message)]


def done(message: object) -> bool:
    texts = message.string if isinstance(message.string, tuple) else (message.string,)  # type: ignore[attr-defined]
    return all(texts) and not message.fuzzy  # type: ignore[attr-defined]


def main() -> int:
    for language in LANGUAGES:
        update(language)
        missing = untranslated(language)
        say(f"{po_file(language).relative_to(paths.ROOT)}: {len(missing)} still to translate")
        for text in missing:
            say(f"  {text}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
