"""Django's settings, all from the one reading of the environment (recovery/conf)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from recovery import conf
from recovery.domain.pacing import Pacing
from recovery_portal.logs import logging_config

ENV = conf.reading()
BASE_DIR = conf.BASE_DIR
VAR_DIR = Path(ENV["PORTAL_VAR_DIR"]) if Path(ENV["PORTAL_VAR_DIR"]).is_absolute() else BASE_DIR / ENV["PORTAL_VAR_DIR"]

DEBUG: bool = ENV["DEBUG"]
SECRET_KEY: str = ENV["SECRET_KEY"]
TESTING = "pytest" in sys.modules
if not SECRET_KEY and (DEBUG or TESTING):
    SECRET_KEY = "debug-only-not-a-secret-" + "x" * 32
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Expected: a long random text, e.g. from "
        'python -c "import secrets; print(secrets.token_urlsafe(50))", in .env or in the environment.'
    )
ALLOWED_HOSTS = list(ENV["ALLOWED_HOSTS"])
CSRF_TRUSTED_ORIGINS = list(ENV["CSRF_TRUSTED_ORIGINS"])

INSTALLED_APPS = [
    "recovery.apps.RecoveryConfig",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "csp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "django_structlog",
]

MIDDLEWARE = [
    "recovery_portal.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "recovery_portal.urls"
WSGI_APPLICATION = "recovery_portal.wsgi.application"
ASGI_APPLICATION = "recovery_portal.asgi.application"
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
                "recovery.admin.site.alarms",
            ],
        },
    }
]


def database(url: str) -> dict[str, Any]:
    """`DATABASE_URL` as Django's dictionary, with what concurrent workers need on either engine."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = unquote(parts.path.lstrip("/") if not parts.path.startswith("//") else parts.path[1:])
        place = Path(path) if Path(path).is_absolute() else BASE_DIR / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": place,
            # with Django's defaults four writers met "database is locked" hundreds of times (conventions)
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
            },
            "TEST": {"NAME": VAR_DIR / "test.sqlite3"},
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5},
    }


VAR_DIR.mkdir(parents=True, exist_ok=True)
DATABASES = {"default": database(ENV["DATABASE_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")

LANGUAGE_CODE = ENV["LANGUAGE_CODE"]
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "recovery" / "locale"]
TIME_ZONE = ENV["TIME_ZONE"]
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

# ── security ────────────────────────────────────────────────────────────────────────────────────────────────────
# INSECURE_HTTP is for the demo and for a portal behind nothing at all on a closed machine.
_TLS = not DEBUG and not ENV["INSECURE_HTTP"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _TLS
SECURE_HSTS_SECONDS = 31_536_000 if _TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV["SECURE_PROXY"] else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# ── the portal ──────────────────────────────────────────────────────────────────────────────────────────────────
PORTAL_ID: str = ENV["PORTAL_ID"]
REASON_PATTERN: str = ENV["REASON_PATTERN"]
REASON_HELP: str = ENV["REASON_HELP"]
REASON_HELP_FR: str = ENV["REASON_HELP_FR"]
_poll = ENV["PORTAL_POLL_SECONDS"]
RECOVERY_PACING = Pacing(poll_young=_poll, sweep_every=_poll).scaled(ENV["PORTAL_PACING_SCALE"])

# ── Celery: the broker is an alarm clock, the database is the truth ─────────────────────────────────────────────
CELERY_BROKER_URL: str = ENV["CELERY_BROKER_URL"]
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {}
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_URL = "filesystem://"
    _broker = VAR_DIR / "broker"
    for folder in ("messages", "control"):
        (_broker / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "messages"),
        "data_folder_out": str(_broker / "messages"),
        "control_folder": str(_broker / "control"),
        "polling_interval": 0.2,
    }
elif CELERY_BROKER_URL.startswith("redis"):
    # a dead or mute broker may cost the web request a second at the most
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_timeout": 1,
        "socket_connect_timeout": 1,
        "retry_on_timeout": False,
        "visibility_timeout": 3600,
        "global_keyprefix": f"{PORTAL_ID}:",
    }
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 0}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_DEFAULT_QUEUE = "housekeeping"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "recovery.sweep",
        "schedule": RECOVERY_PACING.sweep_every,
        # a tick that waited for its successor is worth nothing
        "options": {"queue": "housekeeping", "expires": RECOVERY_PACING.sweep_every * 2},
    }
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")

# ── API ─────────────────────────────────────────────────────────────────────────────────────────────────────────
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "recovery.api.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "recovery.api.errors.problem_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Recovery portal",
    "DESCRIPTION": "File, follow and resubmit Spark recoveries through Apache Knox and Apache Livy.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}

# ── what a page may load: its own host, and nothing else ────────────────────────────────────────────────────────────
# 'unsafe-eval' is for the theme's Alpine.js, which reads its expressions from attributes; inline styles are the theme's
# colours and positions. No inline script runs (docs/operations.md).
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# ── admin theme ─────────────────────────────────────────────────────────────────────────────────────────────────
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Recovery portal"),
    "SITE_HEADER": _("Recovery portal"),
    "SITE_SYMBOL": "restore",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "STYLES": ["recovery.admin.site.stylesheet"],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "recovery.admin.site.favicon"}],
    "SITE_URL": None,
    "DASHBOARD_CALLBACK": "recovery.admin.home.home",
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "recovery.admin.site.navigation"},
}

PORTAL_URL: str = ENV["PORTAL_URL"]
ADMINS = [("", address) for address in ENV["ALARM_EMAILS"]]
SERVER_EMAIL = ENV["ALARM_EMAIL_FROM"]
EMAIL_SUBJECT_PREFIX = f"[{ENV['PORTAL_ID']}] "
EMAIL_TIMEOUT = 10
EMAIL_READY = bool(ENV["EMAIL_URL"])
if EMAIL_READY:
    globals().update(environ.Env.email_url_config(ENV["EMAIL_URL"]))

LOGGING = logging_config(ENV["LOG_LEVEL"], plain=DEBUG)
LOGGING_CONFIG = "logging.config.dictConfig"
DJANGO_STRUCTLOG_CELERY_ENABLED = False
