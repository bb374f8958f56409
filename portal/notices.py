"""What is said on the next page, kept until then in a cookie that no other host can set."""

from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookieStorage(CookieStorage):
    """Browsers take a cookie of this name from this host alone, over TLS (RFC 6265bis, 4.1.3.2)."""

    cookie_name = "__Host-messages"


class NoticeStorage(FallbackStorage):
    """In such a cookie; in the session what does not fit."""

    storage_classes = (HostCookieStorage, SessionStorage)
