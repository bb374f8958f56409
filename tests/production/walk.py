"""What people do first in a new portal, through nginx: sign in with a second factor, add a VAR, a customer and numbers,
and a call arrives. ``python -m tests.production.walk LINK CERTIFICATE`` in the network of the machine."""

import http.client
import json
import re
import socketserver
import ssl
import sys
import threading
import time
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from tests.accounts.totp import code_for

PASSWORD = "a-long-password-1"
MAIL_PORT = 25
WAIT_SECONDS = 60


class Mail(socketserver.StreamRequestHandler):
    """A mail server that keeps what it is sent (RFC 5321, as far as the portal speaks it)."""

    received: list[str] = []

    def handle(self):
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            if verb == "DATA":
                self.say("354 go on")
                lines = []
                while (text := self.rfile.readline().decode(errors="replace").rstrip("\r\n")) != ".":
                    lines.append(text)
                self.received.append("\n".join(lines).replace("=\n", "").replace("=3D", "="))
            if verb == "QUIT":
                return self.say("221 bye")
            self.say("250 fine")
        return None

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


def mailed(pattern: str) -> str:
    """The first match in mail that arrives, which is then forgotten."""
    for _ in range(WAIT_SECONDS * 5):
        for text in Mail.received:
            if found := re.search(pattern, text):
                Mail.received.remove(text)
                return found[0]
        time.sleep(0.2)
    raise AssertionError(f"no mail with {pattern}: {Mail.received}")


class Browser:
    """A browser before nginx, which believes one certificate."""

    def __init__(self, host: str, certificate: str):
        self.host, self.cookies, self.secret = host, SimpleCookie(), ""
        self.trust = ssl.create_default_context(cafile=certificate)

    def ask(self, method: str, path: str, body=None, **headers):
        """One request; status, headers and text of the answer."""
        server = http.client.HTTPSConnection("127.0.0.1", 443, context=self.trust, timeout=60)
        server.host = self.host  # the name in the request and in the certificate
        server._create_connection = lambda _address, *rest: original(("127.0.0.1", 443), *rest)
        cookies = "; ".join(f"{morsel.key}={morsel.value}" for morsel in self.cookies.values())
        own = {"Host": self.host, "Referer": f"https://{self.host}/", "Cookie": cookies}
        server.request(method, path, body, own | headers)
        answer = server.getresponse()
        text = answer.read().decode(errors="replace")
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies.load(line.partition(";")[0])
        server.close()
        return answer.status, answer.headers, text

    def get(self, path: str, status: int = 200) -> str:
        """A page, after redirects."""
        got, headers, text = self.ask("GET", path)
        while got in (301, 302):
            target = urlsplit(headers["Location"])
            path = target.path + (f"?{target.query}" if target.query else "")
            got, headers, text = self.ask("GET", path)
        assert got == status, (path, got, problems(text))
        self.path = path
        return text

    def post(self, path: str, answer: int = 302, **fields) -> str:
        """Send a form; where it leads, or the page that it answers with."""
        fields["csrfmiddlewaretoken"] = self.cookies["__Host-csrf"].value
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        got, headers, text = self.ask("POST", path, urlencode(fields), **kind)
        assert got == answer, (path, got, problems(text))
        return headers["Location"] if answer == 302 else text

    def send_file(self, path: str, content: str, **fields) -> str:
        """Send a form with a file; where it leads."""
        fields["csrfmiddlewaretoken"] = self.cookies["__Host-csrf"].value
        parts = [f'--XX\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
        head = '--XX\r\nContent-Disposition: form-data; name="file"; filename="numbers.csv"\r\n\r\n'
        body = "".join(parts) + f"{head}{content}\r\n--XX--\r\n"
        got, headers, text = self.ask("POST", path, body, **{"Content-Type": "multipart/form-data; boundary=XX"})
        assert got == 302, (path, got, problems(text))
        return headers["Location"]

    def join(self, link: str, email: str) -> None:
        """Open a link, choose a password, sign in and set up an authenticator app."""
        self.get(urlsplit(link).path)
        self.post(self.path, password1=PASSWORD, password2=PASSWORD)
        self.sign_in(email)
        page = self.get("/security/app/")
        if 'id="secret"' not in page:  # the password came by another browser: this one is confirmed by mail
            self.post("/login/link/")
            target = urlsplit(mailed(r"https://\S+/login/link/\?\S+"))
            self.get(f"{target.path}?{target.query}")
            self.post(f"{target.path}?{target.query}")
            page = self.get("/security/app/")
        self.secret = re.search(r'id="secret">(\w+)<', page)[1]
        self.post("/security/app/", code=code_for(self.secret))

    def sign_in(self, email: str) -> None:
        self.get("/login/")
        where = self.post("/login/", login=email, password=PASSWORD)
        if self.secret:
            assert where.startswith("/login/code/"), where
            self.post("/login/code/", code=code_for(self.secret, steps=1))


def problems(page: str) -> list[str]:
    """What a page says is wrong; its heading where it says nothing."""
    return re.findall(r'<(?:ul|div|p)[^>]*class="[^"]*(?:problem|alert)[^"]*".*?</(?:ul|div|p)>', page, re.DOTALL) or (
        re.findall(r"<h1>.*?</h1>", page, re.DOTALL)
    )


def wait_for(what, seconds: int = WAIT_SECONDS):
    """What a function gives as soon as it gives something."""
    for _ in range(seconds * 4):
        if found := what():
            return found
        time.sleep(0.25)
    raise AssertionError("it never came")


original = http.client.HTTPSConnection("127.0.0.1")._create_connection


def walk(link: str, certificate: str) -> None:
    """Everything in order, with the seconds that each step took."""
    began = time.monotonic()

    def done(what: str) -> None:
        print(f"    {time.monotonic() - began:5.1f} s  {what}", flush=True)  # noqa: T201

    host = urlsplit(link).hostname
    boss = Browser(host, certificate)
    boss.join(link, "admin@example.com")
    assert "/SYS/" in boss.get("/SYS/")
    done("the first administrator has signed in, with a second factor")

    boss.get("/SYS/accounts/add/?kind=var")
    account = {"status": "production", "cooling_days": 0, "key": uuid4()}
    invited = {"administrator_name": "Val Var", "administrator_email": "val@alpha.example"}
    boss.post("/SYS/accounts/add/?kind=var", name="Alpha Telecom", **account, **invited)
    var = Browser(host, certificate)
    var.join(mailed(r"https://\S+/password/reset/key/\S+"), "val@alpha.example")
    home = re.search(r"^/(V\d+)/", (var.get("/"), var.path)[1])[1]
    done(f"the first VAR, {home}, has signed in by the link in the mail")

    var.get(f"/{home}/accounts/add/?kind=company")
    var.post(f"/{home}/accounts/add/?kind=company", name="Acme Corp", **account | {"key": uuid4()})
    done("the first customer")

    var.get(f"/{home}/numbers/import/")
    lines = "Number,Provider,Company\n" + "".join(
        f"+1514555{number:04},Northline,{'Acme Corp' if number % 2 else ''}\n" for number in range(100, 200)
    )
    page = var.send_file(f"/{home}/numbers/import/", lines, key=uuid4(), empty="merge")
    wait_for(lambda: "Refused (0)" in var.get(page) and 'name="mode"' in var.get(page))
    var.post(page, mode="some")
    wait_for(lambda: var.get(f"/{home}/numbers/export.csv").count("+1514555") == 100)
    done("the first import of 100 numbers is applied by the worker")

    var.get(f"/{home}/phone-systems/add/")
    text = var.post(f"/{home}/phone-systems/add/", answer=201, name="Asterisk")
    token = re.search(r"<code[^>]*>([\w-]{20,})</code>", text)[1]
    call = {"id": "1", "number": "+15145550101", "time": int(time.time()) + 1}  # not before the import
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    status, _headers, text = var.ask("POST", "/calls/", json.dumps(call), **headers)
    assert (status, json.loads(text)["recorded"]) == (200, 1), text
    (line,) = [line for line in var.get(f"/{home}/numbers/export.csv").splitlines() if "+15145550101" in line]
    assert "Active" in line, line
    done("the first call event: the number is active")


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", MAIL_PORT), Mail) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        walk(*sys.argv[1:])
