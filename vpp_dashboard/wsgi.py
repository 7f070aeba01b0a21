"""The web process: gunicorn vpp_dashboard.wsgi."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vpp_dashboard.settings")

application = get_wsgi_application()

# Now that the apps are there.
from vpp_accounts.lost_keys import say_at_start  # noqa: E402

say_at_start()
