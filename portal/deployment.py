"""Settings with which ``serve`` refuses to start, because they open the portal to strangers.

Registered with Django's own checks for deployment: ``manage.py check --deploy`` says the same.
"""

from collections.abc import Iterator
from ipaddress import ip_address

from django.conf import settings
from django.core.checks import WARNING, Error, Tags, register, run_checks

#: What Django requires of SECRET_KEY: its length, and how many different characters.
LONG, DIFFERENT = 50, 5
#: The length of 16 random bytes in hexadecimal.
SHORT = 32
YEAR = 365 * 24 * 3600


def is_weak(secret: str, length: int) -> bool:
    """Whether ``secret`` is too short or too uniform."""
    return len(secret) < length or len(set(secret)) < DIFFERENT


def weaknesses() -> Iterator[str]:
    """One sentence for each unsafe setting, which says what to set."""
    random = "python3 -c 'import secrets; print(secrets.token_urlsafe(50))' makes one."
    if settings.DEMO:
        yield "DEMO=1 is a demonstration: unset it, or run manage.py demo."
    if settings.DEBUG:
        yield "DEBUG=1 shows settings and code to strangers: unset it."
    if is_weak(settings.SECRET_KEY, LONG):
        yield f"SECRET_KEY can be guessed: set {LONG} or more random characters. {random}"
    if any(is_weak(key, LONG) for key in settings.SECRET_KEY_FALLBACKS):
        yield f"SECRET_KEY_FALLBACKS has a key that can be guessed: leave it out, or one of {LONG} characters."
    if any(host in ("*", ".") for host in settings.ALLOWED_HOSTS):
        yield "ALLOWED_HOSTS=* answers under any name: set the names that people use."
    if any("*" in origin.partition("://")[2].split(".")[-2:] for origin in settings.CSRF_TRUSTED_ORIGINS):
        yield "CSRF_TRUSTED_ORIGINS trusts names of others: set the portal's own origins."
    if settings.TELEPHONY == "sip" and is_weak(settings.TELEPHONY_SECRET, SHORT):
        yield f"TELEPHONY_SECRET can be guessed: set {SHORT} or more random characters. {random}"
    if settings.METRICS_TOKEN and is_weak(settings.METRICS_TOKEN, SHORT):
        yield f"METRICS_TOKEN can be guessed: set {SHORT} or more random characters. {random}"
    if settings.PLAIN_HTTP and settings.BEHIND_PROXY:
        yield "PLAIN_HTTP=1 and BEHIND_PROXY=1 exclude each other: unset PLAIN_HTTP where the proxy has TLS."
    if not settings.SECURE_COOKIES and not settings.PLAIN_HTTP:
        yield (
            "SECURE_COOKIES=0 lets sign-ins be read on the way: unset it, or set PLAIN_HTTP=1 where people are to reach"
            " the portal without TLS."
        )
    elif not settings.PLAIN_HTTP and not settings.SECURE_SSL_REDIRECT:
        yield "SSL_REDIRECT=0 lets people work without TLS: unset it, or set PLAIN_HTTP=1 where they are to."
    if settings.SECURE_HSTS_PRELOAD and not (
        settings.SECURE_HSTS_INCLUDE_SUBDOMAINS and settings.SECURE_HSTS_SECONDS >= YEAR
    ):
        yield (
            "HSTS_PRELOAD=1 is taken by browsers only with HSTS_SUBDOMAINS=1 and a year of HSTS_SECONDS: set these, or"
            " unset it."
        )
    if settings.BEHIND_PROXY and not settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        yield (
            "BEHIND_PROXY=1 with TRUSTED_PROXIES=0 counts all people as one client, whose wrong passwords"
            " lock out everybody: set TRUSTED_PROXIES to how many proxies there are, usually 1."
        )
    if settings.ALLAUTH_TRUSTED_PROXY_COUNT and not settings.BEHIND_PROXY:
        yield "TRUSTED_PROXIES accepts addresses that anybody can forge: set BEHIND_PROXY=1 too, or unset it."
    try:
        is_open = not ip_address(settings.HOST).is_loopback
    except ValueError:
        yield f"HOST={settings.HOST} is not an address: set 127.0.0.1, or the address to listen on."
    else:
        if is_open and not settings.DIRECT:
            yield (
                f"HOST={settings.HOST} lets people bypass the proxy: unset it, or set DIRECT=1 where there is none, or"
                " where the proxy alone reaches this address."
            )


@register(Tags.security, deploy=True)
def settings_are_strong(app_configs, **kwargs) -> list[Error]:
    return [Error(sentence, id="portal.E001") for sentence in weaknesses()]


def refusals() -> list[str]:
    """Why the portal must not be served with these settings.

    Messages of Django's own checks follow only when ours find nothing, because most of them repeat ours.
    """
    found = run_checks(tags=[Tags.security], include_deployment_checks=True)
    return list(weaknesses()) or [one.msg for one in found if one.level >= WARNING and not one.is_silenced()]
