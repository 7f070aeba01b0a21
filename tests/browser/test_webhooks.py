"""A webhook from its beginning to its log, and how its pages look."""

import pytest
from playwright.sync_api import Page, expect

from organizations.models import Admin, Webhook
from organizations.tasks import send_webhooks
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import too_wide, violations
from tests.browser.test_every_page import LOOKS
from tests.webhook_receiver import receiving


def looks_right(page: Page) -> None:
    assert (violations(page), too_wide(page)) == ([], [])


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_webhook_is_added_tested_and_seen_to_work(
    open_page: OpenPage, complaints: Complaints, owner: Admin, theme: str, width: int
) -> None:
    page = open_page(owner, theme=theme, width=width)
    with receiving() as receiver:
        page.goto(f"/organizations/{owner.memberships.get().organization_id}/webhooks/")
        page.get_by_role("link", name="Add webhook").first.click()
        page.get_by_label("Name").fill("Service desk")
        page.get_by_label("URL").fill(receiver.url)
        page.get_by_label("Licenses run low").check()
        page.get_by_role("button", name="Add webhook").click()
        expect(page.get_by_label("Secret", exact=True)).to_have_value(Webhook.objects.get().secret)
        looks_right(page)
        page.get_by_role("link", name="I have copied it").click()

        page.get_by_role("button", name="Send test").click()
        expect(page.get_by_text("None yet.")).to_be_visible()
        looks_right(page)
        send_webhooks()
        expect(page.get_by_text("HTTP 200")).to_be_visible()

    expect(page.get_by_role("button", name="Redeliver")).to_be_enabled()
    looks_right(page)
    page.get_by_role("link", name="Service desk").click()
    expect(page.get_by_text("1 delivery")).to_be_visible()
    looks_right(page)
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_pages_of_a_webhook_that_fails(
    open_page: OpenPage, complaints: Complaints, owner: Admin, theme: str, width: int
) -> None:
    webhook = factories.WebhookFactory(
        organization=owner.memberships.get().organization,
        url=f"https://hooks.example.org/{'long' * 40}",
    )
    with receiving() as receiver:
        receiver.status, receiver.body = 500, b"<h1>No</h1>" * 40
        Webhook.objects.update(url=receiver.url)
        delivery = factories.WebhookDeliveryFactory(webhook=webhook)
        send_webhooks()
    Webhook.objects.update(url=webhook.url)
    page = open_page(owner, theme=theme, width=width)
    home = f"/organizations/{webhook.organization_id}/webhooks/"
    one = f"{home}{webhook.pk}/"

    for address in (home, one, *(f"{one}{each}/" for each in ("edit", "secret", "delete"))):
        page.goto(address)
        looks_right(page)
    page.goto(f"{one}deliveries/{delivery.pk}/")
    looks_right(page)

    assert complaints == []
