"""Django's settings, from the environment (`config.env`) and from the local stack where one runs here.

Every variable an operator can set is read in this file, listed in `.env.example` and explained in the README.
Backing services come from DATABASE_URL, REDIS_URL, INFERENCE_URL and EMBEDDING_URL; what is not set is what
`manage.py start` runs itself and describes in DATA_DIR/stack.json (`config.stack.description`).
"""

import warnings
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import monkeypatch

from config.env import Env
from config.logging import logging_config
from config.stack.description import read_description
from config.stack.secrets import read_or_create_secret_key

# Lets annotations such as `ModelAdmin[Reply]` stand in class definitions.
monkeypatch()

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

PORT = env.number("PORT", 8000, at_least=1)
DATA_DIR = env.path("DATA_DIR", BASE_DIR / ".data")
DEBUG = env.flag("DEBUG")

_stack = read_description(DATA_DIR)
DATABASE_URL = env.text("DATABASE_URL") or _stack.database_url
REDIS_URL = env.text("REDIS_URL") or _stack.redis_url
REDIS_PREFIX = env.text("REDIS_PREFIX", "parlour")
# Where traces go, if anywhere (config/tracing.py): a collector, or Azure Monitor.
OTEL_EXPORTER_OTLP_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
APPLICATIONINSIGHTS_CONNECTION_STRING = env.text("APPLICATIONINSIGHTS_CONNECTION_STRING")
INFERENCE_URL = env.text("INFERENCE_URL")
# All models of that server unless some are named; Azure OpenAI does not list its deployments, so name them.
INFERENCE_MODELS = env.items("INFERENCE_MODELS")
# A GGUF file that the local stack serves with the embedded llama.cpp, and where it does.
MODEL_GGUF = env.text("MODEL_GGUF")
LOCAL_MODEL_URL = _stack.model_url
# Where the small models that administrators are offered come from; a mirror behind a firewall, for instance.
MODEL_HUB = env.text("MODEL_HUB", "https://huggingface.co")
EMBEDDING_URL = env.text("EMBEDDING_URL") or _stack.embedding_url
EMBEDDING_MODEL = env.text("EMBEDDING_MODEL", "all-MiniLM-L6-v2")

# A deployment names its key; a laptop keeps one in DATA_DIR.
SECRET_KEY = env.text("SECRET_KEY") or read_or_create_secret_key(DATA_DIR)
IS_LOCAL_STACK = not env.text("DATABASE_URL")
ALLOWED_HOSTS = list(env.items("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]")))
CSRF_TRUSTED_ORIGINS = list(env.items("CSRF_TRUSTED_ORIGINS"))

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "config.admin_config.HouseAdminConfig",
    # Before allauth, whose templates it dresses.
    "accounts",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "channels",
    "csp",
    "ninja",
    "storages",
    "config",
    "inference",
    "documents",
    "characters",
    "chat",
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
    "config.views.ErrorPages",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

_database = dj_database_url.parse(DATABASE_URL)
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 0,
        # What the URL asks for (`?sslmode=require`); `serve` adds its pool.
        "OPTIONS": {**_database.get("OPTIONS", {})},
    }
}
# The web process alone takes its connections from psycopg's pool (`config.management.commands.serve` says why).
DATABASE_POOL = {
    "min_size": 1,
    "max_size": env.number("DATABASE_POOL_SIZE", 16, at_least=2),
    "timeout": 20,
}
# Threads that serve sockets and replies; they are short calls, and Python runs one at a time anyway.
CHAT_DATABASE_THREADS = env.number("CHAT_DATABASE_THREADS", 4, at_least=1)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"{REDIS_PREFIX}:cache",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "config.channel_layer.PipelinedChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"{REDIS_PREFIX}:channels"},
    }
}

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": f"{REDIS_PREFIX}:celery:",
    "visibility_timeout": 3600,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "documents.tasks.ingest_next_document": {"queue": "ingest"},
    "documents.tasks.continue_reembedding": {"queue": "ingest"},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# For an orchestrator: a worker touches this file with every heartbeat (`config.celery`). Empty on a laptop.
WORKER_HEARTBEAT_FILE = env.text("WORKER_HEARTBEAT_FILE")
CELERY_BEAT_SCHEDULE = {
    "refresh-estate": {"task": "inference.tasks.refresh_estate", "schedule": 60.0},
    "add-up-usage": {"task": "inference.tasks.add_up_usage", "schedule": 1800.0},
    "work-jobs": {"task": "inference.tasks.work_jobs", "schedule": 30.0},
    "read-servers": {"task": "inference.tasks.read_servers", "schedule": 15.0},
    # With a lease of 15 s: what a killed worker was reading is taken up again within half a minute.
    "wake-ingest": {"task": "documents.tasks.wake_ingest", "schedule": 10.0},
    "continue-reembedding": {"task": "documents.tasks.continue_reembedding", "schedule": 10.0},
    "watch-container": {"task": "documents.tasks.watch_container", "schedule": 60.0},
    "count-character-usage": {"task": "chat.tasks.count_character_usage", "schedule": 3600.0},
    "forget-old-prompts": {"task": "chat.tasks.forget_old_prompts", "schedule": 3600.0},
    "sweep-pictures": {"task": "characters.tasks.sweep_pictures", "schedule": 6 * 3600.0},
    "remove-unsent": {"task": "documents.tasks.remove_unsent", "schedule": 3600.0},
    "sweep-blobs": {"task": "documents.tasks.sweep_blobs", "schedule": 300.0},
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = True
# allauth's own limits hold besides: 30 sign-ins a minute from an address, 5 failures for an account in 5 minutes.
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0)
SIGNUP_OPEN = env.flag("SIGNUP_OPEN", True)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Parlour"

# The organisation's OpenID Connect provider; for Entra ID the issuer is
# https://login.microsoftonline.com/<tenant id>/v2.0.
OIDC_ISSUER = env.text("OIDC_ISSUER")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_NAME = env.text("OIDC_NAME", "your organisation")
SOCIALACCOUNT_ADAPTER = "accounts.adapter.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        # Signing in to an account that was made with a password is safe only where the provider's addresses
        # cannot be set by the people themselves: a single tenant, never a public provider.
        "VERIFIED_EMAIL": env.flag("OIDC_TRUST_EMAIL"),
        "EMAIL_AUTHENTICATION": env.flag("OIDC_TRUST_EMAIL"),
        "APPS": [
            {
                "provider_id": "oidc",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": env.text("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER and OIDC_CLIENT_ID
        else [],
    }
}
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = env.flag("OIDC_TRUST_EMAIL")
# By a link: the provider may send people on to further hosts, which the CSP's form-action cannot know.
SOCIALACCOUNT_LOGIN_ON_GET = True

# Without a mail server Parlour says so where it would need one, and administrators set passwords.
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.number("EMAIL_PORT", 587, at_least=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", True)
EMAIL_TIMEOUT = 15
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'dummy'}.EmailBackend"
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "parlour@localhost")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""

LOGGING = logging_config(
    is_json=env.choice("LOG_FORMAT", ("readable", "json")) == "json",
    level=env.choice("LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR")),
)

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
# An image has its static files collected; a clone serves them from where they lie, and sees a new build at once.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not STATIC_ROOT.is_dir()
if WHITENOISE_USE_FINDERS:
    warnings.filterwarnings("ignore", "No directory at", UserWarning)
# esbuild's names carry a hash of eight capitals or digits; such a file never changes.
WHITENOISE_IMMUTABLE_FILE_TEST = r"/dist/.+-[A-Z0-9]{8}\.\w+$"

# Blob: Azure where an account or a connection string is named (Azurite is one), files on a laptop.
AZURE_STORAGE_ACCOUNT = env.text("AZURE_STORAGE_ACCOUNT")
AZURE_STORAGE_CONNECTION_STRING = env.text("AZURE_STORAGE_CONNECTION_STRING")
AZURE_STORAGE_CONTAINER = env.text("AZURE_STORAGE_CONTAINER", "parlour")
MEDIA_ROOT = DATA_DIR / "blob"
if AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING:
    _options: dict[str, object] = {
        "account_name": AZURE_STORAGE_ACCOUNT or None,
        "connection_string": AZURE_STORAGE_CONNECTION_STRING or None,
        "azure_container": AZURE_STORAGE_CONTAINER,
        "expiration_secs": 600,
        "overwrite_files": False,
    }
    if not AZURE_STORAGE_CONNECTION_STRING:
        # The identity that the process runs as; the account's keys can be switched off.
        from azure.identity import DefaultAzureCredential

        _options["token_credential"] = DefaultAzureCredential()
    _blob = {"BACKEND": "storages.backends.azure_storage.AzureStorage", "OPTIONS": _options}
else:
    _blob = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": MEDIA_ROOT}}
STORAGES = {
    "default": _blob,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# A container of the same account (a folder of DATA_DIR on a laptop) whose files the worker reads by itself, and
# the id of the collection they go to.
WATCHED_CONTAINER = env.text("WATCHED_CONTAINER")
WATCHED_COLLECTION = env.text("WATCHED_COLLECTION")
if WATCHED_CONTAINER:
    _watched: dict[str, object] = {"location": DATA_DIR / WATCHED_CONTAINER}
    if AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING:
        _watched = {**_options, "azure_container": WATCHED_CONTAINER}
    STORAGES["watched"] = {"BACKEND": _blob["BACKEND"], "OPTIONS": _watched}
# Documents by URL come from the public web; true lets people name pages of the network Parlour runs in, too.
FETCH_PRIVATE_ADDRESSES = env.flag("FETCH_PRIVATE_ADDRESSES")
UPLOAD_MAX_BYTES = env.number("UPLOAD_MAX_MEGABYTES", 1000, at_least=1) * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
CSRF_FAILURE_VIEW = "config.views.csrf_failure"
IS_HTTPS = env.flag("HTTPS")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

if env.problems:
    raise ImproperlyConfigured("The environment needs mending:\n  " + "\n  ".join(env.problems))
