"""Your account > API keys, as a person makes one: the page that shows it is reached by no link."""

import pytest
from playwright.sync_api import Error

from organizations.models import Admin, ApiKey
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import too_wide, violations
from tests.browser.test_every_page import LOOKS


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_key_is_made_and_cannot_be_gone_back_to(
    open_page: OpenPage, complaints: Complaints, owner: Admin, theme: str, width: int
) -> None:
    page = open_page(owner, theme=theme, width=width)

    page.goto("/accounts/api-keys/")
    page.click("text=New API key")
    page.fill("[name=name]", "Nightly inventory")
    page.click("text=Create API key")
    text = page.input_value("#key")
    wrong = violations(page) + too_wide(page)
    page.click("text=I have copied it")
    listed = page.content()
    with pytest.raises(Error, match="ERR_CACHE_MISS"):  # the browser kept nothing to show again
        page.go_back(wait_until="commit")

    key = ApiKey.objects.get()
    assert (wrong, complaints) == ([], [])
    assert (key.digest, key.name) == (ApiKey.digest_of(text), "Nightly inventory")
    assert text not in listed
    assert ApiKey.objects.count() == 1
