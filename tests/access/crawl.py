"""A browser without a window: the links and forms of pages, and every page that can be reached from one."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit
from zipfile import ZipFile

from pypdf import PdfReader

from tests.access.database import undone
from tests.access.world import Seat

#: Addresses that end the walk.
NOT_FOLLOWED = ("/logout/", "/static/")


@dataclass
class Form:
    """A form as a browser would send it."""

    method: str
    action: str
    #: name -> its values as they stand there
    fields: dict[str, list[str]] = field(default_factory=dict)
    #: name -> what can be chosen
    offered: dict[str, list[str]] = field(default_factory=dict)
    #: Each of its buttons: where it sends to, and what it adds.
    buttons: list[tuple[str, dict[str, str]]] = field(default_factory=list)


class Page(HTMLParser):
    """What a page links to and what can be sent from it."""

    def __init__(self, url: str, text: str):
        super().__init__()
        self.url, self.links, self.forms = url, [], []
        self._named: dict[str, Form] = {}
        self._later: list[tuple[str, str, dict]] = []
        self._form: Form | None = None
        self._select = self._textarea = ""
        self._select_form: Form | None = None
        self._typed = ""
        self.feed(text)
        for owner, tag, attributes in self._later:
            if owner in self._named:
                self._control(self._named[owner], tag, attributes)

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a" and attributes.get("href"):
            self.links.append(urljoin(self.url, attributes["href"]))
        elif tag == "form" and attributes.get("method") != "dialog":
            action = urljoin(self.url, attributes.get("action") or self.url)
            self._form = Form(attributes.get("method", "get").lower(), action)
            self.forms.append(self._form)
            if "id" in attributes:
                self._named[attributes["id"]] = self._form
        elif tag in ("input", "button", "select", "textarea"):
            owner = attributes.get("form")
            if owner is not None and owner not in self._named:
                self._later.append((owner, tag, attributes))
                return
            form = self._named[owner] if owner else self._form
            if form is not None:
                self._control(form, tag, attributes)
        elif tag == "option" and self._select_form is not None:
            self._select_form.offered[self._select].append(attributes.get("value", ""))
            if "selected" in attributes:
                self._select_form.fields[self._select] = [attributes.get("value", "")]

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "select":
            if self._select_form and not self._select_form.fields[self._select]:
                self._select_form.fields[self._select] = self._select_form.offered[self._select][:1]
            self._select_form = None
        elif tag == "textarea" and self._textarea and self._form:
            self._form.fields[self._textarea] = [self._typed.removeprefix("\n")]
            self._textarea = ""

    def handle_data(self, data):
        if self._textarea:
            self._typed += data

    def _control(self, form: Form, tag: str, attributes: dict) -> None:
        name, kind, value = attributes.get("name", ""), attributes.get("type", "text"), attributes.get("value", "")
        if tag == "button":
            if kind != "button" and "disabled" not in attributes:
                target = urljoin(self.url, attributes["formaction"]) if "formaction" in attributes else form.action
                form.buttons.append((target, {name: value} if name else {}))
        elif not name or "disabled" in attributes:
            return
        elif tag == "select":
            self._select, self._select_form = name, form
            form.fields[name], form.offered[name] = [], []
        elif tag == "textarea":
            self._textarea, self._typed = name, ""
            form.fields.setdefault(name, [""])
        elif kind in ("checkbox", "radio"):
            form.offered.setdefault(name, []).append(value or "on")
            if "checked" in attributes:
                form.fields.setdefault(name, []).append(value or "on")
        else:
            form.fields.setdefault(name, []).append(value)


@dataclass(frozen=True)
class Sent:
    """A request, as it could be sent again with something else in it."""

    method: str
    url: str
    fields: tuple[tuple[str, str], ...] = ()

    def by(self, client):
        """The answer to it, read to its end."""
        if self.method == "get":
            answer = client.get(self.url)
        else:
            answer = client.post(self.url, urlencode(self.fields), content_type="application/x-www-form-urlencoded")
        answer.body = answer.getvalue()
        return answer

    def __str__(self):
        return f"{self.method.upper()} {self.url} {dict(self.fields) or ''}"


#: Of what can be done with a row, and of its files, so many rows have theirs opened, of each kind: rows are many, and
#: their own pages are all opened.
OPENED = 4
BELOW_A_ROW = re.compile(r"(?<=.)/[0-9]+/[a-z]")
#: Which rows of a list are shown, and in which order: the list without these has them all.
SHOWN = {"sort", "size", "filter"}


def shape(url: str) -> tuple:
    """What makes two addresses the same page for a walk: lists are many pages in any order and length."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return parts.path, tuple(sorted(query.keys() - SHOWN)), tuple(query.get("kind", []))


def text_of(answer) -> str:
    """What a person can read in an answer."""
    kind = answer.headers.get("Content-Type", "")
    if kind.startswith("application/pdf"):
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.body)).pages)
    if kind.startswith("application/vnd.openxmlformats"):
        with ZipFile(io.BytesIO(answer.body)) as workbook:
            return "\n".join(workbook.read(name).decode() for name in workbook.namelist())
    return answer.body.decode()


def is_html(answer) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/html")


def sendings(form: Form) -> Iterator[Sent]:
    """The ways in which a form can be sent as it stands there: by each of its buttons."""
    typed = [(name, value) for name, values in form.fields.items() for value in values]
    for target, added in form.buttons or [(form.action, {})]:
        fields = tuple((name, value) for name, value in [*typed, *added.items()] if name != "csrfmiddlewaretoken")
        if form.method == "get":
            path = target.partition("?")[0]
            yield Sent("get", f"{path}?{urlencode([(n, v) for n, v in fields if v])}".rstrip("?"))
        else:
            yield Sent("post", target, fields)


def walk(seat: Seat, *, everywhere: bool = False) -> Iterator[tuple[Sent, object, Page | None]]:
    """Every page and file that can be reached by links and by forms that only ask, with what it shows and offers.

    Of what stands below rows, ``OPENED`` of a kind are opened. Who is inside an account stays there, unless
    ``everywhere``: outside they are the person that walks elsewhere.
    """
    waiting, seen, opened = ["/", f"/{seat.account.code}/"], set(), Counter()
    within = f"/{seat.account.code}/" if seat.identity.inside and not everywhere else "/"
    while waiting:
        url = waiting.pop()
        parts = urlsplit(url)
        outside = parts.netloc or not url.startswith(within) or url.startswith(NOT_FOLLOWED)
        if outside or shape(url) in seen:
            continue
        seen.add(shape(url))
        if BELOW_A_ROW.search(parts.path):
            kind = re.sub(r"/[0-9]+/", "/#/", parts.path), shape(url)[1:]
            opened[kind] += 1
            if opened[kind] > OPENED:
                continue
        sent = Sent("get", url.partition("#")[0])
        with undone(seat.client):
            answer = sent.by(seat.client)
        page = None
        if answer.status_code == 302:
            waiting.append(urljoin(url, answer.url))
        elif is_html(answer):
            page = Page(url, answer.body.decode())
            waiting += page.links
            waiting += [sending.url for form in page.forms if form.method == "get" for sending in sendings(form)]
        yield sent, answer, page


#: What differs between any two answers: tokens against forged forms, and how long an access still holds.
PASSING = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"|data-seconds-left="[0-9]+"|[0-9]+ minutes? left')


def inert(body: bytes) -> bytes:
    """An answer without what differs between any two."""
    return PASSING.sub(b"", body)


def query_of(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)
