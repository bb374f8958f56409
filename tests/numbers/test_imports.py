"""Files of numbers: read, checked, applied."""

import csv
import io
import random
from datetime import timedelta
from uuid import uuid4

import phonenumbers
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from phonenumbers import PhoneNumberFormat

from accounts.models import AuditEvent
from numbers.imports import NotAFile, read
from numbers.models import Import, ImportRow, PhoneNumber
from portal import phones
from tests import factories

HEADINGS = {"number": "Number", "used_by": "Used by"}


def lines(content, **headings):
    with read(io.BytesIO(content), HEADINGS | headings) as found:
        return found.columns, [cells for _line, cells in found.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_is_understood_in_whatever_encoding_and_with_whatever_delimiter(encoding, delimiter, end):
    rows = [["Label", "Number"], ["Café", "+15145550123"]]
    content = end.join(delimiter.join(row) for row in rows).encode(encoding)
    assert lines(content) == (["label", "number"], [["Café", "+15145550123"]])


@pytest.mark.parametrize(
    ("content", "columns", "rows"),
    [
        (b"+15145550123\n\n+15145550124\n", ["number"], [["+15145550123"], ["+15145550124"]]),
        (b'"Number","Label"\n"+15145550123","a, ""b"""\n', ["number", "label"], [["+15145550123", 'a, "b"']]),
        (b"sep=;\nNumber;Label\n+15145550123;x\n", ["number", "label"], [["+15145550123", "x"]]),
        (b"LABEL,Phone Number,Colour\nx,+15145550123,red\n", ["label", "number", ""], [["x", "+15145550123", "red"]]),
        (b"Number,Number\n+15145550123,+15145550124\n", ["number", "number"], [["+15145550123", "+15145550124"]]),
    ],
)
def test_headings_may_be_missing_and_stand_in_any_order(content, columns, rows):
    assert lines(content) == (columns, rows)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "This file is empty"), (b"\n \n", "This file is empty"), (b"PK\x03\x04zip", "damaged"),
        (b"\xd0\xcf\x11\xe0old", "damaged"), (b"\x00\x01\x02\x03", "not a text file"),
        (b"Name,Colour\nx,red\n", "No column is called Number"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_numbers_is_refused_with_what_to_do(content, says):
    with pytest.raises(NotAFile) as refusal:
        lines(content)
    assert says in str(refusal.value)


def test_quick_verdicts_are_those_of_the_library():
    """Twenty thousand numbers over all country codes, possible and not: where we are quick, we agree."""
    dice, quick, cases = random.Random(4), 0, 0
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        for _turn in range(95):
            typed = f"+{code}{dice.randrange(10 ** dice.randrange(4, 13))}"
            if not phones.E164.fullmatch(typed):
                continue
            cases += 1
            if found := phones.quick(typed):
                quick += 1
                number = phonenumbers.parse(typed)
                assert phonenumbers.is_valid_number(number), typed
                assert phonenumbers.format_number(number, PhoneNumberFormat.E164) == found == typed
    assert cases > 18_000
    assert quick > 1_000


pytestmark = pytest.mark.django_db


def send(client, account, content, **more):
    """Send a file, and stand before what its lines mean."""
    content = content if isinstance(content, bytes) else content.encode()
    sent = {"file": SimpleUploadedFile("numbers.csv", content), "key": uuid4(), "empty": "merge"} | more
    answer = client.post(f"/{account.code}/numbers/import/", sent)
    assert answer.status_code == 302, answer.text
    return answer.url


def judged(client, url):
    text = client.get(f"{url}export.csv").getvalue().decode()
    return [
        (int(row["Line"]), row["Verdict"], row["Column"], row["Reason"]) for row in csv.DictReader(io.StringIO(text))
    ]


def test_every_line_has_its_verdict_and_nothing_is_changed_before_it_is_applied(of_alpha, alpha, acme, northline):
    here = factories.make_number(alpha, e164="+15145550100")
    with_acme = factories.make_number(customer=acme, e164="+15145550101", provider=northline)
    url = send(
        of_alpha,
        alpha,
        "Number,Provider,Company,Label,Status\n"
        "+1 514 555 0199,Northline,Acme Corp,New,\n"
        f"{here.e164},,Acme,,Pending\n"
        f"{with_acme.e164},Northline,Acme Corp,,Pending\n"
        "12345,Northline,,,\n"
        "+15145550198,Nowhere,,,\n"
        "+15145550197,,,,\n"
        f"{with_acme.e164},,Borealis,,\n"
        f"{here.e164},,,,active\n"
        "+15145550196,Northline,Zenith,,\n",
    )
    assert judged(of_alpha, url) == [
        (2, "Add", "", ""),
        (3, "Change", "", ""),
        (4, "No change", "", ""),
        (5, "Refused", "number", "Begin with + and the country code, for example +1 514 555 0123."),
        (6, "Refused", "provider", "There is no provider with this name."),
        (7, "Refused", "provider", "A new number needs a provider."),
        (8, "Refused", "company", "You have no customer with this name."),
        (9, "Refused", "number", "The same number stands in line 3 already."),
        (10, "Refused", "company", "You have no customer with this name."),
    ]
    assert PhoneNumber.unscoped.count() == 2
    page = of_alpha.get(url, {"filter": "refused"})
    assert "Refused (6)" in page.text
    of_alpha.post(url, {"mode": "some"})
    assert dict(PhoneNumber.unscoped.values_list("e164", "customer__name")) == {
        "+15145550100": "Acme Corp", "+15145550101": "Acme Corp", "+15145550199": "Acme Corp",
    }  # fmt: skip
    assert PhoneNumber.unscoped.get(e164="+15145550199").label == "New"
    done = Import.unscoped.get()
    assert (done.state, done.total, done.done, done.refused) == ("done", 9, 3, 6)
    assert AuditEvent.unscoped.filter(verb="number.imported").count() == 1


def test_numbers_are_added_with_their_label_caller_name_and_features(of_alpha, alpha, northline):
    type(northline).objects.filter(pk=northline.pk).update(supports_voice=True, supports_sms=True, supports_fax=False)
    text = (
        "Number,Label,Caller name,Voice,SMS,Fax\n"
        "+15145550101,Front desk,ACME,,yes,\n"
        "+15145550102,,,no,no,no\n"
        "+15145550103,“Old” line,,,,\n"
        "+15145550104,x,,,,yes\n"
    )
    url = send(of_alpha, alpha, text, provider=northline.pk)
    assert [row[1] for row in judged(of_alpha, url)] == ["Add", "Add", "Add", "Refused"]
    of_alpha.post(url, {"mode": "some"})
    columns = ("e164", "label", "caller_name", "voice", "sms", "fax")
    assert list(PhoneNumber.unscoped.order_by("digits").values_list(*columns)) == [
        ("+15145550101", "Front desk", "ACME", True, True, False), ("+15145550102", "", "", False, False, False),
        ("+15145550103", "“Old” line", "", True, False, False),
    ]  # fmt: skip
    told = dict(AuditEvent.unscoped.filter(verb="number.imported").values_list("target", "after"))
    assert told == {
        "+15145550101": {"provider": "Northline", "label": "Front desk", "caller_name": "ACME", "sms": True},
        "+15145550102": {"provider": "Northline", "voice": False},
        "+15145550103": {"provider": "Northline", "label": "“Old” line"},
    }
    assert not AuditEvent.unscoped.filter(verb="number.options_changed").exists()
    assert "Front desk" in of_alpha.get(f"/{alpha.code}/history/").text


def test_refused_lines_are_corrected_and_imported_again(of_alpha, alpha, acme, northline):
    text = "Rufnummer;Kunde;Label\n+1 514 555 0101;Nobody;Front\n+15145550102;Acme Corp;Back\n1514;;=Sales\n"
    url = send(of_alpha, alpha, text, provider=northline.pk)
    of_alpha.post(url, {"mode": "some"})
    answer = of_alpha.get(f"{url}refused.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="Refused.csv"'
    content = answer.getvalue().decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content))) == [
        ["Rufnummer", "Kunde", "Label", "Reason"],
        ["'+1 514 555 0101", "Nobody", "Front", "You have no customer with this name."],
        ["1514", "", "'=Sales", "Begin with + and the country code, for example +1 514 555 0123."],
    ]
    corrected = content.replace("Nobody", "Acme Corp").replace("\r\n1514,", "\r\n+15145550103,")
    again = send(of_alpha, alpha, corrected, provider=northline.pk)
    of_alpha.post(again, {"mode": "some"})
    assert list(PhoneNumber.unscoped.order_by("digits").values_list("e164", "customer__name", "label")) == [
        ("+15145550101", "Acme Corp", "Front"), ("+15145550102", "Acme Corp", "Back"), ("+15145550103", None, "=Sales"),
    ]  # fmt: skip


@pytest.mark.parametrize(("mode", "added"), [("some", 1), ("all", 0)])
def test_a_number_that_is_gone_by_then_is_not_called_unchanged(of_alpha, alpha, northline, mode, added):
    here = factories.make_number(alpha, e164="+14385562000", provider=northline)
    url = send(of_alpha, alpha, "Number\n+14385562000\n+14385562001\n", provider=northline.pk)
    PhoneNumber.unscoped.filter(pk=here.pk).delete()
    of_alpha.post(url, {"mode": mode})
    rows = dict(ImportRow.unscoped.values_list("e164", "reason"))
    assert rows["+14385562000"] == "It no longer exists."
    assert PhoneNumber.unscoped.count() == added
    assert Import.unscoped.get().refused == 2 - added


def test_refused_lines_that_came_guarded_are_guarded_once(of_alpha, alpha, northline):
    text = "Number,Caller name,Label\n+14385561000,xxxxxxxxxxxxxxxxxxxxx,'=foo2\n"
    url = send(of_alpha, alpha, text, provider=northline.pk)
    content = of_alpha.get(f"{url}refused.csv").getvalue().decode("utf-8-sig")
    assert ",'=foo2," in content
    again = send(of_alpha, alpha, content.replace("xxxxxxxxxxxxxxxxxxxxx", "Acme"), provider=northline.pk)
    of_alpha.post(again, {"mode": "some"})
    assert PhoneNumber.unscoped.get().label == "=foo2"


def test_numbers_of_ranges_are_named_by_the_line_of_the_range(of_alpha, alpha, northline):
    text = "+15145550100\n+15145550110 - 0112\n+15145550111\n+15145550112, +15145550113\n+15145550100\n"
    url = send(of_alpha, alpha, text, provider=northline.pk)
    rows = judged(of_alpha, url)
    assert len({line for line, *_facts in rows}) == len(rows)
    assert sorted(reason for _line, verdict, _column, reason in rows if verdict == "Refused") == [
        "The same number stands in line 1 already.", "The same number stands in line 2 already.",
        "The same number stands in line 2 already.",
    ]  # fmt: skip


def test_a_number_that_stands_twice_is_refused_with_the_line_of_the_first(of_alpha, alpha, northline):
    url = send(of_alpha, alpha, "+15145550123\n+1 514 555 0124\n001 514 555 0123\n", provider=northline.pk)
    assert judged(of_alpha, url)[2] == (3, "Refused", "number", "The same number stands in line 1 already.")


def test_what_is_elsewhere_on_the_system_is_said_when_it_is_applied_and_not_whose_it_is(of_alpha, alpha, northline):
    theirs = factories.make_number(e164="+15145550123")
    url = send(of_alpha, alpha, f"{theirs.e164}\n+15145550124\n", provider=northline.pk)
    of_alpha.post(url, {"mode": "some"})
    assert judged(of_alpha, url) == [
        (1, "Refused", "number", "It is already on the system."), (2, "Added", "", ""),
    ]  # fmt: skip
    assert theirs.var.name not in of_alpha.get(url).text


def test_all_or_nothing_applies_nothing_when_a_line_is_refused(of_alpha, alpha, northline):
    factories.make_number(e164="+15145550123")
    url = send(of_alpha, alpha, "+15145550123\n+15145550124\n", provider=northline.pk)
    of_alpha.post(url, {"mode": "all"})
    assert judged(of_alpha, url) == [
        (1, "Refused", "number", "It is already on the system."),
        (2, "Refused", "", "Nothing was done to it, because others were refused."),
    ]
    assert PhoneNumber.unscoped.filter(var=alpha).count() == 0
    assert not AuditEvent.unscoped.filter(verb="number.imported").exists()
    assert "<strong>Nothing changed</strong>" in of_alpha.get(url).text
    assert '"State">Nothing changed<' in of_alpha.get(f"/{alpha.code}/numbers/imports/").text


@pytest.mark.parametrize(("empty", "label", "holder"), [("merge", "Old", "Acme Corp"), ("overwrite", "", None)])
def test_an_empty_cell_leaves_or_clears(of_alpha, alpha, acme, empty, label, holder):
    number = factories.make_number(customer=acme, label="Old", caller_name="KEEP")
    url = send(of_alpha, alpha, f"Number,Company,Label\n{number.e164},,\n", empty=empty)
    of_alpha.post(url, {"mode": "some"})
    number = PhoneNumber.unscoped.select_related("customer").get(pk=number.pk)
    assert (number.label, number.customer and number.customer.name) == (label, holder)
    # Without a column nothing is said of it.
    assert number.caller_name == ("KEEP" if holder else "")


def test_a_company_changes_its_own_numbers_and_adds_none(of_acme, acme):
    number = factories.make_number(customer=acme)
    rings = factories.make_destination(acme, "Réception")
    url = send(
        of_acme,
        acme,
        f"Number,Used by,Label,Fax\n{number.e164},reception,Front,no\n+15145550999,Réception,,\n",
    )
    assert judged(of_acme, url)[1] == (3, "Refused", "number", "It is not one of your numbers.")
    of_acme.post(url, {"mode": "some"})
    number = PhoneNumber.unscoped.get(pk=number.pk)
    assert (number.destination_id, number.label) == (rings.pk, "Front")


@pytest.mark.parametrize(
    "form",
    [
        "csv",
        "csv?excel=no",
        "csv?excel=semicolon",
        "xlsx",
        "csv?more=yes",
        "csv?excel=semicolon&more=yes",
        "xlsx?more=yes",
    ],
)
@pytest.mark.parametrize("view", ["var", "company", "professional"])
def test_what_was_exported_changes_nothing_when_it_is_imported(client, administrator_of, view, form):
    var = factories.make_account("var", name="=Alpha, Telecom")
    account = var if view == "var" else factories.make_account(view, var, name='"Odd" + name; x')
    company = account if view != "var" else factories.make_account("company", var, name="+Plus, Inc")
    for kind, service, name in (("user", "", "=cmd()"), ("service", "fax", "Fax, =back"), ("group", "", "Group; -x")):
        rings = factories.make_destination(company, name, kind, service)
        factories.make_number(
            destination=rings, active=kind == "user", label="-label, =1", caller_name="+Odd; name", sms=kind == "group"
        )
    factories.make_number(customer=company, voice=False)
    factories.make_number(var=var)

    factories.make_number(var=var, reserved_for=company, reserved_until=timezone.now() + timedelta(days=1))
    client.force_login(administrator_of(account))
    export = client.get(f"/{account.code}/numbers/export.{form}").getvalue()
    url = send(client, account, export)
    found = judged(client, url)
    assert (
        len(found) == PhoneNumber.unscoped.filter(**({"var": var} if view == "var" else {"customer": company})).count()
    )
    assert {verdict for _line, verdict, *_why in found} == {"No change"}, found
    before = AuditEvent.unscoped.count()
    client.post(url, {"mode": "some"})
    assert AuditEvent.unscoped.count() == before


@pytest.mark.parametrize("kind", ["system", "var", "company"])
def test_an_export_has_what_an_import_takes_behind_its_columns(client, administrator_of, system, alpha, acme, kind):
    factories.make_number(customer=acme, label="Sales", caller_name="ACME", sms=True)
    account = {"system": system, "var": alpha, "company": acme}[kind]
    client.force_login(administrator_of(account))

    def rows(query):
        text = client.get(f"/{account.code}/numbers/export.csv?excel=no{query}").getvalue().decode()
        return list(csv.reader(io.StringIO(text)))

    (headings, cells), (more_headings, more_cells) = rows(""), rows("&more=yes")
    assert headings[-1] == "Status"
    assert more_headings == [*headings, "Label", "Caller name", "Voice", "SMS", "Fax"]
    assert more_cells == [*cells, "Sales", "ACME", "yes", "yes", "no"]
    # Who imports files gets them unless they untick that; the list that is only read has the headings that it shows.
    page = client.get(f"/{account.code}/numbers/").text
    assert ('name="more" value="yes" checked' in page) == (kind != "system")
    assert 'name="more"' in page
    assert 'name="more"' not in client.get(f"/{account.code}/history/").text


@pytest.mark.parametrize("query", ["", "?more=yes"])
def test_more_columns_of_an_export_are_no_more_statements(
    client, administrator_of, alpha, acme, query, django_assert_num_queries
):
    for _turn in range(3):
        factories.make_number(customer=acme, label="Sales")
    client.force_login(administrator_of(alpha))
    url = f"/{alpha.code}/numbers/export.csv{query}"
    client.get(url).getvalue()
    with django_assert_num_queries(15):
        client.get(url).getvalue()


def test_the_same_form_sent_twice_is_one_import(of_alpha, alpha, northline):
    key = uuid4()
    first = send(of_alpha, alpha, "+15145550123\n", provider=northline.pk, key=key)
    assert send(of_alpha, alpha, "+15145550123\n", provider=northline.pk, key=key) == first
    of_alpha.post(first, {"mode": "some"})
    of_alpha.post(first, {"mode": "some"})
    assert AuditEvent.unscoped.filter(verb="number.imported").count() == 1


def test_pasted_text_is_a_file(of_alpha, alpha, northline):
    sent = {"text": "514 555 0123\n", "region": "CA", "provider": northline.pk, "key": uuid4(), "empty": "merge"}
    url = of_alpha.post(f"/{alpha.code}/numbers/import/", sent).url
    of_alpha.post(url, {"mode": "some"})
    assert PhoneNumber.unscoped.get().e164 == "+15145550123"


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({}, "Choose a file, or paste its text."),
        ({"text": "Name\nx\n"}, "No column is called Number"),
        ({"file": SimpleUploadedFile("x.xlsx", b"PK\x03\x04")}, "This archive is damaged."),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(of_alpha, alpha, sent, says):
    answer = of_alpha.post(f"/{alpha.code}/numbers/import/", {"key": uuid4(), "empty": "merge"} | sent)
    assert (answer.status_code, says in answer.text) == (422, True)
    assert not Import.unscoped.exists()


def test_a_file_that_is_too_large_is_refused(of_alpha, alpha, settings):
    settings.IMPORT_BYTES = 10
    sent = {"file": SimpleUploadedFile("x.csv", b"+15145550123"), "key": uuid4(), "empty": "merge"}
    answer = of_alpha.post(f"/{alpha.code}/numbers/import/", sent)
    assert (answer.status_code, "too large" in answer.text) == (422, True)


def test_an_import_that_is_not_applied_is_forgotten(of_alpha, alpha, northline):
    url = send(of_alpha, alpha, "+15145550123\n", provider=northline.pk)
    of_alpha.post(f"{url}cancel/")
    assert not Import.unscoped.exists()
    assert not ImportRow.unscoped.exists()


def test_another_tenants_import_is_nobodys(of_alpha, alpha, northline, client, administrator_of):
    url = send(of_alpha, alpha, "+15145550123\n", provider=northline.pk)
    bravo = factories.make_account("var")
    client.force_login(administrator_of(bravo))
    theirs = url.replace(alpha.code, bravo.code)
    assert [client.get(theirs).status_code, client.post(theirs, {"mode": "some"}).status_code] == [404, 404]


def test_a_line_that_assigns_a_number_says_the_label_of_its_new_holder(of_alpha, alpha, acme, northline):
    plain = factories.make_number(alpha, label="For ourselves", provider=northline)
    same = factories.make_number(alpha, label="Sales", provider=northline)
    content = (
        f"Number,Company,Label\n{plain.e164},Acme Corp,\n{same.e164},Acme Corp,Sales\n+15145550177,Acme Corp,New\n"
    )
    url = send(of_alpha, alpha, content, provider=northline.pk)
    of_alpha.post(url, {"mode": "some"})
    labels = dict(PhoneNumber.unscoped.filter(customer=acme).values_list("e164", "label"))
    assert labels == {plain.e164: "", same.e164: "Sales", "+15145550177": "New"}
