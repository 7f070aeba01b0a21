"""Tags that go while somebody gives them: nobody names a dead one, and nobody waits in a circle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import pytest
from celery.app.task import Task
from django.db import connections, transaction

from apps_catalog.managing import ManagedAppDetails, edit_app
from apps_catalog.models import ManagedApp
from organizations import hooks, tenancy
from organizations.audit import Actor
from organizations.devices.changing import change_tags
from organizations.devices.editing import DeviceDetails, edit_device
from organizations.models import Admin, Device, Network, Organization, Tag
from organizations.scopes import Operator, Scope
from organizations.tags import delete_tags
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
A_MOMENT = 0.5  # in which who is not held up is done


@pytest.fixture(autouse=True)
def _nobody_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Task, "apply_async", lambda *args, **options: None)


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def cart(organization: Organization) -> Tag:
    return factories.TagFactory(organization=organization, name="cart")


@pytest.fixture
def device(oakmont: Network, cart: Tag) -> Device:
    return factories.DeviceFactory(
        organization=oakmont.organization, network=oakmont, tag_ids=[cart.pk]
    )


class Meanwhile:
    """Somebody else, with a connection of their own."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.pool = ThreadPoolExecutor(1)
        self.done: Future[Any] | None = None

    def begins(self, act: Callable[[], Any]) -> None:
        self.done = self.pool.submit(self._run, act)
        wait([self.done], timeout=A_MOMENT)

    def ends(self) -> Any:
        assert self.done is not None
        answer = self.done.result()
        self.pool.shutdown()
        return answer

    def _run(self, act: Callable[[], Any]) -> Any:
        try:
            with tenancy.inside(self.organization.pk):
                return act()
        finally:
            connections.close_all()


def test_a_scope_that_was_about_to_name_a_tag_loses_it_with_all_others(
    organization: Organization, oakmont: Network, cart: Tag, owner: Admin, by: Actor
) -> None:
    app = factories.ManagedAppFactory(network=oakmont)
    details = ManagedAppDetails.of(app)
    wanted = replace(details, scope=Scope(Operator.WITHOUT_ANY, (cart.pk,)))
    other = Meanwhile(organization)

    with transaction.atomic():
        edit_app(by=by, membership=owner.memberships.get(), managed_app=app, details=wanted)
        other.begins(lambda: delete_tags(by=by, organization=organization, tags=[cart]))
    other.ends()

    assert (ManagedApp.objects.get().scope_tag_ids, Tag.objects.count()) == ([], 0)


@pytest.mark.parametrize("how", ["many", "one"])
def test_who_tags_a_device_and_who_deletes_the_tag_do_not_wait_for_each_other(
    organization: Organization, device: Device, cart: Tag, by: Actor, how: str
) -> None:
    other = Meanwhile(organization)

    def tag_it() -> None:
        if how == "many":
            here = Device.objects.filter(pk=device.pk)
            change_tags(by=by, organization=organization, devices=here, add=["cart", "new"])
        else:
            edit_device(by=by, device=device, details=DeviceDetails(tags=("cart", "new")))

    def begin(sender: Any, **kwargs: Any) -> None:
        other.begins(tag_it)

    hooks.tags_departing.connect(begin)
    try:
        delete_tags(by=by, organization=organization, tags=[cart])
    finally:
        hooks.tags_departing.disconnect(begin)
    other.ends()

    device.refresh_from_db()
    names = dict(Tag.objects.values_list("pk", "name"))
    assert [names[pk] for pk in device.tag_ids] == ["cart", "new"]
