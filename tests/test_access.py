"""Who gets where: every address of the resolver, for every kind of person, against the policy."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import policy
from accounts.policy import ADDRESSES, PERMISSIONS, Door, Role, needed_for
from tests.factories import make_account, make_number, make_person, make_system

PEOPLE = {
    Role.SYSTEM_ADMINISTRATOR: ("system", "administrator"),
    Role.SYSTEM_SUPPORT: ("system", "support"),
    Role.VAR_ADMINISTRATOR: ("var", "administrator"),
    Role.VAR_SUPPORT: ("var", "support"),
    Role.COMPANY_ADMINISTRATOR: ("company", "administrator"),
    Role.PROFESSIONAL: ("professional", "administrator"),
    Role.USER: ("company", "user"),
}


def patterns(below=None, prefix="", path=""):
    """Every named address with its pattern."""
    for pattern in below if below is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from patterns(pattern.url_patterns, inner, path + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield f"{prefix}{pattern.name}", path + str(pattern.pattern)


ALL = dict(sorted(patterns()))
OF_ACCOUNTS = [name for name, pattern in ALL.items() if "<account:code>" in pattern]


def address(name, account):
    more = {"numbers:detail": ["15145550100"], "help_topic": ["phone-numbers"]}
    more |= {other: ["C99999"] for other, pattern in ALL.items() if "<account:other>" in pattern}
    one_of_many = ["1"] if ":" in ALL[name].removeprefix("<account:code>") else []
    return reverse(name, args=[account.code, *more.get(name, one_of_many)])


def person_as(role):
    kind, person_role = PEOPLE[role]
    account = make_system() if kind == "system" else make_account(kind)
    return make_person(account, role=person_role)


def test_every_address_has_a_line_in_the_policy_and_every_line_an_address():
    assert set(ALL) == set(ADDRESSES)
    needed = {needed_for(name, method) for name in ALL for method in ("GET", "POST")}
    assert {name for name in needed if isinstance(name, str)} == set(PERMISSIONS)


@pytest.mark.django_db
@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", OF_ACCOUNTS)
def test_an_address_of_the_own_account_answers_as_the_policy_says(client, role, method, name):
    person = person_as(role)
    client.force_login(person)
    if person.account.kind == "var":
        make_number(var=person.account, e164="+15145550100")
    elif person.account.is_customer:
        make_number(customer=person.account, e164="+15145550100")
    else:
        make_number(e164="+15145550100")

    response = client.generic(method, address(name, person.account))
    if response.streaming:
        response.getvalue()

    needed = needed_for(name, method)
    allowed = needed is Door.ENTRANCE or (needed is not None and policy.allows(role, needed))
    # 404 and 422: allowed, but the request names nothing; 405: allowed, but there is no such act.
    assert response.status_code in ({200, 302, 404, 405, 422} if allowed else {403})


@pytest.mark.django_db
@pytest.mark.parametrize("name", OF_ACCOUNTS)
def test_another_account_is_answered_like_one_that_does_not_exist(client, name):
    system = make_system()
    own, other = make_account("var", system), make_account("var", system)
    made_up = make_account("var", system)
    make_number(var=other, e164="+15145550100")
    client.force_login(make_person(own, role="administrator"))
    addresses = [address(name, account) for account in (other, made_up, system)]
    made_up.delete()

    answers = [client.get(path) for path in addresses]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert answers[0].content == answers[1].content == answers[2].content


@pytest.mark.django_db
@pytest.mark.parametrize("name", [n for n in ALL if ADDRESSES[n] not in (Door.MACHINE, Door.PUBLIC, Door.CLOSED)])
def test_strangers_are_sent_to_sign_in(client, name):
    account = make_account("var")
    more = {"end_session": [1], "mfa_edit_webauthn": [1], "mfa_remove_webauthn": [1]}
    path = address(name, account) if name in OF_ACCOUNTS else reverse(name, args=more.get(name))
    response = client.get(path)
    assert response.status_code == 302
    assert response.url.startswith("/login/?next=/")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/signup/", "/email/"])
def test_what_is_closed_does_not_exist(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_an_address_without_a_line_is_refused(client, monkeypatch):
    person = person_as(Role.SYSTEM_ADMINISTRATOR)
    client.force_login(person)
    monkeypatch.delitem(ADDRESSES, "numbers:list")
    assert client.get(address("numbers:list", person.account)).status_code == 403


@pytest.mark.django_db
def test_a_number_of_somebody_else_is_answered_like_one_that_does_not_exist(client):
    person = person_as(Role.VAR_ADMINISTRATOR)
    client.force_login(person)
    foreign = make_number(e164="+15145550100")
    answers = [
        client.get(f"/{person.account.code}/numbers/{digits}/") for digits in (foreign.digits, 15145550199, 10**17)
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert answers[0].content == answers[1].content == answers[2].content


@pytest.mark.django_db
def test_somebody_who_was_deactivated_is_out_at_the_next_request(client):
    person = person_as(Role.VAR_ADMINISTRATOR)
    client.force_login(person)
    path = address("numbers:list", person.account)
    assert client.get(path).status_code == 200
    person.is_active = False
    person.save(update_fields=["is_active"])
    assert client.get(path).status_code == 302


@pytest.mark.django_db
def test_a_wrong_password_is_answered_like_an_unknown_address(client):
    make_person(make_account("var"), email="known@example.com", password="right-password-1")
    answers = [
        client.post("/login/", {"login": email, "password": "wrong-password-1"})
        for email in ("known@example.com", "nobody@example.com")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    texts = [answer.content.decode().replace("known@", "@").replace("nobody@", "@") for answer in answers]
    texts = [text.split("csrfmiddlewaretoken")[0] for text in texts]
    assert texts[0] == texts[1]
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_the_right_password_leads_to_ones_own_home(client):
    person = make_person(make_account("var"), email="known@example.com", password="right-password-1")
    response = client.post("/login/", {"login": "KNOWN@example.com", "password": "right-password-1"}, follow=True)
    assert response.redirect_chain[-1][0] == f"/{person.account.code}/"
