"""Real telephones: a SIP server (Kamailio), and the service that rings two of them for one call."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import urllib3
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from webphone.models import Call
from webphone.telephony import REGISTERED, News, Unreachable, key_for, sip_name, sip_user

if TYPE_CHECKING:
    from accounts.models import Person

#: What Kamailio calls the states of a dialog: neither answered nor refused; answered and confirmed; over.
RINGS, TALKS, OVER = {1, 2}, 4, 5
#: So often the server is asked to end a call, and so many seconds apart.
TURNS, PAUSE = 20, 0.05
#: Both are on this computer, or next to it.
TIMEOUT = urllib3.Timeout(connect=1.0, read=3.0)


def asked(method: str, url: str, body: dict | None = None, headers: dict | None = None) -> tuple[int, dict]:
    """Status and JSON of an answer. Raises ``Unreachable``."""
    try:
        with urllib3.PoolManager(retries=False, timeout=TIMEOUT) as connections:
            answer = connections.request(method, url, json=body, headers=headers)
            return answer.status, json.loads(answer.data or b"{}")
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise Unreachable(_("The telephone server does not answer. Try again in a minute.")) from error


class SipTelephony:
    """Calls through the SIP server. What happens to them it tells by itself (``webphone.views.machines``)."""

    speaks_sip = True

    def service(self, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
        headers = {"Authorization": f"Bearer {key_for('call-back')}"}
        return asked(method, f"{settings.TELEPHONY_CALLBACK_URL.rstrip('/')}{path}", body, headers)

    def ring(self, call: Call, code: str) -> None:
        account = call.account.code
        asks = {
            "ref": call.ref,
            "you": sip_name(account, call.own_number),
            "minutes": max(call.most_seconds // 60, 1),
        }
        if code:
            asks |= {"digits": len(code), "caller_id": settings.TELEPHONY_CALLER_ID}
        else:
            asks |= {"other": sip_name(account, call.number), "caller_id": call.caller_id}
        status, answer = self.service("POST", "/calls", asks)
        if status != 201:
            raise Unreachable(answer.get("error") or _("The telephone server refused the call."))

    def hang_up(self, call: Call) -> list[News]:
        if call.mode in (Call.Mode.CALL_BACK, Call.Mode.CODE):
            status, _answer = self.service("DELETE", f"/calls/{call.ref}")
            # It may know nothing of it: then nobody is going to tell of its end.
            return [News("ended", timezone.now(), cancelled=True)] if status == 404 else []
        return self.end_dialog(call.ref)

    def end_dialog(self, ref: str) -> list[News]:
        """End a call of a browser's at the server; what is known of it once it is gone.

        The server hangs up those that talk, and only those: one that rings is cancelled, and one that has just been
        answered talks a moment later. It does not always tell of an end that it was asked for.
        """
        # First the token: it could still be used otherwise, and nobody would know of the call.
        self.command("htable.seti", ["usedrefs", ref, 1])
        talked: list[News] = []
        for _turn in range(TURNS):
            dialog = next((one for one in self.dialogs() if {"ref": ref} in one.get("variables", [])), None)
            if dialog is None:
                return [*talked, News("ended", timezone.now(), cancelled=True)]
            if dialog["state"] == TALKS and not talked:
                talked = [News("talking", datetime.fromtimestamp(dialog["start_ts"], UTC))]
                self.end(dialog)
            elif dialog["state"] in RINGS:
                self.end(dialog)
            time.sleep(PAUSE)
        return []

    def end(self, dialog: dict) -> None:
        """Hang up or cancel a call as the server lists it."""
        if dialog["state"] in RINGS:
            self.command("tm.cancel", [dialog["call-id"], dialog["caller"]["cseq"]])
        else:
            names = (dialog["call-id"], dialog["caller"]["tag"], dialog["callee"]["tag"])
            asked("POST", self.server("/hang-up/" + "/".join(name.encode().hex() for name in names)))

    def sign_out(self, people: Collection[Person]) -> None:
        """See ``Telephony``. The server refuses all credentials that exist by now, copies of them too."""
        names = {sip_user(person) for person in people}
        for name in names:
            self.command("htable.seti", ["revoked", name, int(time.time()) + REGISTERED])
            self.command("ul.rm", ["location", f"{name}@{settings.TELEPHONY_DOMAIN}"])
        for dialog in self.dialogs() if names else ():
            variables = {key: value for one in dialog.get("variables", []) for key, value in one.items()}
            if names & {variables.get("caller"), variables.get("callee")}:
                self.end(dialog)

    def command(self, method: str, params: list | None = None) -> dict:
        body = {"jsonrpc": "2.0", "id": 1, "method": method} | ({"params": params} if params else {})
        return asked("POST", self.server("/RPC"), body)[1]

    @staticmethod
    def server(path: str) -> str:
        if not settings.TELEPHONY_RPC_URL:
            raise Unreachable(_("The telephone server is not set up."))
        return settings.TELEPHONY_RPC_URL.rstrip("/") + path

    def dialogs(self) -> list[dict]:
        """The calls that stand or ring at the server. Those that have ended are listed for some seconds yet."""
        return [one for one in self.command("dlg.list").get("result") or [] if one.get("state") != OVER]

    def news(self, call: Call, now: datetime) -> list[News]:
        return []

    def live(self) -> set[str] | None:
        try:
            answer = self.service("GET", "/calls")[1]
            dialogs = self.dialogs()
        except Unreachable:
            return None
        refs = {variables["ref"] for one in dialogs for variables in one.get("variables", []) if "ref" in variables}
        return refs | set(answer.get("refs", []))
