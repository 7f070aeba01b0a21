"""The worker and the schedule: celery -A vpp_dashboard worker | beat.

The broker is only a doorbell. What must happen stands in the database as a row with a lease, and
the sweeps below ring again for whatever was lost.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vpp_dashboard.settings")

app = Celery("vpp_dashboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "requeue-lost-work": {"task": "licensing.tasks.requeue_lost_syncs", "schedule": 15},
    "start-due-syncs": {"task": "licensing.tasks.start_due_syncs", "schedule": 60},
    "check-account-dates": {"task": "vpp_accounts.tasks.check_token_dates", "schedule": 3600},
    "refresh-metadata": {"task": "licensing.tasks.refresh_stale_metadata", "schedule": 3600},
    "forget-old-records": {"task": "organizations.tasks.forget_old_records", "schedule": 86400},
}
