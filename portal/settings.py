"""Every setting, read from the environment.

``DEMO=1`` (set by ``manage.py`` when it works on the embedded database) fills in what a demonstration on this computer
needs. Without it the portal is in production and refuses to start until each setting in ``REQUIRED`` is there.
"""

import secrets
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

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
    "portal",
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
    "guardian",
    "allauth.mfa",
    "allauth.usersessions",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.BrowserRules",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.Observe",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.ActorMiddleware",
    "accounts.second_factor.SecondFactor",
    "accounts.last_seen.LastSeen",
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
PORTAL_SIGN_IN = env.db("DATABASE_URL", default="postgresql://127.0.0.1/portal")
OWNER_SIGN_IN = PORTAL_SIGN_IN if DEMO else None
if env.str("MIGRATION_DATABASE_URL", default=""):
    OWNER_SIGN_IN = env.db("MIGRATION_DATABASE_URL")
# Compiling a list's statement takes longer than running it.
OPTIONS = {"options": "-c jit=off", "connect_timeout": 5, "prepare_threshold": 2}
DATABASES = {"default": {**PORTAL_SIGN_IN}}
DATABASES["default"] |= {
    "ENGINE": "portal.database",
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=600),
    "CONN_HEALTH_CHECKS": True,
    # What the address asks for, such as sslmode, and ours.
    "OPTIONS": PORTAL_SIGN_IN.get("OPTIONS", {}) | OPTIONS,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    # Shared by all processes. Limits on guessing live here, so no entry makes room for another.
    "default": {"BACKEND": "portal.cache.LastingCache", "LOCATION": "portal_cache"},
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}},
}

# Addresses are unique whatever their case, by a constraint that this check cannot see.
# guardian's backend is not wanted: grants are asked for in accounts.rules, and nowhere else.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "guardian.W001"]
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
ACCOUNT_FORMS = {"reset_password": "accounts.forms.ForgottenPasswordForm"}
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"change_password": "5/m/user,20/h/user", "reauthenticate": "5/m/user,20/h/user"}
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
    "edit_webauthn": "accounts.forms.PasskeyNameForm",
    "reauthenticate": "accounts.forms.CodeAgainForm",
}
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
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", default=12) * 3600
SECURE_COOKIES = env.bool("SECURE_COOKIES", default=not DEMO)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
if SECURE_COOKIES:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    MESSAGE_STORAGE = "portal.notices.NoticeStorage"
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$"]
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
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
# Of each process; fewer than its threads.
EXPORTS_AT_ONCE = env.int("EXPORTS_AT_ONCE", default=1)

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
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [("portal", BASE_DIR / "static" / "dist")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FONTS = BASE_DIR / "static" / "dist" / "fonts"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "portal.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "propagate": True},
        # Refused and missing pages are told by portal.requests, once.
        "django.request": {"handlers": [], "level": "ERROR"},
        "procrastinate": {"level": "WARNING"},
        # granian's own words on a program that failed; it has made its logger before it loads us.
        "_granian": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}

#: The largest file of numbers that is taken.
IMPORT_BYTES = env.int("IMPORT_BYTES", default=100 * 1024 * 1024)
