"""An Apple to which something happens just before it answers, or just after."""

from collections.abc import Callable

from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.wire import Answer, Request


class MovingApple(FakeApple):
    """`before` and `after` see every request but those that they make themselves."""

    def __init__(self, seed: str = "apple") -> None:
        super().__init__(seed)
        self.settings.limits["maxRequestPerSecond"] = 100_000
        self.before: Callable[[Request], object] = lambda request: None
        self.after: Callable[[Request], object] = lambda request: None
        self._busy = False

    def respond(self, request: Request) -> Answer:
        self._tell(self.before, request)
        answer = super().respond(request)
        self._tell(self.after, request)
        return answer

    def _tell(self, listener: Callable[[Request], object], request: Request) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            listener(request)
        finally:
            self._busy = False
