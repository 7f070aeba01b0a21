"""One call of the control API: the parts of its path, its query, its body read key by key."""

from typing import TYPE_CHECKING, Any

import orjson

from vpp_accounts.apple.fake.settings import snake
from vpp_accounts.apple.fake.wire import Json, Rejected, Request

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple


class Asked:
    def __init__(self, apple: "FakeApple", request: Request, parts: dict[str, str]) -> None:
        self.apple = apple
        self.parts = parts
        self.query = request.query
        self._body = _body(request)

    @property
    def uid(self) -> str:
        return self.parts["uid"]

    def need(self, name: str) -> Any:
        if name not in self._body:
            raise Rejected(f"{name} is missing.")
        return self._body.pop(name)

    def given(self, *names: str) -> Json:
        """The optional keys that were sent, in Python's spelling."""
        return {snake(name): self._body.pop(name) for name in names if name in self._body}

    def rest(self) -> Json:
        rest, self._body = self._body, {}
        return rest

    def no_more(self) -> None:
        if self._body:
            raise Rejected(f"Nobody knows {', '.join(sorted(self._body))} here.")


def _body(request: Request) -> Json:
    if not request.body:
        return {}
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise Rejected("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Rejected("The body is not a JSON object.")
    return body
