"""What is sealed, opened for whoever may see it; a lost key is a sentence and no breakdown."""

from __future__ import annotations

from apps_catalog.codes.refusals import Unreadable
from apps_catalog.models import CodeImport, RedemptionCode
from organizations.crypto import CannotDecrypt


def code_text(code: RedemptionCode) -> str:
    try:
        return code.code
    except CannotDecrypt:
        raise Unreadable("code") from None


def sheet_text(code_import: CodeImport) -> str:
    try:
        return code_import.rows
    except CannotDecrypt:
        raise Unreadable("sheet") from None
