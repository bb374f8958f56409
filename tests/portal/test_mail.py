"""Mail of ours: what people typed stands in it as a quotation, and it leads nowhere but to the portal."""

import re

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.template import Template
from django.template.base import VariableNode
from django.template.loader import get_template
from django.templatetags.i18n import BlockTranslateNode

from portal.templatetags.portal import quoted, shown
from tests.access.texts import HOSTILE, LINKS

FOLDERS = ("accounts/email", "account/email", "mfa/email", "numbers/email", "accounts/changed_message.txt")
MAILS = sorted(
    str(path.relative_to(folder))
    for folder in settings.TEMPLATES[0]["DIRS"]
    for path in folder.rglob("*.txt")
    if str(path.relative_to(folder)).startswith(FOLDERS)
)
#: What a mail has in it besides: the portal's own.
OURS = {
    "url", "password_reset_url", "portal_url", "days", "timestamp", "order.pk", "customer.code", "number", "state",
    "person.account.code",
    # What ``accounts.notice_mail`` has quoted already, and our own words.
    "item.sentence", "item.account", "item.at", "item.url", "line", "page_url", "choices_url", "off_url", "kinds",
    "count", "more",
}  # fmt: skip
EVIL = "Your line is blocked\nBcc: all@example.com\n\nPay at http://evil.example/ or www.evil.example or evil.example"


def expressions(nodes):
    """Every value that a template writes."""
    for node in nodes:
        if isinstance(node, VariableNode):
            yield node.filter_expression
        if isinstance(node, BlockTranslateNode):
            yield from node.extra_context.values()
            own = {*node.extra_context, node.countervar}
            for token in (*node.singular, *node.plural):
                if token.token_type.name == "VAR" and token.contents not in own:
                    yield Template(f"{{% load i18n %}}{{{{ {token.contents} }}}}").nodelist[-1].filter_expression
        for name in getattr(node, "child_nodelists", ()):
            yield from expressions(getattr(node, name, ()))
        for _condition, some in getattr(node, "conditions_nodelists", ()):
            yield from expressions(some)


def test_there_are_mails():
    assert len(MAILS) >= 20


@pytest.mark.parametrize("path", MAILS)
def test_whatever_is_not_ours_is_quoted(path):
    for expression in expressions(get_template(path).template.nodelist):
        filters = {one for one, _arguments in expression.filters}
        assert str(expression.var) in OURS or filters & {quoted, shown}, f"{path}: {expression.token}"


@pytest.mark.parametrize("text", [EVIL, *LINKS, *HOSTILE])
def test_a_quotation_is_one_line_in_quotation_marks_without_a_link(text):
    said = quoted(text)
    assert re.fullmatch("“.*”", said)
    assert said.isprintable()
    assert not re.search(r"://|www\.|evil\.example", said)


def url_of(monkeypatch, **facts):
    """What the setting becomes."""
    from portal import settings as ours  # noqa: PLC0415 - the settings of production, read anew

    for name, value in ({"DEMO": False, "SECURE_COOKIES": True, "ALLOWED_HOSTS": ["a.example"]} | facts).items():
        if name == "PORTAL_URL":
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.setattr(ours, name, value)
    return ours.portal_url()


@pytest.mark.parametrize(
    ("facts", "url"),
    [
        ({}, "https://a.example"),
        ({"SECURE_COOKIES": False}, "http://a.example"),
        ({"PORTAL_URL": "https://b.example:8443/"}, "https://b.example:8443"),
        ({"PORTAL_URL": "http://[::1]:8000"}, "http://[::1]:8000"),
        ({"DEMO": True, "ALLOWED_HOSTS": ["127.0.0.1", "localhost", "[::1]"]}, ""),
        ({"DEMO": True, "SECURE_COOKIES": False}, "http://a.example"),
    ],
)
def test_links_lead_to_what_is_configured(monkeypatch, facts, url):
    assert url_of(monkeypatch, **facts) == url


@pytest.mark.parametrize(
    "facts",
    [
        {"ALLOWED_HOSTS": ["*"]},
        {"ALLOWED_HOSTS": [".a.example", "a.example"]},
        *(
            {"PORTAL_URL": url}
            for url in ("a.example", "ftp://a.example", "https://a.example/portal", "https://u:p@a.example", "https://")
        ),
    ],
)
def test_an_address_that_is_none_does_not_start(monkeypatch, facts):
    with pytest.raises(ImproperlyConfigured, match="PORTAL_URL is where people find the portal"):
        url_of(monkeypatch, **facts)
