"""Every setting, read from the environment.

``DEMO=1`` (set by ``manage.py`` when it works on the embedded database) fills in what a demonstration on this computer
needs. Without it the portal is in production and refuses to start until each setting in ``REQUIRED`` is there.
"""

import re
import secrets
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from portal.database.address import sign_in_of
from portal.single_sign_on import read_providers

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEMO = env.bool("DEMO", default=False)
REQUIRED = {
    "SECRET_KEY": "50 or more random characters; signs sessions and links",
    "ALLOWED_HOSTS": "the host names people use, separated by commas",
    "DATABASE_URL": "a PostgreSQL 15+ server, postgresql://user:password@host:5432/name",
    "EMAIL_URL": "the mail server, smtp+tls://user:password@host:587",
    "DEFAULT_FROM_EMAIL": "the sender of the portal's mail",
}


def demo_secret() -> str:
    """A key of this checkout's own, kept between starts so that people stay signed in."""
    path = BASE_DIR / "var" / "secret_key"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


if not DEMO:
    missing = [f"  {name}: {meaning}" for name, meaning in REQUIRED.items() if not env.str(name, default="")]
    if missing:
        raise ImproperlyConfigured("The portal cannot start. These settings are missing:\n" + "\n".join(missing))

SECRET_KEY = env.str("SECRET_KEY", default="") or demo_secret()
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "accounts",
    "numbers.apps.NumbersConfig",
    "webphone",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "guardian",
    "allauth.mfa",
    "allauth.usersessions",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "portal.middleware.Observe",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.BrowserRules",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.intake.Refusals",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.devices.DeviceCookie",
    "accounts.attempts.Refusals",
    "accounts.middleware.ActorMiddleware",
    "accounts.last_seen.LastSeen",
    "portal.intake.Admissions",
    # The last one: it calls the view.
    "accounts.scope.ScopeMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "accounts.shell.shell",
            ],
            "builtins": ["portal.templatetags.portal", "django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# The portal signs in as an ordinary role. Whoever changes tables is another one, their owner; a demonstration on a
# single address has no other.
PORTAL_SIGN_IN = sign_in_of(env.str("DATABASE_URL", default="") or "postgresql://127.0.0.1/portal")
OWNER_SIGN_IN = PORTAL_SIGN_IN if DEMO else None
if owner_address := env.str("MIGRATION_DATABASE_URL", default=""):
    OWNER_SIGN_IN = sign_in_of(owner_address)
# Web servers may reach the database through a pooler (portal.database.pooler); workers and commands go past it.
POOLER_SIGN_IN = None
if pooler_address := env.str("POOLER_URL", default=""):
    POOLER_SIGN_IN = sign_in_of(pooler_address)
# Compiling a list's statement takes longer than running it.
# Without TimeZone, Django would call a function that no page may (portal.database.functions).
SESSION = {"jit": "off", "TimeZone": "UTC"}
OPTIONS = {"connect_timeout": 5, "prepare_threshold": 2}
DATABASES = {"default": {**PORTAL_SIGN_IN}}
DATABASES["default"] |= {
    "ENGINE": "portal.database",
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=600),
    "CONN_HEALTH_CHECKS": True,
    # What the address asks for, such as sslmode, and ours.
    "OPTIONS": PORTAL_SIGN_IN.get("OPTIONS", {}) | OPTIONS,
}
# How long one statement of a page may take, and how long it may wait for a lock (portal.database.limits).
STATEMENT_SECONDS = env.float("STATEMENT_SECONDS", default=15)
LOCK_SECONDS = env.float("LOCK_SECONDS", default=2)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    # Shared by all processes. Limits on guessing live here, so no entry makes room for another.
    "default": {"BACKEND": "portal.cache.LastingCache", "LOCATION": "portal_cache"},
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}},
}
PROCRASTINATE_ON_APP_READY = "portal.tasks.use_queue"

# Addresses are unique whatever their case, by a constraint that this check cannot see.
# guardian's backend is not wanted: grants are asked for in accounts.rules, and nowhere else.
# Browsers are told to use TLS on the domain's other hosts, and lists of browsers to know it, only when asked for.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "guardian.W001", "security.W005", "security.W021"]
if env.bool("PLAIN_HTTP", default=False):  # HSTS, redirection, secure cookies: all of them want TLS
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008", "security.W012", "security.W016"]
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["accounts.sign_in.Backend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.passwords.GuessablePasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.sign_in.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "accounts.sign_in.display_name"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_FORMS = {
    "change_password": "accounts.forms.ChangeOwnPasswordForm",
    "reset_password": "accounts.forms.ForgottenPasswordForm",
    "user_token": "accounts.forms.TokenForm",
}
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
# accounts.attempts limits these: allauth's limits also count successes, and lock people out.
ACCOUNT_RATE_LIMITS = {"reset_password_from_key": "60/m/ip"} | dict.fromkeys(
    ["change_password", "login", "login_failed", "reauthenticate", "reset_password"]
)
MFA_RATE_LIMITS = {"webauthn_login": None}
# How long after signing in, or confirming it, a person may do what only they may do.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
# Whether who works for the system or a VAR must have a second factor.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=not DEMO)
MFA_ADAPTER = "accounts.sign_in.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Addresses are those that administrators invited.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# A code is good for the half minute before and after its own: clocks differ, and typing takes time.
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "add_webauthn": "accounts.forms.PasskeyForm",
    "authenticate": "accounts.forms.CodeForm",
    "authenticate_webauthn": "accounts.forms.PasskeyCodeForm",
    "edit_webauthn": "accounts.forms.PasskeyNameForm",
    "login_webauthn": "accounts.forms.PasskeySignInForm",
    "reauthenticate": "accounts.forms.CodeAgainForm",
    "reauthenticate_webauthn": "accounts.forms.PasskeyAgainForm",
}
# Identity providers that people may sign in with (portal.single_sign_on): secrets are in it.
SINGLE_SIGN_ON = read_providers(env.str("SINGLE_SIGN_ON", default=""), is_trial=DEMO or DEBUG)
# How long a page waits for one of them, all its answers together.
SINGLE_SIGN_ON_SECONDS = env.float("SINGLE_SIGN_ON_SECONDS", default=5)
if not 1 <= SINGLE_SIGN_ON_SECONDS <= 15:
    raise ImproperlyConfigured("SINGLE_SIGN_ON_SECONDS is from 1 to 15: a thread of the web server waits that long.")
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)

# Working in somebody else's account (accounts.middleware).
ACCESS_MINUTES = env.int("ACCESS_MINUTES", default=60)
ACCESS_IDLE_MINUTES = env.int("ACCESS_IDLE_MINUTES", default=15)
ACCESS_REASON = env.str("ACCESS_REASON", default="optional")
if ACCESS_REASON not in ("optional", "required"):
    raise ImproperlyConfigured("ACCESS_REASON is optional or required.")
# Who counts what accounts hold (accounts.holdings).
ACCOUNT_HOLDINGS = "numbers.holdings.NumberHoldings"
# django-guardian keeps grants and nothing else: no anonymous person, nothing added to people.
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = GUARDIAN_MONKEY_PATCH_GROUP = False

SESSION_ENGINE = "accounts.sessions"
# Since the sign-in or its confirmation, and since the last request.
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", default=12) * 3600
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=120)
# For networks without TLS (portal.deployment).
PLAIN_HTTP = env.bool("PLAIN_HTTP", default=False)
SECURE_COOKIES = env.bool("SECURE_COOKIES", default=not (DEMO or PLAIN_HTTP))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
# No script reads the token: forms and htmx have it in the page.
CSRF_COOKIE_HTTPONLY = True
DEVICE_COOKIE_NAME = "__Host-device" if SECURE_COOKIES else "device"
if SECURE_COOKIES:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    MESSAGE_STORAGE = "portal.notices.NoticeStorage"
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=365 * 24 * 3600)
    # Only when asked for: they bind other hosts of the domain, and browsers for long.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=False)
    SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
    SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$", "^telephony/", "^calls/", "^carriers/"]
# The web server: its address, whether it is behind a proxy, and whether it may be reached without one.
HOST = env.str("HOST", default="127.0.0.1")
DIRECT = env.bool("DIRECT", default=False)
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


def portal_url() -> str:
    """The base of links in mail: PORTAL_URL, or the first host; empty in a demonstration on this computer."""
    told = env.str("PORTAL_URL", default="")
    if not told and DEMO and set(ALLOWED_HOSTS) <= LOOPBACK:
        return ""
    url = (told or f"{'https' if SECURE_COOKIES else 'http'}://{ALLOWED_HOSTS[0]}").rstrip("/")
    if not re.fullmatch(r"https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?", url, re.IGNORECASE):
        raise ImproperlyConfigured("PORTAL_URL is where people find the portal, such as https://numbers.example.")
    return url


PORTAL_URL = portal_url()
#: Where a demonstration is found that has no such setting.
DEMO_PORT = env.str("PORT", default="8000")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# In the form of Django 6.0's setting of the same name, so that its middleware can take over ours.
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Per process. More threads are not faster. Exports leave one thread for pages, however slowly clients read.
THREADS = env.int("THREADS", default=4)
EXPORTS_AT_ONCE = env.int("EXPORTS_AT_ONCE", default=max(1, THREADS - 1))
# How long a small body may take, and how long a client may read nothing of a response (portal.server).
BODY_SECONDS = env.float("BODY_SECONDS", default=10)
READER_SECONDS = env.float("READER_SECONDS", default=30)

# See numbers/carriers: secrets are in it.
CARRIERS = env.str("CARRIERS", default="")

# The WebPhone, see webphone/telephony and docs/telephony.md: how it reaches telephones.
TELEPHONY = env.str("TELEPHONY", default="demo" if DEMO else "none")
if TELEPHONY not in ("sip", "demo", "none"):
    raise ImproperlyConfigured("TELEPHONY is sip, demo or none.")
# Known to the portal, the SIP server and the call-back service; keys for each purpose are derived from it.
TELEPHONY_SECRET = env.str("TELEPHONY_SECRET", default="")
# Where browsers find the SIP server (wss://), what it is called in addresses, where the portal finds the call-back
# service and the SIP server's own commands (both on the loopback interface).
TELEPHONY_SIP_URL = env.str("TELEPHONY_SIP_URL", default="")
TELEPHONY_DOMAIN = env.str("TELEPHONY_DOMAIN", default="portal.invalid")
TELEPHONY_CALLBACK_URL = env.str("TELEPHONY_CALLBACK_URL", default="")
TELEPHONY_RPC_URL = env.str("TELEPHONY_RPC_URL", default="")
# Where browsers find a TURN server (turn:, turns:; by commas), for networks that let no UDP out.
TELEPHONY_TURN_URLS = env.list("TELEPHONY_TURN_URLS", default=[])
# Shown to whoever is called where people have no number of their own; empty: withheld.
TELEPHONY_CALLER_ID = env.str("TELEPHONY_CALLER_ID", default="")
# Countries that may be called (ISO 3166, two letters, by commas), or * for all. Telephone fraud calls far away.
CALL_COUNTRIES = env.str("CALL_COUNTRIES", default="*" if DEMO else "")
# The kinds of numbers that may be called (webphone.rules), and the operator's file of blocked and allowed prefixes and
# of prices, which is read again when it changes (webphone.call_rules).
CALL_KINDS = env.list("CALL_KINDS", default=["fixed", "mobile", "toll-free"])
CALL_RULES = env.str("CALL_RULES", default="")
# What a person and an account may call within 24 hours, in minutes and in money (0: no limit; prices: CALL_RULES).
CALL_MINUTES_A_DAY = (env.int("CALL_MINUTES_A_DAY", default=600), env.int("ACCOUNT_CALL_MINUTES_A_DAY", default=6000))
CALL_COST_A_DAY = (env.int("CALL_COST_A_DAY", default=20), env.int("ACCOUNT_CALL_COST_A_DAY", default=200))
# The country whose way of dialling is understood where a person has no number (ISO 3166, two letters).
CALL_HOME_COUNTRY = env.str("CALL_HOME_COUNTRY", default="US" if DEMO else "")
# The most calls in an hour and at once, by one person and in one account, and the longest of them.
CALLS_AN_HOUR = (env.int("CALLS_AN_HOUR", default=60), env.int("ACCOUNT_CALLS_AN_HOUR", default=600))
CALLS_AT_ONCE = (env.int("CALLS_AT_ONCE", default=2), env.int("ACCOUNT_CALLS_AT_ONCE", default=30))
CALL_MINUTES = env.int("CALL_MINUTES", default=240)
if TELEPHONY == "sip":
    needed = ("TELEPHONY_SECRET", "TELEPHONY_SIP_URL", "TELEPHONY_CALLBACK_URL", "TELEPHONY_RPC_URL", "CALL_COUNTRIES")
    if lacking := [name for name in needed if not globals()[name]]:
        raise ImproperlyConfigured(f"TELEPHONY=sip needs these settings too: {', '.join(lacking)}.")

EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10  # seconds; a mail server that does not answer is asked again later
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="portal@demo.example")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "static/"
# A release archive brings its static files collected; a checkout collects them when it is served.
IS_RELEASE = (BASE_DIR / "static" / "collected").exists()
STATIC_ROOT = BASE_DIR / "static" / "collected" if IS_RELEASE else BASE_DIR / "var" / "static"
STATICFILES_DIRS = [("portal", BASE_DIR / "static" / "dist")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "portal.static_files.Storage"},
}
FONTS = BASE_DIR / "static" / "dist" / "fonts"
ICONS = BASE_DIR / "static" / "dist" / "icons.json"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "portal.logs.JsonFormatter"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json"},
        "refused": {"class": "portal.security.RefusedByDjango"},
        "none": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "propagate": True},
        # Whatever LOG_LEVEL is.
        "portal.security": {"level": "INFO"},
        # portal.requests logs refused and missing pages, and portal.errors errors: Django's own messages contain the
        # path.
        "django.request": {"handlers": ["none"], "propagate": False},
        "django.security": {"handlers": ["refused"], "propagate": False},
        "procrastinate": {"level": "WARNING"},
        # Whatever LOG_LEVEL is: its messages contain requests to carriers.
        "urllib3": {"level": "WARNING"},
        # granian's own words on a program that failed; it has made its logger before it loads us.
        "_granian": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}

#: Exports of more rows are in the security log.
LARGE_EXPORT_ROWS = env.int("LARGE_EXPORT_ROWS", default=1_000)
#: How many days notices are kept, and the hour at which a daily summary is mailed, in the reader's time zone.
NOTICES_DAYS = env.int("NOTICES_DAYS", default=90)
NOTICES_HOUR = env.int("NOTICES_HOUR", default=7)
if not 0 <= NOTICES_HOUR <= 23 or NOTICES_DAYS < 1:
    raise ImproperlyConfigured("NOTICES_HOUR is an hour from 0 to 23, and NOTICES_DAYS is 1 or more.")
#: How many days calls are kept, by their own time; at least seven.
CALL_DAYS = env.int("CALL_DAYS", default=90)
#: How many days lines of finished imports and numbers of finished jobs are kept; 0: for ever.
WORK_DAYS = env.int("WORK_DAYS", default=180)
# As many rows as a list lets somebody tick (``portal.filters.MOST_SELECTED``), and the fields of its form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_100
#: The largest file of numbers that is taken.
IMPORT_BYTES = env.int("IMPORT_BYTES", default=100 * 1024 * 1024)
