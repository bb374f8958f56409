"""Who is let in at the SIP server and at the call-back service, and what a page must never hold."""

import base64
import json
import socket
import subprocess
import time

import pytest
import urllib3

from accounts.models import Person
from tests.browser.calls.conftest import CALLS_TOKEN, DOMAIN, PASSWORD, SECRET, call, says, until
from tests.browser.conftest import CHROMIUM, FLAGS, be_signed_in
from webphone.demo import write_demo_telephones
from webphone.models import Call
from webphone.telephony import credentials, dial_token, key_for, signature, sip_user

NUMBER = "+15145550123"
#: Register, and say with what that was answered: "registered", or the status that refused it.
REGISTER = """
({ url, domain, name, user, password }) => new Promise((resolve) => {
  globalThis.agent?.stop();
  const agent = (globalThis.agent = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(url)], uri: `sip:${name}@${domain}`, authorization_user: user, password,
    register_expires: 60,
  }));
  agent.on("registered", () => resolve("registered"));
  agent.on("registrationFailed", ({ response }) => resolve(response?.status_code ?? "no answer"));
  agent.on("disconnected", ({ error }) => error && resolve("not connected"));
  agent.start();
  setTimeout(resolve, 8000, "no answer");
})
"""
#: Call, and say with what that was answered: "ringing", or the status that refused it.
CALL = """
({ target, domain, headers }) => new Promise((resolve) => {
  const session = agent.call(`sip:${target}@${domain}`, { extraHeaders: headers, mediaConstraints: { audio: true } });
  session.on("progress", ({ response }) => { resolve("ringing"); session.terminate(); });
  session.on("failed", ({ message }) => resolve(message?.status_code ?? 0));
  setTimeout(resolve, 8000, "no answer");
})
"""


@pytest.fixture
def stranger(speaking_chromium, demo, real, live_server):
    """A page of the portal's own address with the SIP stack in it, and nobody signed in."""
    context = speaking_chromium.new_context(base_url=live_server.url, permissions=["microphone"], bypass_csp=True)
    page = context.new_page()
    page.goto("/healthz")
    page.add_script_tag(url="/static/portal/jssip.js")
    yield page
    context.close()
    real.forget()


@pytest.fixture
def uma(demo):
    return Person.objects.select_related("account").get(email="user@acme.example")


def in_a_minute():
    return int(time.time()) + 60


def test_only_who_has_a_fresh_credential_of_their_own_registers(stranger, uma, real):
    other = Person.objects.get(email="admin@acme.example")
    good = credentials(uma, in_a_minute())
    forged = base64.b64encode(signature(key_for("dial"), good["user"])).decode()
    assert stranger.evaluate(REGISTER, good) == "registered"
    for refused in (
        good | {"password": forged},
        good | {"password": ""},
        good | {"user": sip_user(uma), "password": "pw"},
        good | {"user": "C20001-301", "name": "C20001-301", "password": PASSWORD},  # a phone's lasting password
        good | {"user": good["user"].replace(":", "0:", 1)},  # good for longer
        good | {"name": sip_user(other)},
        credentials(uma, int(time.time()) - 5),
    ):
        assert stranger.evaluate(REGISTER, refused) in (401, 403), refused


def test_only_a_token_for_this_call_opens_the_way_out_and_once(stranger, uma, real):
    assert stranger.evaluate(REGISTER, credentials(uma, in_a_minute())) == "registered"

    def token(number=NUMBER, expires=None, user=None, caller_id=""):
        """As ``dial_token`` makes them, for whatever it would never make one for."""
        expires, ref, user = expires or in_a_minute(), Call.new_ref(uma.account), user or sip_user(uma)
        mac = signature(key_for("dial"), f"{expires}|{user}|{number}|{ref}|{caller_id}|600")
        return f"{expires}.{ref}.{caller_id}.600.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    def answer(target, *headers):
        return stranger.evaluate(CALL, {"target": target, "domain": DOMAIN, "headers": list(headers)})

    def dial(target, given):
        return answer(target, f"X-Dial-Token: {given}")

    placed = Call(account=uma.account, person=uma, ref=Call.new_ref(uma.account), number=NUMBER, most_seconds=600)
    good = dial_token(placed, in_a_minute())
    assert dial(NUMBER, good) == "ringing"
    assert dial(NUMBER, good) == 403  # a second time
    expiry, ref, _caller, _seconds, mac = token().split(".")
    for target, given in (
        (NUMBER, token("+15145550124")),
        (NUMBER, token(expires=int(time.time()) - 5)),
        (NUMBER, f"{expiry}.{ref}.15145550100.600.{mac}"),  # another caller id
        (NUMBER, f"{int(expiry) + 1000}.{ref}..600.{mac}"),
        (NUMBER, f"{expiry}.{ref}..6000.{mac}"),  # for longer
        (NUMBER, f"{expiry}.{ref}..600.{mac[:-1]}"),
        (NUMBER, f"{expiry}.{ref}..600."),
        (NUMBER, ""),
        (NUMBER.removeprefix("+"), token()),  # the same number in another form
        (f"00{NUMBER.removeprefix('+')}", token()),
        ("C20001-301", token()),
        (NUMBER, token(user=f"w{uma.pk + 1}")),
    ):
        assert dial(target, given) == 403, (target, given)
    assert answer(NUMBER) == 403
    # With a token for it, still no way out: numbers leave in one form alone.
    for target in (NUMBER.removeprefix("+"), "911", "+0145550123", "+15"):
        assert dial(target, token(target)) == 404, target
    assert [line.called for line in real.carrier.lines] == [NUMBER]


def test_nobody_sends_anything_anywhere_with_a_route_of_their_own(stranger, real):
    """A request that says it belongs to a call which the server does not know."""
    host, port = real.places.carrier
    message = "\r\n".join(
        [
            f"BYE sip:{NUMBER}@{host}:{port} SIP/2.0", "Via: SIP/2.0/WS x.invalid;branch=z9hG4bKx", "Max-Forwards: 70",
            f"Route: <sip:{host}:{real.places.sip};lr>", f"Route: <sip:{host}:{port};lr>",
            f"From: <sip:w1@{DOMAIN}>;tag=a",
            f"To: <sip:{NUMBER}@{DOMAIN}>;tag=b", "Call-ID: none", "CSeq: 1 BYE", "Content-Length: 0", "", "",
        ]
    )  # fmt: skip
    answer = stranger.evaluate(
        """([url, message]) => new Promise((resolve) => {
          const socket = new WebSocket(url, "sip");
          socket.onopen = () => socket.send(message);
          socket.onmessage = ({ data }) => resolve(data.split("\\r\\n")[0]);
          setTimeout(resolve, 5000, "no answer");
        })""",
        [f"ws://127.0.0.1:{real.places.web}", message],
    )
    assert answer.startswith("SIP/2.0 481"), answer


def test_a_page_of_another_site_gets_no_connection(real):
    places = real.places
    for origin in ("https://elsewhere.example", "null", ""):
        refused = handshake(places.web, origin)
        assert refused.startswith("HTTP/1.1 403"), (origin, refused)
    assert handshake(places.web, places.origin).startswith("HTTP/1.1 101")


def handshake(port, origin):
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(5)
        origin = f"Origin: {origin}\r\n" if origin else ""
        connection.sendall(
            f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{origin}\r\n".encode()
        )
        return connection.recv(200).decode()


def test_the_call_back_service_takes_nothing_that_does_not_belong_into_a_message(real, settings):
    url, ref = f"http://127.0.0.1:{real.places.service}/calls", "C20001-" + "a" * 32
    good = {"ref": ref, "you": "C20001-301", "other": "+15145550123", "caller_id": "", "minutes": 10}
    key = {"Authorization": f"Bearer {key_for('call-back')}"}
    for change in (
        {"other": "+15145550123\r\nX-Evil: 1"}, {"other": "+15145550123\n"}, {"you": "C20001-301\r\n"},
        {"other": "15145550123"}, {"other": "sip:x@elsewhere.example"}, {"caller_id": "+1\r\n"}, {"ref": "x"},
        {"other": ""}, {"other": "", "digits": 0}, {"minutes": 0}, {"minutes": "9"}, {"minutes": 10**9}, {"you": None},
        {"other": "+1514555012٣"}, {"ref": f"{ref}\n"},
    ):  # fmt: skip
        assert urllib3.request("POST", url, json=good | change, headers=key).status == 422, change
    for nonsense in (b"", b"x", b"[]", b"\xff", b"[" * 4000):
        assert urllib3.request("POST", url, body=nonsense, headers=key).status == 422
    for keys in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {key_for('events')}"}):
        for method in ("GET", "POST", "DELETE"):
            assert urllib3.request(method, url, json=good, headers=keys).status == 401
    assert json.loads(urllib3.request("GET", url, headers=key).data) == {"refs": []}
    assert real.telephone.lines == real.carrier.lines == []


def test_no_key_is_in_a_page_an_answer_a_log_or_the_list_of_processes(webphone, real, caplog):
    seen = []
    webphone.on("response", lambda response: seen.append(response.body().decode(errors="replace")))
    webphone.reload()
    until(lambda: webphone.locator("#line-state").inner_text() == "Ready", "the WebPhone registers")
    call(webphone, NUMBER)
    says(webphone, "Connected")
    processes = subprocess.run(["/bin/ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    keys = [
        SECRET, CALLS_TOKEN, *map(key_for, ("register", "dial", "events", "call-back", "service")),
        PASSWORD,
    ]  # fmt: skip
    logs = {log.name: log.read_text(errors="replace") for log in real.folder.glob("*.log")}
    assert set(logs) == {f"{name}.log" for name in real.commands}
    text = "\n".join([*seen, webphone.content(), *logs.values(), caplog.text])
    assert "X-Dial-Token" in text  # the scripts were read
    for key in keys:
        if len(key) > 4:
            assert key not in text
            assert key not in processes


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--use-fake-device-for-media-stream"], "The browser does not let this page use the microphone."),
        ([], "No microphone was found."),
    ],
)
def test_without_a_microphone_the_page_says_why_and_what_to_do(playwright, demo, real, live_server, flags, sentence):
    write_demo_telephones()
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
    page = browser.new_context(base_url=live_server.url).new_page()
    be_signed_in(page, "user@acme.example")
    page.goto("/C20001/webphone/")
    until(lambda: page.locator("#line-state").inner_text() == "Ready", "the WebPhone registers")
    call(page, NUMBER)
    problem = page.locator("#number-problem")
    until(lambda: sentence in problem.inner_text(), f"“{sentence}”, and not “{problem.inner_text()}”")
    assert "Talk with" in problem.inner_text()
    assert not Call.unscoped.exists()
    browser.close()


def test_without_the_server_call_back_is_offered_and_nothing_hangs(webphone, settings):
    settings.TELEPHONY_CALLBACK_URL = settings.TELEPHONY_RPC_URL = "http://127.0.0.1:9"
    call(webphone, NUMBER, "Extension 301")
    says(webphone, "The call could not be made.")
    assert Call.unscoped.get().outcome == "failed"
