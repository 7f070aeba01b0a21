"""A real browser in front of the real server, with a worker behind it and a fake Apple over HTTP."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery.contrib.testing.worker import start_worker
from django.conf import LazySettings
from django.core.management import call_command
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

from organizations.models import Admin
from tests import factories
from tests.conftest import signed_in
from vpp_accounts import connections as apple_connections
from vpp_accounts.apple.fake import FakeApple, serving
from vpp_dashboard.celery import app as celery_app

HERE = Path(__file__).parent
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real commits, since the server and the worker have connections of their own."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("browser")
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    found = map(shutil.which, CHROMIUMS)
    chromium = os.environ.get("CHROMIUM") or next(filter(None, found), None)
    if not chromium:
        missing = pytest.fail if os.environ.get("VPP_REQUIRE_BROWSER") else pytest.skip
        missing("no Chromium on this machine (apt-get install chromium)")
    return {**browser_type_launch_args, "executable_path": chromium, "args": FLAGS}


@pytest.fixture
def apple(settings: LazySettings) -> Iterator[FakeApple]:
    """The fake Apple behind an address of its own, as in the demo."""
    fake = FakeApple()
    fake.settings.allow_http_notification_urls = True
    with serving(fake) as server:
        apple_connections.service_configs.clear()  # another test's Apple had another address
        settings.APPLE_VPP_CLIENT = "http"
        settings.APPLE_VPP_BASE_URL = f"{server.url}/mdm/v2/"
        settings.APPLE_METADATA_URL = f"{server.url}/WebObjects/MZStorePlatform.woa/wa/lookup"
        settings.APPLE_STORE_URL = server.url
        policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
        images = [*policy["img-src"], server.url]
        settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": policy | {"img-src": images}}
        yield fake


@pytest.fixture
def worker(apple: FakeApple, transactional_db: None) -> Iterator[None]:
    """The worker that the product has, in a thread."""
    queues = "apple,default,mail"
    with start_worker(celery_app, pool="solo", queues=queues, perform_ping_check=False):
        yield


class Complaints(list[str]):
    """What a page's console says of errors and forbidden things; a page is to be silent."""

    def watch(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.append(f"{page.url}: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.append(f"{message.page.url if message.page else ''}: {message.text}")


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(
    browser: Browser, live_server: LiveServer, complaints: Complaints
) -> Iterator[OpenPage]:
    """A page of a fresh browser, signed in or not: open_page(admin, width=390, theme="dark")."""
    contexts: list[BrowserContext] = []

    def opened(admin: Admin | None = None, *, width: int = 1280, theme: str = "light") -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            color_scheme=theme,
            viewport={"width": width, "height": 900},
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        if admin:
            cookie = signed_in(admin).cookies["sessionid"]
            session = {"name": "sessionid", "value": cookie.value, "url": live_server.url}
            context.add_cookies([session])
        page = context.new_page()
        complaints.watch(page)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def token_file(apple: FakeApple, tmp_path: Path) -> Path:
    """A token of a location with three titles, under a name that says nothing."""
    location = apple.create_location(name="Lakeside School", org_name="Example Schools")
    apple.purchase(location.uid, "1187400216", 30)
    apple.fill(location.uid, "1187400216", 12)
    apple.purchase(location.uid, "1801147365", 8)
    apple.purchase(location.uid, "1092235680")
    path = tmp_path / "download (3).txt"
    path.write_text(location.issue_token())
    return path


@pytest.fixture
def administrator(owner: Admin) -> Admin:
    """Full admin of “Example Schools”, with a password that a person can type."""
    factories.NetworkFactory(organization=owner.memberships.get().organization, name="Lakeside")
    return owner


@pytest.fixture
def demo(apple: FakeApple, settings: LazySettings, tmp_path: Path) -> dict:
    """The demo's data, synced: the pages as people see them first."""
    settings.DEVICE_CHANNEL = "simulated"
    output = tmp_path / "demo.json"
    address = settings.APPLE_VPP_BASE_URL.removesuffix("/mdm/v2/")
    call_command("seed_demo", apple_url=address, output=output, verbosity=0)
    return json.loads(output.read_text())
