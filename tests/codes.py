"""An app with redemption codes, as tests need it."""

from __future__ import annotations

from apps_catalog.codes import importing
from apps_catalog.models import ManagedApp, RedemptionCode
from organizations.audit import Actor

CODES = ("W7ABCDEFGHIJ", "XK3LMNOPQRST", "YP9UVWXYZABC")
BY = Actor.system("Test")


def sheet_of(*codes: str, adam_id: str = "", redeemed: tuple[str, ...] = ()) -> bytes:
    rows = ["Order ID,M77", f"Adam ID,{adam_id}", "Code,Code Redemption Link"]
    rows += [f"{code},{'redeemed' if code in redeemed else ''}" for code in codes]
    return "\n".join(rows).encode()


def imported(managed_app: ManagedApp, *codes: str, **more: tuple[str, ...]) -> list[RedemptionCode]:
    """The codes of the app, after a sheet with these."""
    found = importing.start_import(
        by=BY, managed_app=managed_app, file_name="codes.csv", content=sheet_of(*codes, **more)
    )
    importing.confirm(by=BY, code_import=found)
    return list(RedemptionCode.objects.filter(managed_app=managed_app).order_by("pk"))
