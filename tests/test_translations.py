"""What invited people read is translated, whole, and compiled. `./dev translate` collects it."""

import pytest
from django.conf import settings

from tools import translations

LANGUAGES = [code for code, _ in settings.PEOPLE_LANGUAGES if code != settings.LANGUAGE_CODE]


def test_there_is_a_catalog_for_each_language() -> None:
    assert list(translations.LANGUAGES) == LANGUAGES


def test_pages_and_mails_are_collected() -> None:
    files = {file for _, _, file in translations.messages()}

    assert {"templates/users/invited_open.html", "users/invitations/words.py"} <= files


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_nothing_else(language: str) -> None:
    wanted = {(message.id, message.context) for message in translations.wanted() if message.id}

    catalog = translations.translated(language)

    known = {(message.id, message.context) for message in catalog if message.id}
    assert known == wanted, "Run ./dev translate, then translate what is new in locale/."
    assert translations.untranslated(language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_what_is_filled_in(language: str) -> None:
    wrong = [
        (message.id, str(error))
        for message, errors in translations.translated(language).check()
        for error in errors
    ]

    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_translated_is_compiled(language: str) -> None:
    compiled = translations.mo_file(language).read_bytes()

    assert compiled == translations.compiled(language), "Run ./dev translate."
