"""The worker and the schedule: celery -A vpp_dashboard worker | beat.

The broker is only a doorbell. What must happen stands in the database as a row with a lease, and
the sweeps below ring again for whatever was lost.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vpp_dashboard.settings")

app = Celery("vpp_dashboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

EVERY = {  # seconds
    "licensing.tasks.requeue_lost_syncs": 15,
    "licensing.tasks.handle_waiting_notifications": 30,
    "licensing.tasks.ring_waiting_writers": 15,
    "licensing.tasks.ring_due_automations": 15,
    "licensing.tasks.sweep_automation": 3600,
    "licensing.tasks.start_due_syncs": 20,
    "users.tasks.ring_waiting_imports": 30,
    "apps_catalog.tasks.ring_waiting_searches": 15,
    "apps_catalog.tasks.hear_waiting_channels": 15,
    "apps_catalog.tasks.ring_due_deployments": 15,
    "apps_catalog.tasks.tick_simulated_fleets": 5,
    "apps_catalog.tasks.check_channels": 60,
    "apps_catalog.tasks.ask_all_devices": 3600,
    "organizations.tasks.send_mail": 60,
    "organizations.tasks.send_webhooks": 15,
    "organizations.tasks.give_up_webhooks": 300,
    "organizations.tasks.ring_waiting_device_imports": 30,
    "licensing.tasks.take_licenses_back": 60,
    "licensing.tasks.ring_due_reclaims": 60,
    "licensing.tasks.look_for_reclaims": 3600,
    "organizations.tasks.remind_of_deletions": 3600,
    "organizations.tasks.erase_deleted": 3600,
    "vpp_accounts.tasks.say_due_goodbyes": 60,
    "vpp_accounts.tasks.check_claimed_accounts": 3600,
    "vpp_accounts.tasks.raise_alarms": 900,
    "vpp_accounts.tasks.check_token_dates": 3600,
    "licensing.tasks.refresh_stale_metadata": 3600,
    "vpp_accounts.tasks.forget_old_runs": 86400,
    "vpp_accounts.tasks.forget_old_notifications": 86400,
    "licensing.tasks.forget_old_batches": 86400,
    "users.tasks.forget_old_imports": 86400,
    "apps_catalog.tasks.forget_old_searches": 86400,
    "apps_catalog.tasks.forget_old_channel_events": 86400,
    "apps_catalog.tasks.forget_old_commands": 86400,
    "users.tasks.remind_due": 3600,
    "organizations.tasks.forget_old_records": 86400,
    "organizations.tasks.remind_of_certificates": 86400,
    "organizations.tasks.expire_audit_events": 86400,
    "organizations.tasks.forget_sign_ins": 86400,
    "organizations.tasks.tell_of_expiring_keys": 86400,
    "organizations.tasks.forget_old_device_imports": 86400,
    "organizations.tasks.forget_old_webhook_events": 86400,
}
# Work with Apple does not hold up the rest.
ROUTES = {
    "licensing.tasks.requeue_lost_syncs": {"queue": "default"},
    "licensing.tasks.start_due_syncs": {"queue": "default"},
    "licensing.tasks.handle_waiting_notifications": {"queue": "default"},
    "organizations.tasks.send_mail": {"queue": "mail"},
    # Receivers may take their time, and mail does not wait for them.
    "organizations.tasks.send_webhooks": {"queue": "webhooks"},
    "vpp_accounts.tasks.raise_alarms": {"queue": "default"},
    "vpp_accounts.tasks.say_due_goodbyes": {"queue": "default"},
    "vpp_accounts.tasks.check_claimed_accounts": {"queue": "default"},
    "licensing.tasks.ring_waiting_writers": {"queue": "default"},
    "licensing.tasks.run_automation": {"queue": "default"},
    "licensing.tasks.ring_due_automations": {"queue": "default"},
    "licensing.tasks.sweep_automation": {"queue": "default"},
    "licensing.tasks.take_licenses_back": {"queue": "default"},
    "licensing.tasks.ring_due_reclaims": {"queue": "default"},
    "licensing.tasks.look_for_reclaims": {"queue": "default"},
    "licensing.tasks.find_reclaims": {"queue": "default"},
    "licensing.tasks.take_back_due": {"queue": "default"},
    "licensing.tasks.forget_old_batches": {"queue": "default"},
    "apps_catalog.tasks.search_store": {"queue": "apple"},
    "licensing.tasks.*": {"queue": "apple"},
    "vpp_accounts.tasks.*": {"queue": "apple"},
}
app.conf.task_routes = ROUTES
# A sweep that nobody could run in time is worth nothing: the next one does the same.
app.conf.beat_schedule = {
    task: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for task, seconds in EVERY.items()
}


@worker_init.connect
def say_which_keys_are_lost(**kwargs: Any) -> None:
    from vpp_accounts.lost_keys import say_at_start  # noqa: PLC0415  the apps are not there before

    say_at_start()
