"""Text that is sent to hide something, in every field of every form: refused, or kept without it."""

import importlib
import inspect
import pkgutil
import re

import pytest
from allauth.account import forms as of_accounts
from allauth.mfa.base import forms as of_factors
from allauth.mfa.totp import forms as of_apps
from allauth.mfa.webauthn import forms as of_passkeys
from django import forms
from django.core.exceptions import ValidationError

import accounts
import numbers
import portal
import webphone
from portal.fields import AddressField, LineField, LinesField, PhoneField
from portal.filters import SearchField
from tests.access.crawl import Sent, sendings, walk
from tests.access.database import changed, snapshot, undone
from tests.access.identities import IDENTITIES
from tests.access.texts import HIDDEN, HOSTILE, is_inert

SAFE = (
    LineField,
    LinesField,
    AddressField,
    PhoneField,
    SearchField,
    forms.RegexField,
    forms.UUIDField,
    forms.FileField,
)
#: Fields of free text, by form and name, that nobody else reads, with the reason.
READ_OTHERWISE = {
    ("AddForm", "numbers"): "read as numbers",
    ("DeliverForm", "numbers"): "read as numbers",
    ("FileForm", "text"): "read as a file",
    ("ImportForm", "text"): "read as a file",
    ("StatementForm", "text"): "read as a file",
    ("SearchForm", "area"): "read as digits",
    ("SearchForm", "digits"): "read as digits",
    ("LocationForm", "number"): "read as a number or an extension",
    ("OnceOnly", "code"): "compared",
    ("CodeForm", "code"): "compared",
    ("CodeAgainForm", "code"): "compared",
    ("ForgottenPasswordForm", "email"): "looked up",
    ("AssignForm", "names"): "looked up, line by line",
}
SENDERS = ["system administrator", "var administrator", "company administrator", "professional administrator"]


def modules_of(package):
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if "migrations" not in found.name and "telephony.stack" not in found.name:
            yield found.name


def forms_of_ours():
    """Every form that a module of ours has, but for those that only others are made of."""
    found = {}
    for package in (portal, accounts, numbers, webphone):
        for name in modules_of(package):
            if ".forms" not in name and ".filters" not in name and ".views" not in name:
                continue
            for _name, one in inspect.getmembers(importlib.import_module(name), inspect.isclass):
                if issubclass(one, forms.BaseForm) and one.__module__.startswith(package.__name__):
                    found[one.__qualname__] = one
    return found


FIELDS = [
    pytest.param(form, name, field, id=f"{form.__name__}-{name}")
    for form in forms_of_ours().values()
    for name, field in form.base_fields.items()
    if isinstance(field, forms.CharField) or not isinstance(field, forms.Field)
]


def test_there_are_forms_to_look_at():
    assert {"ProfileForm", "InvitationForm", "OptionsForm", "DestinationForm", "PasskeyForm"} <= forms_of_ours().keys()
    assert len(FIELDS) > 30


@pytest.mark.parametrize(("form", "name", "field"), FIELDS)
def test_a_field_of_text_refuses_what_is_hidden_or_takes_it_out(form, name, field):
    if (form.__name__, name) in READ_OTHERWISE or isinstance(field.widget, forms.PasswordInput):
        return
    # What opens a link is compared, and kept nowhere.
    if form.__module__.startswith("allauth") or name == "credential" or form.__name__ == "TokenForm":
        return
    assert isinstance(field, SAFE), f"Take a LineField or a NameField for {form.__name__}.{name}, or say who reads it."
    for text in HOSTILE:
        typed = f"{text}@example.com" if isinstance(field, AddressField) else text
        field.required = False
        try:
            clean = getattr(field, "to_python" if hasattr(field, "look_up") else "clean")(typed)
        except ValidationError:
            continue
        assert is_inert(clean), ascii(typed)


def test_the_forms_of_allauth_that_keep_text_are_ours(settings):
    """Of the others, no text is kept but passwords, codes and answers of browsers."""
    replaced = {path.rpartition(".")[2] for path in (*settings.ACCOUNT_FORMS.values(), *settings.MFA_FORMS.values())}
    assert replaced <= forms_of_ours().keys()
    kept = {}
    for module in (of_accounts, of_factors, of_apps, of_passkeys):
        for one in vars(module).values():
            if inspect.isclass(one) and issubclass(one, forms.BaseForm) and one.__module__ == module.__name__:
                for name, field in one.base_fields.items():
                    if isinstance(field, forms.CharField) and not isinstance(field.widget, forms.PasswordInput):
                        kept.setdefault(name, set()).add(one.__name__)
    known = {"login", "email", "username", "code", "credential", "name", "uid", "phone", "key", "uidb36"}
    assert kept.keys() <= known, kept
    assert kept["name"] == {"_BaseAddWebAuthnForm", "SignupWebAuthnForm", "AddWebAuthnForm", "EditWebAuthnForm"}


@pytest.mark.parametrize("name", SENDERS, scope="module")
def test_no_row_that_a_form_writes_hides_anything(world, name):
    """Each form of each page that somebody can reach, as it stands there, with the text in all that is typed."""
    seat = world.seat(IDENTITIES[name])
    sent = {}
    for _sent, _answer, page in walk(seat):
        for form in page.forms if page else ():
            if form.method == "post":
                for sending in sendings(form):
                    typed = {n for n, _v in sending.fields} - form.offered.keys()
                    if typed:
                        place = re.sub("[0-9]+", "0", sending.url.partition("?")[0])
                        sent[place, tuple(sorted(typed))] = sending, typed
    before, written = snapshot(), 0
    for sending, typed in sent.values():
        for text in ("A" + "B".join(HIDDEN) + "C", "A\nB", "A\x00B\ue000"):
            fields = tuple((n, filled(n, v, text) if n in typed else v) for n, v in sending.fields)
            with undone(seat.client):
                answer = Sent("post", sending.url, fields).by(seat.client)
                assert answer.status_code < 500, (sending.url, ascii(fields))
                rows = changed(before, snapshot()) if answer.status_code < 400 else []
                for table, row in rows:
                    written += 1
                    for column, value in row.items():
                        assert is_inert(value) if isinstance(value, str) else True, (sending.url, table, column, value)
    assert written


def filled(name, value, text):
    """What is typed into a field: the text, where anything could be."""
    is_free = not value or not value.replace("-", "").replace("+", "").isalnum() or name in ("name", "reason")
    if "email" in name:
        return "somebody@example.com"
    return text if is_free and name not in ("csrfmiddlewaretoken", "key", "next", "back") else value
