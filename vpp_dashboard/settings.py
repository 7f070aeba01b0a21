"""Every setting, read from the environment once (docs/configuration in .env.example).

VPP_ENVIRONMENT is `production` unless told otherwise, and production refuses to start half set up.
"""

import sys
from pathlib import Path

import django_stubs_ext
import environ
import sentry_sdk
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from vpp_dashboard.logs import configure_logging

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

ENVIRONMENT = env.str("VPP_ENVIRONMENT", default="production")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("DEBUG", default=False)


def secret(name: str) -> str:
    """A secret of the installation; without it, production stops here and says which."""
    value = str(env.str(name, default=""))
    if not value:
        if PRODUCTION:
            raise ImproperlyConfigured(f"{name} is not set. See .env.example for how to make one.")
        value = "insecure-for-development-only-" + name.lower()
    return value


def one_of(name: str, default: str, *others: str) -> str:
    """A word out of a few; any other stops here, before it is taken for the default."""
    value = str(env.str(name, default=default)) or default
    if value not in (default, *others):
        words = ", ".join((default, *others))
        raise ImproperlyConfigured(f"{name} is {value}, and can be one of: {words}.")
    return value


# --- Who we are -----------------------------------------------------------------------------------

SECRET_KEY = secret("SECRET_KEY")
FIELD_ENCRYPTION_KEYS = [key.strip() for key in secret("FIELD_ENCRYPTION_KEYS").split(",")]
BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
HTTPS = BASE_URL.startswith("https://")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[environ.urlparse(BASE_URL).hostname])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[BASE_URL] if HTTPS else [])

ROOT_URLCONF = "vpp_dashboard.urls"
WSGI_APPLICATION = "vpp_dashboard.wsgi.application"
APPEND_SLASH = False  # a redirect corrupts the meraki SDK's base URL; page URLs carry their slash

INSTALLED_APPS = [
    "licensing",
    "users",
    "apps_catalog",
    "vpp_accounts",
    "organizations",
    "allauth",
    "allauth.account",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "rest_framework",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "licensing.frame.frame",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Where things are kept ------------------------------------------------------------------------

# Three roles: the application's owns nothing and cannot bypass policies, the owner migrates, the
# system role is for the few sweeps that look across organizations.
DATABASES = {"default": env.db("DATABASE_URL", default="postgres://vpp_app@127.0.0.1/vpp")}
for alias, variable in (("owner", "DATABASE_OWNER_URL"), ("system", "DATABASE_SYSTEM_URL")):
    if PRODUCTION and not env.str(variable, default=""):
        raise ImproperlyConfigured(f"{variable} is not set: production signs in as three roles.")
    DATABASES[alias] = env.db(variable, default=env.str("DATABASE_URL", default="postgres:///vpp"))
for database in DATABASES.values():
    database["CONN_MAX_AGE"] = 600
    database["CONN_HEALTH_CHECKS"] = True
DATABASE_ROUTERS = ["organizations.routers.OwnerMigrates"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "organizations.forgiving_cache.ForgivingCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # pages answer without Redis

# --- Background work ------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A page, or Apple, does not wait for the doorbell; the sweep rings again.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "max_retries": 0,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# --- Apple ----------------------------------------------------------------------------------------

APPLE_VPP_CLIENT = env.str("APPLE_VPP_CLIENT", default="http")
APPLE_VPP_BASE_URL = env.str("APPLE_VPP_BASE_URL", default="https://vpp.itunes.apple.com/mdm/v2/")
APPLE_RETRIES = env.int("APPLE_RETRIES", default=2)  # of one read, before a sync is put off
APPLE_METADATA_URL = env.str("APPLE_METADATA_URL", default="")
APPLE_STORE_URL = env.str("APPLE_STORE_URL", default="https://itunes.apple.com")
APPLE_ICON_HOSTS = env.list("APPLE_ICON_HOSTS", default=["https://*.mzstatic.com"])
APPLE_NOTIFICATIONS = one_of("APPLE_NOTIFICATIONS", "auto", "on", "off")
DEVICE_CHANNEL = env.str("DEVICE_CHANNEL", default="none")
SYNC_EVERY_MINUTES = env.int("SYNC_EVERY_MINUTES", default=15)
INVITATION_DAYS = env.int("INVITATION_DAYS", default=90)  # how long a link leads anywhere

# --- Signing in -----------------------------------------------------------------------------------

AUTH_USER_MODEL = "organizations.Admin"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "organizations.signin.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "organizations.signin.display_name"
ACCOUNT_EMAIL_VERIFICATION = "none"  # an admin is invited to an address; nobody signs up
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_PREVENT_ENUMERATION = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator")
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    }
]

# --- Words, times, mail ---------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # of the dashboard
# In which people are invited: mails, and the pages behind their links.
PEOPLE_LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
USE_THOUSAND_SEPARATOR = True

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
if path := vars().get("EMAIL_FILE_PATH"):
    EMAIL_FILE_PATH = f"/{path.lstrip('/')}"  # filemail:///var/mail is meant absolutely
# Mails in files can be read on a page of the demo, by everybody; never in production.
DEMO_INBOX = ENVIRONMENT in ("demo", "development") and bool(vars().get("EMAIL_FILE_PATH"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="VPP Dashboard <vpp@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 20  # seconds; a silent mail server must not hold a worker or a page
MAIL_PER_MINUTE = env.int("MAIL_PER_MINUTE", default=600)

# --- Files ----------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = not PRODUCTION
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "organizations.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_NUMBER_FILES = 5

# --- Safety ---------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS and env.bool("SECURE_SSL_REDIRECT", default=True)
# Redirects break API clients, probes, and Apple's notifications.
SECURE_REDIRECT_EXEMPT = [r"^api/", r"^health/", r"^notifications/"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = len(TRUSTED_PROXIES)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", *APPLE_ICON_HOSTS],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- REST -----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["organizations.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "organizations.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "VPP Dashboard API",
    "DESCRIPTION": (
        "Everything the pages can do, for programs. Meraki's operations keep Meraki's paths and schemas."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "SERVERS": [{"url": f"{BASE_URL}/api/v1"}],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "BatchKind": "licensing.models.BatchKind.values",
        "GrantOrRevoke": ["grant", "revoke"],
    },
}

# --- Seeing it run --------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = None
configure_logging(level=LOG_LEVEL, colours=not PRODUCTION and sys.stderr.isatty())
DJANGO_STRUCTLOG_CELERY_ENABLED = True
if SENTRY_DSN := env.str("SENTRY_DSN", default=""):
    # Neither bodies nor local variables leave: a token may stand in either.
    sentry_sdk.init(SENTRY_DSN, max_request_body_size="never", include_local_variables=False)
