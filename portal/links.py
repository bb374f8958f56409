"""The base of links in mail: the setting, not the host of a request, which can be forged."""

from django.conf import settings


def base_url(request) -> str:
    """The portal's address, such as ``https://numbers.example``.

    Only a demonstration on one computer has no setting and uses the host of the request, at any port; hosts other than
    those of the loopback interface are refused then.
    """
    return settings.PORTAL_URL or f"{request.scheme}://{request.get_host()}"


def mailed_base() -> str:
    """The same for mail that the worker makes by itself, where nobody asks: without the setting, a demonstration's."""
    return settings.PORTAL_URL or f"http://127.0.0.1:{settings.DEMO_PORT}"
