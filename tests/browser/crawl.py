"""Walks from link to link through the product, to one page of each kind."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.urls import Resolver404, resolve
from playwright.sync_api import Page

LINKS = "links => links.map(link => link.pathname + link.search)"
TOO_WIDE = """
() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter(element => element.getBoundingClientRect().right > width + 1)
    .map(element => `${element.tagName.toLowerCase()}.${element.className}`.slice(0, 80))
    .slice(0, 5);
}
"""


SCROLLING = """
() => [...document.querySelectorAll("body.with-navigation .table-responsive")]
  .filter(table => table.scrollWidth > table.clientWidth)
  .map(table => `${table.ariaLabel || table.className} ${table.scrollWidth} > ${table.clientWidth}`)
"""


def pages_from(page: Page, start: str) -> Iterator[str]:
    """The first address of every view that links lead to, while the page stands on it."""
    seen, waiting = set(), [start]
    while waiting:
        address = waiting.pop(0)
        view = view_of(address)
        if view is None or view in seen:
            continue
        seen.add(view)
        page.goto(address)
        yield address
        waiting += page.locator("a[href^='/']:not([download])").evaluate_all(LINKS)


def view_of(address: str) -> str | None:
    parts = urlsplit(address)
    try:
        return resolve(parts.path).view_name
    except Resolver404:
        return None


def violations(page: Page) -> list[str]:
    """What axe finds, one line for each rule, with the first element that breaks it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']} ({len(each['nodes'])}): {each['nodes'][0]['html'][:160]}"
        f" {each['nodes'][0].get('failureSummary', '')[:300]}"
        for each in found
    ]


def too_wide(page: Page) -> list[str]:
    """Elements that make the page scroll sideways."""
    return page.evaluate(TOO_WIDE)


def scrolling_tables(page: Page) -> list[str]:
    """Tables of an organization's page of which one sees everything only by scrolling sideways."""
    return page.evaluate(SCROLLING)
