"""How the tests of the fake talk to it: as a program would, through the in-process door."""

from __future__ import annotations

from typing import Any

import orjson
import requests

from vpp_accounts.apple.fake import FakeApple, FakeAppleAdapter

APPLE = "https://vpp.itunes.apple.com"
TITLE, OTHER, BOOK = "1187400216", "1203518844", "1801147365"


class Caller:
    """A client of one location that looks at raw answers."""

    def __init__(self, apple: FakeApple, *, stoken: str | None = None, url: str = APPLE) -> None:
        self.session = requests.Session()
        if url == APPLE:
            self.session.mount("https://", FakeAppleAdapter(apple))
        self.url = url
        if stoken:
            self.session.headers["Authorization"] = f"Bearer {stoken}"

    def ask(self, method: str, path: str, **given: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=(5, 5), **given)

    def get(self, name: str, **query: Any) -> dict[str, Any]:
        """The body of GET /mdm/v2/<name>, whatever the status."""
        return orjson.loads(self.ask("GET", f"/mdm/v2/{name}", params=query).content)

    def post(self, name: str, body: Any) -> dict[str, Any]:
        return orjson.loads(self.ask("POST", f"/mdm/v2/{name}", json=body).content)

    def refused(self, name: str, **query: Any) -> tuple[int, int]:
        """HTTP status and error number."""
        response = self.ask("GET", f"/mdm/v2/{name}", params=query)
        return response.status_code, response.json()["errorNumber"]

    def control(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        response = self.ask(method, f"/control/{path}", json=body)
        return response.status_code, response.json()

    def walk(self, name: str, **query: Any) -> list[dict[str, Any]]:
        """All pages, one after the other."""
        pages = [self.get(name, **query)]
        while "nextPageIndex" in pages[-1]:
            pages.append(self.get(name, pageIndex=pages[-1]["nextPageIndex"], **query))
        return pages


def rows(pages: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [row for page in pages for row in page[name]]
