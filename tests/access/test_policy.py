"""The policy knows every address, and what it does not know is refused."""

import pytest

from accounts import policy
from accounts.policy import ADDRESSES, PERMISSIONS, Door, Permission, Role, needed_for
from tests.access.addresses import ALL, BUILDERS, Address, NoBuilder
from tests.access.identities import IDENTITIES
from tests.factories import make_account, make_number, make_person, make_system


def test_every_address_has_a_line_in_the_policy_and_every_line_an_address():
    assert set(ALL) == set(ADDRESSES)
    needed = {needed_for(name, method) for name in ALL for method in ("GET", "POST")}
    assert {name for name in needed if isinstance(name, str)} == set(PERMISSIONS)


def test_every_argument_of_an_address_has_a_builder():
    assert {argument for address in ALL.values() for argument in address.arguments} <= set(BUILDERS)
    with pytest.raises(NoBuilder, match="add it to BUILDERS"):
        Address("new", ("unheard_of",), None).path(None, None, None)


def test_few_addresses_are_open_to_everybody():
    assert sum(needed is Door.PUBLIC for needed in ADDRESSES.values()) <= 14
    assert sum(needed is Door.MACHINE for needed in ADDRESSES.values()) <= 8


def test_a_permission_is_refused_inside_and_to_who_only_looks_unless_it_says_otherwise(monkeypatch):
    monkeypatch.setitem(PERMISSIONS, "new", Permission(frozenset({Role.USER})))
    assert policy.allows(Role.USER, "new")
    assert not policy.allows(Role.USER, "new", inside=True)
    assert not policy.allows(Role.USER, "new", viewing=True)
    assert not policy.allows(Role.PROFESSIONAL, "new")
    assert not policy.allows(Role.USER, "nothing is called that")


def test_asking_what_may_be_done_is_looking():
    assert needed_for("access", "HEAD") == needed_for("access", "OPTIONS") == needed_for("access", "GET")
    assert needed_for("access", "DELETE") is None
    assert needed_for("nothing is called that") is None


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["new/", "nameless/"])
@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_an_address_without_a_line_is_refused_to_everybody(client, settings, page, method):
    settings.ROOT_URLCONF = "tests.access.unlisted"
    client.force_login(make_person(make_system(), role="administrator"))
    assert getattr(client, method)(f"/SYS/{page}").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/signup/", "/email/"])
def test_what_is_closed_does_not_exist(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_accounts_beside_above_and_made_up_are_the_same_at_every_address(client):
    system = make_system()
    own, other, made_up = (make_account("var", system) for _turn in range(3))
    make_number(var=other, e164="+15145550100")
    client.force_login(make_person(own, role="administrator"))
    made_up.delete()
    for address in ALL.values():
        if address.is_of_account:
            paths = [address.path(None, account, None, **ARGUMENTS) for account in (other, made_up, system)]
            answers = [client.get(path) for path in paths]
            assert [answer.status_code for answer in answers] == [404, 404, 404]
            assert answers[0].content == answers[1].content == answers[2].content


#: Something in every argument; nobody gets as far as looking for it.
ARGUMENTS = {name: "1" for name in BUILDERS if name != "code"} | {
    "other": "C99999", "topic": "phone-numbers", "ref": f"C99999-{0:032}",
}  # fmt: skip


@pytest.mark.django_db
def test_a_number_of_somebody_else_is_answered_like_one_that_does_not_exist(client):
    person = make_person(make_account("var"), role="administrator")
    client.force_login(person)
    foreign = make_number(e164="+15145550100")
    answers = [
        client.get(f"/{person.account.code}/numbers/{digits}/") for digits in (foreign.digits, 15145550199, 10**17)
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert answers[0].content == answers[1].content == answers[2].content


@pytest.mark.django_db
def test_somebody_who_was_deactivated_is_out_at_the_next_request(client):
    person = make_person(make_account("var"), role="administrator")
    client.force_login(person)
    path = f"/{person.account.code}/numbers/"
    assert client.get(path).status_code == 200
    person.is_active = False
    person.save(update_fields=["is_active"])
    assert client.get(path).status_code == 302


def test_everybody_whom_the_policy_knows_is_in_the_matrix():
    at_home = {identity.policy_role for identity in IDENTITIES.values() if identity.home and not identity.inside}
    assert at_home == set(Role)
    inside = {(i.policy_role, i.is_viewing) for i in IDENTITIES.values() if i.inside}
    below = {policy.role_inside(kind) for kind in ("var", "company", "professional")}
    assert inside == {(role, viewing) for role in below for viewing in (True, False)}
