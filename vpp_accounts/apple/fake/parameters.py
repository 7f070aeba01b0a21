"""Reading Apple's query parameters; whatever cannot be read is refused with 9602."""

from collections.abc import Collection
from dataclasses import dataclass

from vpp_accounts.apple.fake.errors import Refused
from vpp_accounts.apple.fake.wire import Query

INT32 = 2**31


@dataclass(frozen=True, slots=True)
class Parameters:
    query: Query

    def text(self, name: str) -> str | None:
        return self.query.get(name)

    def texts(self, name: str) -> list[str]:
        """Every value of a parameter that may be repeated."""
        return self.query.all(name)

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        value = self.query.get(name)
        if value is not None and value not in choices:
            raise Refused(9602)
        return value

    def boolean(self, name: str) -> bool | None:
        value = self.choice(name, ("true", "false"))
        return None if value is None else value == "true"

    def integer(self, name: str) -> int | None:
        value = self.query.get(name)
        if value is None:
            return None
        try:
            number = int(value)
        except ValueError:
            raise Refused(9602) from None
        if not -INT32 <= number < INT32:
            raise Refused(9602)
        return number

    def page_index(self) -> int:
        index = self.integer("pageIndex") or 0
        if index < 0:
            raise Refused(9602)
        return index

    def refuse_unknown(self, known: Collection[str]) -> None:
        if not self.query.keys() <= set(known):
            raise Refused(9602)
