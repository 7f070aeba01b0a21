"""The product's settings, with the fake Apple in this process and quick password hashes."""

import os

os.environ.setdefault("VPP_ENVIRONMENT", "test")
os.environ.setdefault("SECRET_KEY", "tests-only")
os.environ.setdefault("FIELD_ENCRYPTION_KEYS", "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=")
os.environ.setdefault("EMAIL_URL", "memorymail://")

from vpp_dashboard.settings import *

APPLE_VPP_CLIENT = "fake"
APPLE_VPP_BASE_URL = "https://vpp.apple.test/mdm/v2/"
APPLE_RETRIES = 0  # the client's own tests are about retrying
APPLE_METADATA_URL = "https://vpp.apple.test/WebObjects/MZStorePlatform.woa/wa/lookup"
NANOMDM_PRIVATE_ADDRESSES = True  # of the stub
WEBHOOK_PRIVATE_ADDRESSES = True  # of the receiver
APPLE_STORE_URL = "https://vpp.apple.test"
APPLE_ICON_HOSTS = ["https://vpp.apple.test"]
ALLOWED_HOSTS = ["*"]
API_RATE_PER_ORGANIZATION = API_RATE_PER_ADDRESS = 0  # tests/api/test_rate_limit.py sets them
CELERY_BROKER_URL = "memory://"
METRICS_TOKEN = "read-the-metrics"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
INSTALLED_APPS = [*INSTALLED_APPS, "tests"]
MIDDLEWARE = ["tests.database.ServingMiddleware", *MIDDLEWARE]

# One connection, so that a test's transaction holds everything; the owner's is for set-up only.
DATABASES["default"]["ENGINE"] = "tests.database"
DATABASES["system"]["TEST"] = {"MIRROR": "default"}
for database in DATABASES.values():
    database["CONN_HEALTH_CHECKS"] = False
