"""Who gets what. A new address needs a line here: with the defaults of `Line` a short one."""

from __future__ import annotations

from tests.sweep.addresses import Address
from tests.sweep.rules import Line
from tests.sweep.table.endpoints import ENDPOINTS
from tests.sweep.table.licenses import LICENSES
from tests.sweep.table.organization import ORGANIZATION_PAGES
from tests.sweep.table.personal import PERSONAL
from tests.sweep.table.public import MISSING, PUBLIC

TABLE = ORGANIZATION_PAGES | LICENSES | ENDPOINTS | PERSONAL | PUBLIC | MISSING


def line_of(address: Address) -> Line:
    assert address.name in TABLE, (
        f"{address.pattern} has no line in tests/sweep/table. Add one under {address.name!r}:"
        " who may look (`sees`) and who may change something (`writes`), and in"
        " tests/sweep/world.py a row for every new argument of its address."
    )
    return TABLE[address.name]
