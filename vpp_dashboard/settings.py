"""Every setting, read from the environment once (docs/configuration in .env.example).

VPP_ENVIRONMENT is `production` unless told otherwise, and production refuses to start half set up.
"""

import ipaddress
import sys
from pathlib import Path

import django_stubs_ext
import environ
import sentry_sdk
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from vpp_dashboard.enum_names import ENUM_NAMES
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


def proxies(entries: list[str]) -> list[str]:
    """Addresses and networks; a typing error stops here, before anybody is trusted by mistake."""
    trusted = [entry.strip() for entry in entries]
    for entry in trusted:
        try:
            ipaddress.ip_network(entry if entry != "unix" else "::", strict=False)
        except ValueError:
            raise ImproperlyConfigured(
                f"TRUSTED_PROXIES names “{entry}”: no address, no network and not the word unix."
            ) from None
    return trusted


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
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "allauth.usersessions",
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
    "organizations.addresses.ProxyMiddleware",
    "vpp_dashboard.headers.HeadersMiddleware",
    "organizations.tenancy.TenancyMiddleware",
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
    "organizations.audit.AuditMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "organizations.signin.sessions.SessionMiddleware",
    "organizations.signin.limits.LimitMiddleware",
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
DATABASES["default"]["ENGINE"] = "organizations.database"
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
DEVICE_CHANNEL = one_of("DEVICE_CHANNEL", "none", "simulated", "nanomdm")
NANOMDM_MOST_DEVICES = env.int("NANOMDM_MOST_DEVICES", default=200)  # of one call
# Whether admins may name an MDM server in the private network that this installation stands in.
NANOMDM_PRIVATE_ADDRESSES = env.bool("NANOMDM_PRIVATE_ADDRESSES", default=False)
# Whether webhooks may lead into the private network that this installation stands in.
WEBHOOK_PRIVATE_ADDRESSES = env.bool("WEBHOOK_PRIVATE_ADDRESSES", default=False)
SYNC_EVERY_MINUTES = env.int("SYNC_EVERY_MINUTES", default=15)
INVITATION_DAYS = env.int("INVITATION_DAYS", default=90)  # how long a link leads anywhere

# --- Signing in -----------------------------------------------------------------------------------

AUTH_USER_MODEL = "organizations.Admin"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "organizations.signin.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "organizations.signin.accounts.display_name"
ACCOUNT_EMAIL_VERIFICATION = "none"  # an admin is invited to an address; nobody signs up
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {"change_password": "organizations.signin.forms.ChangePasswordForm"}
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
# Failures are counted in the database (organizations/signin/lockout.py); the others stay allauth's.
ACCOUNT_RATE_LIMITS = {"login_failed": None, "login": "60/m/ip"}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
MFA_ADAPTER = "organizations.signin.factors.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "organizations.signin.forms.AuthenticateForm",
    "reauthenticate": "organizations.signin.forms.ReauthenticateForm",
    "deactivate_totp": "organizations.signin.forms.DeactivateTOTPForm",
    "authenticate_webauthn": "organizations.signin.forms.AuthenticatePasskeyForm",
    "login_webauthn": "organizations.signin.forms.LoginPasskeyForm",
    "reauthenticate_webauthn": "organizations.signin.forms.ReauthenticatePasskeyForm",
    "add_webauthn": "organizations.signin.forms.AddPasskeyForm",
    "edit_webauthn": "organizations.signin.forms.RenameForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an admin's address was invited
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 10
MFA_TOTP_TOLERANCE = 1  # clocks differ; each code counts once all the same
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS and not PRODUCTION  # http://127.0.0.1
USERSESSIONS_TRACK_ACTIVITY = False  # organizations/signin/sessions.py does, without a write a page
# Identity providers are rows of organizations; nobody signs up through one, or is linked by address.
SOCIALACCOUNT_ADAPTER = "organizations.signin.social.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SSO_ALLOW_PRIVATE = env.bool("SSO_ALLOW_PRIVATE", default=False)
SESSION_COOKIE_AGE = env.int("SESSION_COOKIE_AGE", default=12 * 3600)  # without use
SESSION_MAX_AGE = env.int("SESSION_MAX_AGE", default=7 * 24 * 3600)  # from the sign-in
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
    },
    {"NAME": "organizations.signin.passwords.LongestPasswordValidator"},
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
# Redirects break API clients, probes, and what Apple and MDM servers tell.
SECURE_REDIRECT_EXEMPT = [r"^api/", r"^health/", r"^metrics$", r"^notifications/", r"^channels/"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
# Browsers take a name that begins like this from this very host only, over https, for all its pages.
COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Not in a cookie of its own: messages name people and accounts.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# Of these alone X-Forwarded-For, -Proto and -Host are believed (organizations/addresses.py).
TRUSTED_PROXIES = proxies(env.list("TRUSTED_PROXIES", default=[]))

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", *APPLE_ICON_HOSTS],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- REST -----------------------------------------------------------------------------------------

# Requests a second, 0 for as many as there are.
API_RATE_PER_ORGANIZATION = env.int("API_RATE_PER_ORGANIZATION", default=10)
API_RATE_PER_ADDRESS = env.int("API_RATE_PER_ADDRESS", default=100)
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
        " Every list is there as CSV too (`Accept: text/csv`): the whole of it, unless a page is asked for."
        " Answers carry an `ETag`: with `If-None-Match` what has not changed is answered with 304."
        " Whoever asks too often is answered with 429 and, in `Retry-After`, when to come again."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "SERVERS": [{"url": f"{BASE_URL}/api/v1"}],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "organizations.api.examples.add_examples",
        "organizations.api.csv_answers.describe",
    ],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": ENUM_NAMES,
}

# --- Seeing it run --------------------------------------------------------------------------------

# Opens /metrics; without it production has none.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = None
configure_logging(level=LOG_LEVEL, colours=not PRODUCTION and sys.stderr.isatty())
DJANGO_STRUCTLOG_CELERY_ENABLED = True
if SENTRY_DSN := env.str("SENTRY_DSN", default=""):
    # Neither bodies nor local variables leave: a token may stand in either.
    sentry_sdk.init(SENTRY_DSN, max_request_body_size="never", include_local_variables=False)
