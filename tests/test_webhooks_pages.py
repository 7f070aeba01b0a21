"""Organization > Webhooks, as admins see it."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from organizations.models import Organization, Webhook, WebhookDelivery
from tests import factories
from tests.reading import errors_of, text_of

FORM = {
    "name": "Service desk",
    "url": "https://hooks.example.org/vpp",
    "events": ["license.low"],
    "enabled": "on",
}


@pytest.fixture
def webhook(organization: Organization) -> Webhook:
    return factories.WebhookFactory(organization=organization, name="Desk")


def url(name: str, *rows: object, organization: Organization | None = None) -> str:
    place = organization or rows[0].organization  # type: ignore[attr-defined]
    return reverse(f"organizations:{name}", args=[place.pk, *(row.pk for row in rows)])  # type: ignore[attr-defined]


def test_an_organization_without_webhooks_is_told_what_they_are_for(
    owner_client: Client, organization: Organization
) -> None:
    page = owner_client.get(url("webhook_list", organization=organization))

    assert "No webhooks yet" in text_of(page)


def test_the_secret_is_shown_when_it_is_added_and_never_again(
    owner_client: Client, organization: Organization
) -> None:
    added = owner_client.post(url("webhook_add", organization=organization), FORM)

    webhook = Webhook.objects.get()
    assert webhook.secret in added.content.decode()
    assert added.headers["Cache-Control"] == "private, no-store"
    for name in ("webhook_detail", "webhook_edit", "webhook_rotate", "webhook_delete"):
        assert b"whsec_" not in owner_client.get(url(name, webhook)).content


def test_what_is_wrong_stands_beside_its_field(
    owner_client: Client, organization: Organization
) -> None:
    wrong = FORM | {"url": "ftp://example.org"}

    answer = owner_client.post(url("webhook_add", organization=organization), wrong)

    assert errors_of(answer) == [
        "“ftp://example.org” is no address of a receiver. Write it like"
        " https://hooks.example.org/vpp."
    ]
    assert Webhook.objects.count() == 0


def test_a_webhook_is_edited(owner_client: Client, webhook: Webhook) -> None:
    answer = owner_client.post(url("webhook_edit", webhook), FORM | {"enabled": ""})

    assert answer.headers["Location"] == url("webhook_detail", webhook)
    webhook.refresh_from_db()
    assert (webhook.name, webhook.events, webhook.stopped) == (
        "Service desk",
        ["license.low"],
        "disabled",
    )


def test_a_test_leads_to_what_came_of_it(owner_client: Client, webhook: Webhook) -> None:
    answer = owner_client.post(url("webhook_test", webhook), follow=True)

    delivery = WebhookDelivery.objects.get()
    assert answer.redirect_chain == [(url("webhook_delivery", webhook, delivery), 302)]
    assert "None yet." in text_of(answer)
    assert 'hx-trigger="every 2s"' in answer.content.decode()


def test_a_test_of_a_disabled_webhook_says_why_not(owner_client: Client, webhook: Webhook) -> None:
    Webhook.objects.update(stopped="disabled")

    answer = owner_client.post(url("webhook_test", webhook), follow=True)

    assert "The webhook is disabled, so nothing is sent to it. Enable it first." in text_of(answer)
    assert WebhookDelivery.objects.count() == 0


def test_a_delivery_is_sent_again(owner_client: Client, webhook: Webhook) -> None:
    first = factories.WebhookDeliveryFactory(
        webhook=webhook, state="failed", next_attempt_at=None, error="No."
    )

    answer = owner_client.post(url("webhook_redeliver", webhook, first), follow=True)

    again = WebhookDelivery.objects.latest("pk")
    assert (again.again_of, again.event) == (first, first.event)
    assert answer.redirect_chain == [(url("webhook_delivery", webhook, again), 302)]


def test_the_secret_is_rotated(owner_client: Client, webhook: Webhook) -> None:
    before = webhook.secret

    answer = owner_client.post(url("webhook_rotate", webhook))

    webhook.refresh_from_db()
    assert webhook.secret in answer.content.decode()
    assert before not in answer.content.decode()
    assert webhook.previous_secret == before


def test_a_webhook_is_deleted(owner_client: Client, webhook: Webhook) -> None:
    owner_client.post(url("webhook_delete", webhook))

    assert Webhook.objects.count() == 0


def test_the_log_is_filtered_and_downloaded(owner_client: Client, webhook: Webhook) -> None:
    for state in ("delivered", "failed"):
        factories.WebhookDeliveryFactory(
            webhook=webhook, state=state, next_attempt_at=None, error=f"It was {state}."
        )
    page = url("webhook_detail", webhook)

    failed = text_of(owner_client.get(f"{page}?state=failed"))
    csv = b"".join(owner_client.get(f"{page}?format=csv")).decode()  # type: ignore[call-overload]

    assert ("It was failed." in failed, "It was delivered." in failed) == (True, False)
    assert len(csv.splitlines()) == 3


def test_a_reader_sees_all_but_what_is_sent_and_changes_nothing(
    reader_client: Client, webhook: Webhook
) -> None:
    delivery = factories.WebhookDeliveryFactory(webhook=webhook, answer="Thanks, Ada")
    Webhook.objects.update(url="https://hooks.example.org/T02/s3cr3t")

    shown = reader_client.get(url("webhook_delivery", webhook, delivery)).content.decode()
    detail = reader_client.get(url("webhook_detail", webhook)).content.decode()
    overview = reader_client.get(url("webhook_list", organization=webhook.organization))

    assert "Thanks, Ada" not in shown
    pages = [shown, detail, overview.content.decode()]
    assert [page.count("s3cr3t") for page in pages] == [0, 0, 0]
    assert [page.count("https://hooks.example.org/…") for page in pages] == [0, 1, 1]
    assert "syncRunId" not in shown
    assert "only admins with full access to the organization see it" in shown
    assert len(re.findall(r'aria-disabled="true"', detail)) == 4
    assert reader_client.post(url("webhook_test", webhook)).status_code == 403
    assert reader_client.post(url("webhook_delete", webhook)).status_code == 403


def test_an_outsider_finds_nothing(outsider_client: Client, webhook: Webhook) -> None:
    assert outsider_client.get(url("webhook_detail", webhook)).status_code == 404
