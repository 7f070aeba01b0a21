"""Doors of the worker for what can be deployed: searches in the store, and the way to devices."""

from __future__ import annotations

from celery import shared_task


@shared_task
def search_store(*, search_id: str) -> None:
    from apps_catalog import lookups, store

    with lookups.store_search.inside(search_id):
        store.run(search_id)


@shared_task
def ring_waiting_searches() -> None:
    """Searches whose bell was not heard, or whose worker died."""
    from apps_catalog import store

    for search_id in store.waiting():
        search_store.delay(search_id=str(search_id))


@shared_task
def forget_old_searches() -> int:
    from apps_catalog import store

    return store.forget_old()


@shared_task
def hear_channel(*, organization_id: int) -> None:
    from apps_catalog.channels import inbox
    from organizations import tenancy

    with tenancy.inside(organization_id):
        inbox.handle_waiting(organization_id)


@shared_task
def hear_waiting_channels() -> None:
    """Organizations with events whose time has come: the bell was not heard, or they wait."""
    from apps_catalog.channels import inbox

    for organization_id in inbox.waiting():
        hear_channel.delay(organization_id=organization_id)


@shared_task
def forget_old_channel_events() -> int:
    from apps_catalog.channels import inbox

    return inbox.forget_old()


@shared_task
def check_channel(*, organization_id: int) -> None:
    from apps_catalog.channels import checking
    from organizations import tenancy

    with tenancy.inside(organization_id):
        checking.check(organization_id)


@shared_task
def check_channels() -> None:
    """Those whose bell was not heard, and servers that were not asked for some hours."""
    from apps_catalog.channels import checking

    for organization_id in checking.due().values_list("organization", flat=True):
        check_channel.delay(organization_id=organization_id)


@shared_task
def ask_devices(*, organization_id: int) -> None:
    from apps_catalog.channels import inventory
    from organizations import tenancy

    with tenancy.inside(organization_id):
        inventory.ask_due(organization_id)


@shared_task
def ask_all_devices() -> None:
    """Once an hour a part of each fleet, so that every device is asked once a day what it is."""
    from apps_catalog.channels import inventory

    for organization_id in inventory.organizations():
        ask_devices.delay(organization_id=organization_id)


@shared_task
def run_deployment(*, organization_id: int) -> None:
    """One turn of the installations' engine in one organization."""
    from apps_catalog.installations import engine
    from organizations import tenancy

    with tenancy.inside(organization_id):
        engine.run(organization_id)


@shared_task
def ring_due_deployments() -> None:
    """Organizations whose bell was not heard, whose time has come, or whose worker died."""
    from apps_catalog.models import Deployment
    from organizations.models import OF_OPEN

    due = Deployment.objects.using("system").due().filter(OF_OPEN).order_by("due_at")
    for organization_id in due.values_list("organization", flat=True)[:100]:
        run_deployment.delay(organization_id=organization_id)


@shared_task
def tick_simulated_fleet(*, organization_id: int) -> None:
    from apps_catalog.channels import simulated
    from organizations import tenancy

    with tenancy.inside(organization_id):
        simulated.tick(organization_id)


@shared_task
def tick_simulated_fleets() -> None:
    """The clock of all simulated fleets that have something to do."""
    from apps_catalog.channels.simulated import fleet

    for organization_id in fleet.waiting():
        tick_simulated_fleet.delay(organization_id=organization_id)


@shared_task
def forget_old_commands() -> int:
    """What ended a while ago: commands, steps of installations, sheets of codes."""
    from apps_catalog.channels import outbox
    from apps_catalog.codes import importing
    from apps_catalog.installations import housekeeping

    return outbox.forget_old() + housekeeping.forget_old_steps() + importing.forget_old()
