"""Every address of the API with its methods, straight from the URLconf."""

import re
from typing import NamedTuple

from apps_catalog.api import urls as apps_catalog_urls
from licensing.api import urls as licensing_urls
from organizations.api import urls as organizations_urls
from users.api import urls as users_urls

METHODS = ("get", "post", "put", "delete", "patch")
PARAMETER = re.compile(r"<\w+:(\w+)>")


class Route(NamedTuple):
    path: str
    methods: tuple[str, ...]

    def __str__(self) -> str:
        return self.path

    @property
    def names(self) -> list[str]:
        return PARAMETER.findall(self.path)

    def filled(self, rows: dict[str, object]) -> str:
        """Fails on a parameter that no row stands for: add one to the fixture `rows`."""
        return "/" + PARAMETER.sub(lambda match: str(rows[match[1]]), self.path)

    @property
    def template(self) -> str:
        return "/" + PARAMETER.sub(r"{\1}", self.path)


def routes() -> list[Route]:
    apps = (organizations_urls, licensing_urls, users_urls, apps_catalog_urls)
    patterns = [pattern for app in apps for pattern in app.urlpatterns]
    return [
        Route(
            str(pattern.pattern),
            tuple(method for method in METHODS if hasattr(pattern.callback.cls, method)),
        )
        for pattern in patterns
    ]


def operations(*methods: str) -> list[tuple[Route, str]]:
    return [(route, method) for route in routes() for method in route.methods if method in methods]
