"""SIP for Python programs, on sippy: all that is known here of that library is in this module."""

from __future__ import annotations

import os
import warnings
from _thread import get_ident
from collections.abc import Callable
from typing import Any

# Before the library is loaded: it prints every message otherwise.
os.environ.setdefault("SIPLOG_BEND", "none")

from sippy.CCEvents import (
    CCEventConnect,
    CCEventDisconnect,
    CCEventFail,
    CCEventRing,
    CCEventTry,
    CCEventUpdate,
)
from sippy.Core.EventDispatcher import ED2
from sippy.MsgBody import MsgBody
from sippy.SipCallId import SipCallId
from sippy.SipConf import SipConf
from sippy.SipLogger import SipLogger
from sippy.SipRegistrationAgent import SipRegistrationAgent
from sippy.SipTransactionManager import SipTransactionManager
from sippy.SipURL import SipURL
from sippy.UA import UA

__all__ = [
    "CCEventConnect", "CCEventDisconnect", "CCEventFail", "CCEventRing", "CCEventTry", "CCEventUpdate", "Stack",
    "body", "code_of", "sound_of",
]  # fmt: skip


def body(description: str) -> MsgBody:
    """A session description as it goes with an event."""
    return MsgBody(description)


def sound_of(event: Any) -> str:
    """The session description that came with an event; empty where there was none."""
    data = event.getData()
    found = data[3] if isinstance(event, CCEventTry) else data[2] if isinstance(data, tuple) else data
    return "" if found is None else str(found)


def code_of(event: Any) -> int:
    """The SIP status that an event came with."""
    data = event.getData()
    return data[0] if isinstance(data, tuple) and isinstance(data[0], int) else 0


class Try(CCEventTry):
    """An INVITE with our names in it: without this, sippy writes the address of the proxy."""

    def __init__(self, *data: Any, domain: str, address: tuple[str, int]):
        super().__init__(tuple(data))
        self.domain, self.address = domain, address

    def onUacSetupComplete(self, uac) -> None:  # noqa: N802 - the library's name
        for url in (uac.rTarget, uac.rUri.getUrl(), uac.lUri.getUrl()):
            url.host, url.port = self.domain, None
        uac.rTarget.transport = None
        contact = uac.lContact.getUrl()
        contact.host, contact.port = self.address


class Registration(SipRegistrationAgent):
    """Comes again when half of its time is over (RFC 3261, 10.2.4). The library comes when it is already forgotten: who
    is called just then is not there."""

    def gotreply(self, response) -> None:
        if 200 <= response.scode < 300 and response.countHFs("contact"):
            granted = response.getHFBody("contact").address.params
            granted["expires"] = str(int(granted.get("expires") or self.exp) // 2)
        super().gotreply(response)


class Stack:
    """One SIP element at ``host``: ``port``, which sends all through ``proxy``.

    ``on_call`` is given the UA of each call that comes in, and what is called with its events.
    """

    def __init__(
        self,
        host: str,
        port: int,
        proxy: tuple[str, int],
        domain: str,
        on_call: Callable[[Any], Callable[[Any, Any], None]] | None = None,
    ):
        self.address, self.proxy, self.domain, self.on_call = (host, port), proxy, domain, on_call
        SipConf.my_uaname = "Portal"
        self.config: dict[str, Any] = {
            "_sip_address": host, "_sip_port": port, "_sip_logger": SipLogger("portal"), "nh_addr": proxy,
        }  # fmt: skip
        with warnings.catch_warnings():  # it opens a socket to see whether there is IPv6, and does not close it
            warnings.simplefilter("ignore", ResourceWarning)
            self.config["_sip_tm"] = SipTransactionManager(self.config, self._request)

    def _request(self, request, transaction):
        if request.getHFBody("to").getTag() is not None:
            return request.genResponse(481, "Call/Transaction Does Not Exist"), None, None
        if request.getMethod() == "INVITE" and self.on_call:
            agent = UA(self.config)
            asserted = request.getHFs("p-asserted-identity")
            agent.asserted = str(asserted[0].body) if asserted else ""
            agent.event_cb = self.on_call(agent)
            return agent.recvRequest(request, transaction)
        if request.getMethod() in ("OPTIONS", "NOTIFY"):
            return request.genResponse(200, "OK"), None, None
        return request.genResponse(501, "Not Implemented"), None, None

    def invite(
        self,
        called: str,
        caller: str,
        description: str,
        on_event: Callable[[Any, Any], None],
        *,
        name: str | None = None,
        login: tuple[str, str] | None = None,
        ring_seconds: int = 60,
        most_seconds: int | None = None,
    ) -> UA:
        """Call ``called``; ``on_event`` hears how that goes."""
        user, password = login or (None, None)
        agent = UA(
            self.config, on_event, user, password, self.proxy, most_seconds, expire_time=ring_seconds
        )  # fmt: skip
        agent.recvEvent(
            Try(SipCallId(), caller, called, body(description), None, name, domain=self.domain, address=self.address)
        )
        return agent

    def register(self, user: str, password: str, seconds: int = 60) -> Registration:
        """Be reachable as ``user`` from now on."""
        aor = SipURL(username=user, host=self.domain, port=None)
        contact = SipURL(username=user, host=self.address[0], port=self.address[1])
        agent = Registration(
            self.config, aor, contact, user=user, passw=password, exp=seconds, target=(self.proxy, SipConf.my_transport)
        )
        agent.doregister()
        return agent

    @staticmethod
    def soon(act: Callable[..., None], *arguments: Any) -> None:
        """Do something in the thread of the loop: the library is not to be called from any other."""
        ED2.callFromThread(act, *arguments)

    @staticmethod
    def loop() -> None:
        """Do the work, in this thread, for ever."""
        ED2.my_ident = get_ident()  # the library takes the thread that it was loaded in for this one
        ED2.loop()
