"""Numbers that are typed to be added."""

import pytest

from accounts.models import AuditEvent
from numbers.models import PhoneNumber
from portal.number_lists import read_list
from tests import factories

ONE = "+15145550123"


@pytest.mark.parametrize(
    ("typed", "first", "last", "count"),
    [
        ("+1 514 555 0100 - 0199", "+15145550100", "+15145550199", 100),
        ("+15145550100-+15145550109", "+15145550100", "+15145550109", 10),
        ("+1 514 555 0100 – +1 514 555 0101", "+15145550100", "+15145550101", 2),
        ("+1 514 555 01xx", "+15145550100", "+15145550199", 100),
        ("+1 514 555 0100..0104", "+15145550100", "+15145550104", 5),
        ("+1 514 555 0100 to 0104", "+15145550100", "+15145550104", 5),
    ],
)
def test_a_range_is_all_its_numbers(typed, first, last, count):
    (piece,) = read_list(typed)
    numbers = list(piece.e164s)
    assert (piece.refusal, numbers[0], numbers[-1], len(numbers), piece.count) == ("", first, last, count, count)


@pytest.mark.parametrize("typed", ["+1 514 555 0199 - 0100", "+1 514 555 0100 - 0199 - 0300", "+1 514 55 xxxxx"])
def test_a_range_that_is_none_is_refused(typed):
    (piece,) = read_list(typed)
    assert piece.refusal
    assert not list(piece.e164s)


def test_a_list_comes_apart_at_lines_commas_and_semicolons():
    pieces = read_list(f"{ONE}, +442079460018; +4930123456\n\n514 555 0124\n", "CA")
    assert [(piece.line, piece.first, piece.last) for piece in pieces] == [
        (1, ONE, ONE), (1, "+442079460018", "+442079460018"), (1, "+4930123456", "+4930123456"),
        (3, "+15145550124", "+15145550124"),
    ]  # fmt: skip


# The page

pytestmark = pytest.mark.django_db


@pytest.fixture
def alpha(client, administrator_of):
    account = factories.make_account("var", name="Alpha")
    client.force_login(administrator_of(account))
    return account


@pytest.fixture
def northline():
    return factories.make_provider()


def add(client, account, provider, numbers, **more):
    return client.post(
        f"/{account.code}/numbers/add/", {"numbers": numbers, "provider": provider.pk} | more, follow=True
    )


def test_a_block_is_added_and_told(client, alpha, northline):
    page = add(client, alpha, northline, "+1 514 555 01xx")
    assert "100 numbers are added." in page.text
    assert PhoneNumber.unscoped.filter(var=alpha, customer=None, provider=northline).count() == 100
    assert AuditEvent.unscoped.filter(verb="number.added", account=alpha).count() == 100


def test_what_is_on_the_system_is_not_said_to_be_anybodys(client, alpha, northline):
    theirs = factories.make_number(e164=ONE)
    page = add(client, alpha, northline, f"{ONE}\n+1 514 555 0124")
    assert "1 number is added." in page.text
    assert "1 is already on the system: +1 514-555-0123." in page.text
    assert theirs.var.name not in page.text
    assert PhoneNumber.unscoped.get(e164=ONE).var == theirs.var


def test_lines_that_are_refused_are_named_and_nothing_is_added(client, alpha, northline):
    page = add(client, alpha, northline, f"{ONE}\nnonsense\n12 34")
    assert page.status_code == 422
    assert "Line 2, nonsense: This is not a phone number: it has no digits." in page.text
    assert "Line 3, 12 34: Begin with +" in page.text
    assert f"{ONE}\nnonsense" in page.text
    assert not PhoneNumber.unscoped.exists()
    page = add(client, alpha, northline, f"{ONE}\nnonsense\n12 34", others="on")
    assert "1 number is added." in page.text


@pytest.mark.parametrize("numbers", ["", "  \n", ";,"])
def test_nothing_is_not_added(client, alpha, northline, numbers):
    assert add(client, alpha, northline, numbers).status_code == 422


def test_too_many_are_pointed_to_the_import(client, alpha, northline):
    page = add(client, alpha, northline, "\n".join(["+1 514 555 xxxx", "+1 514 556 xxxx"]))
    assert "Import a file instead" in page.text
    assert not PhoneNumber.unscoped.exists()


def test_a_var_that_is_shut_adds_nothing(client, administrator_of, northline):
    boss = administrator_of(factories.make_system())
    var = factories.make_account("var")
    client.force_login(boss)
    client.post(f"/{var.code}/access/")
    type(var).unscoped.filter(pk=var.pk).update(status="suspended")
    assert add(client, var, northline, ONE).status_code != 200
    assert not PhoneNumber.unscoped.exists()


@pytest.mark.parametrize("typed", ['="+16305550211"', "=+16305550211", '="+16305550211"; ="+16305550212"'])
def test_what_spreadsheets_write_to_keep_a_text_is_one_number(typed):
    found = read_list(typed)
    assert [(piece.first, piece.refusal) for piece in found][:1] == [("+16305550211", "")]
    assert len(found) == typed.count("+")
