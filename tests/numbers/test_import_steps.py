"""A file of numbers from its upload to the end: columns, corrections, applying, undoing, the same file again."""

import csv
import io
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Account, AuditEvent
from numbers.models import Import, ImportRow, Job, PhoneNumber
from tests import factories
from tests.numbers.test_imports import judged, send

pytestmark = pytest.mark.django_db


def planned() -> dict[str, str]:
    """What would be done to which number."""
    rows = ImportRow.unscoped.exclude(verdict="refused").order_by("line")
    return dict(rows.values_list("e164", "verdict"))


def again(client, url, **changes):
    """Check the lines again, with one thing changed."""
    found = Import.unscoped.latest("pk")
    fields = {"region": found.region, "without_plus": found.without_plus, "empty": "merge"}
    fields |= {"provider": found.provider_id} if found.provider_id else {}
    answer = client.post(f"{url}columns/", fields | changes)
    assert answer.status_code == 302, answer.text


@pytest.mark.parametrize(
    ("typed", "region", "numbers"),
    [
        ("Number\n0011 64 9 377 1234\n0011 44 20 7946 0031\n", "AU", ["+6493771234", "+442079460031"]),
        ("Number\n011 44 20 7946 0033\n", "US", ["+442079460033"]),
        ("Number\n(212) 555-0150\n(514) 555-7050\n(809) 555-0151\n", "US",
         ["+12125550150", "+15145557050", "+18095550151"]),
        ("Number\n+4930123456.0\n30123457.0\n", "DE", ["+4930123456", "+4930123457"]),
        ("Number,Label\n+1 514 555 7210 - 7212,block\n", "", ["+15145557210", "+15145557211", "+15145557212"]),
        ("+15145557090;+15145557091\n", "", ["+15145557090", "+15145557091"]),
        ("Number,Phone\n+15145557093,+15145557094\n", "", ["+15145557093", "+15145557094"]),
        ("destination_number,destination_prefix\n5145557095,1\n", "", ["+15145557095"]),
        ("Number,Country\n020 7946 0096,GB\n", "", ["+442079460096"]),
        # A calling code beside it, with and without a trunk prefix.
        ("Country Code;Number\n43;0662234567\n+43;0662 234568\n41;0446681800\n31;0201234567\n39;0612345678\n", "DE",
         ["+43662234567", "+43662234568", "+41446681800", "+31201234567", "+390612345678"]),
        ("Country Code,Number\n44,02079460127\n33,0142685300\n", "CA",
         ["+442079460127", "+33142685300"]),
        # Countries by name and by code, in whatever language and spelling.
        ("Country,Number\nMexico,5512345678\nUnited Kingdom,2079460124\nGermany,3012345678\nUK,2079460125\n", "CA",
         ["+525512345678", "+442079460124", "+493012345678", "+442079460125"]),
        ("Pays;Number\nSuisse;0223456789\nRoyaume-Uni;2079460126\nSchweiz;0446681805\n", "FR",
         ["+41223456789", "+442079460126", "+41446681805"]),
        ("Country,Number\nGBR,2079460127\n0044,2079460128\n011 44,2079460129\n(44),2079460130\n44.0,2079460131\n"
         "GB (+44),2079460132\n", "CA",
         ["+442079460127", "+442079460128", "+442079460129", "+442079460130", "+442079460131", "+442079460132"]),
        ("ISO,Number\nGB,2079460121\n", "CA", ["+442079460121"]),
        # What is complete needs no country.
        ("Country,Number\nAtlantis,+442079460121\nAtlantis,+44 20 7946 0122\n", "CA",
         ["+442079460121", "+442079460122"]),
        # The area code in a column of its own.
        ("Vorwahl;Rufnummer\n089;30123456\n0221;2011234\n", "DE", ["+498930123456", "+492212011234"]),
        ("Landesvorwahl;Ortsvorwahl;Rufnummer\n+43;01;5055055\n", "DE", ["+4315055055"]),
        ("Prefix,Number\n+44,2079460321\nMr,5145557185\n", "CA", ["+442079460321", "+15145557185"]),
        ("Area code,Number\n514,5557186\n514,5145557187\n", "CA", ["+15145557186", "+15145557187"]),
        # Numbers of others beside one's own.
        ("DID,Mobile\n5145557123,5145550998\n", "CA", ["+15145557123"]),
        ("DID,Caller ID Number,Number called\n5145557124,5145550997,5145550996\n", "CA", ["+15145557124"]),
        ("Name,Main Number,Mobile\nx,5145557125,5145550995\n", "CA", ["+15145557125"]),
        ("Mobile\n5145557126\n", "CA", ["+15145557126"]),
        ("cidnum,extension,destination\n,5145557127,x\n5145550994,5145557128,x\n", "CA",
         ["+15145557127", "+15145557128"]),
        ("phone_number,status\n15145557097,active\n442079460097,port_pending\n", "", ["+15145557097", "+442079460097"]),
    ],
)  # fmt: skip
def test_numbers_are_read_as_they_are_meant(of_alpha, alpha, northline, typed, region, numbers):
    send(of_alpha, alpha, typed, provider=northline.pk, region=region)
    assert planned() == dict.fromkeys(numbers, "add")


@pytest.mark.parametrize(
    ("typed", "region", "says"),
    [
        ("Number\n442079460040\n15145557041\n33142685300\n", "DE", "This may be"),
        ("Number\n(main)\n", "US", "This is not a phone number: it has no digits."),
        ("Country,Number\nAtlantis,2079460124\n", "CA", "This country is not known: “Atlantis”."),
        ("Country,Number\nXX,2079460124\n", "CA", "This country is not known: “XX”."),
        ("Number\n49 030 223377\n", "DE", "This may be"),
        ("Number\n514 PENDING\n", "CA", "This has letters."),
        ("Number\n450-PRIVATE\n", "CA", "This has letters."),
        ("Number\nn/a\n", "", "This is not a phone number: it has no digits."),
        ("destination_number,destination_prefix\n(main),1\n", "", "This is not a phone number: it has no digits."),
        ("Number\n+1 514 555 7050 (main)\n", "", "There is text after the number: “main”. Leave it out."),
        ("Number\n514 555 7050 main\n", "GB", "A phone number has a country code and digits"),
        ("Number\n+1 114 555 0123\n", "", "has no such range"),
        ("Number\n+1 000 000 0000\n", "", "not a possible number"),
        ("Number\n0011 64 9 377 1234\n", "", "The prefix for calls abroad is not clear"),
        ("Number\n+1 514 555 0123 x12\n", "", "This has an extension"),
        ("Number\n1.51455E+10\n", "CA", "A spreadsheet has shortened"),
        ("Number\n+4930123456.25\n", "", "an amount with a fraction"),
    ],
)
def test_what_is_not_clear_is_refused_with_the_true_reason(of_alpha, alpha, northline, typed, region, says):
    url = send(of_alpha, alpha, typed, provider=northline.pk, region=region)
    assert planned() == {}
    assert all(says in reason for _line, _verdict, _column, reason in judged(of_alpha, url))


def test_the_home_country_is_chosen_from_the_start(of_alpha, alpha):
    Account.unscoped.filter(pk=alpha.pk).update(home_country="CA")
    for page in ("import", "add"):
        assert '<option value="CA" selected>Canada +1</option>' in of_alpha.get(f"/{alpha.code}/numbers/{page}/").text


def test_a_customer_has_the_home_country_of_its_reseller_unless_it_has_its_own(of_acme, acme, alpha):
    Account.unscoped.filter(pk=alpha.pk).update(home_country="CA")
    assert '<option value="CA" selected>' in of_acme.get(f"/{acme.code}/numbers/import/").text
    settings = {"contact": "", "email": "", "phone": "", "home_country": "GB"}
    assert of_acme.post(f"/{acme.code}/settings/", settings).status_code == 302
    assert '<option value="GB" selected>' in of_acme.get(f"/{acme.code}/numbers/import/").text
    assert AuditEvent.unscoped.filter(verb="account.changed", after__home_country="GB").count() == 1


def test_what_is_refused_is_corrected_for_all_lines_without_the_file(of_alpha, alpha, northline):
    url = send(of_alpha, alpha, "Number,Label\n514 555 0123,a\n514 555 0124,b\n")
    page = of_alpha.get(url)
    assert "Refused (2)" in page.text
    assert "Correct for all lines" in page.text
    again(of_alpha, url, region="CA")
    assert [reason for *_some, reason in judged(of_alpha, url)] == ["A new number needs a provider."] * 2
    again(of_alpha, url, provider=northline.pk)
    assert planned() == {"+15145550123": "add", "+15145550124": "add"}
    again(of_alpha, url, region="GB")
    assert planned() == {}


def test_how_numbers_without_plus_are_meant_is_chosen(of_alpha, alpha, northline):
    url = send(of_alpha, alpha, "Number\n442079460040\n15145557041\n", region="DE", provider=northline.pk)
    again(of_alpha, url, without_plus="code")
    assert planned() == {"+442079460040": "add", "+15145557041": "add"}
    again(of_alpha, url, without_plus="country")
    assert planned() == {"+49442079460040": "add", "+4915145557041": "add"}


def test_unusual_numbers_are_taken_when_somebody_says_so(of_alpha, alpha, northline):
    url = send(of_alpha, alpha, "Number\n+1 114 555 0123\n", provider=northline.pk)
    assert planned() == {}
    again(of_alpha, url, unusual="on")
    assert planned() == {"+11145550123": "add"}


def test_a_line_is_corrected_on_the_page_and_only_it_is_checked_again(of_alpha, alpha, northline):
    url = send(of_alpha, alpha, "Number,Label\n514,a\n+15145550124,b\n", provider=northline.pk)
    page = of_alpha.get(f"{url}lines/2/")
    assert "Begin with + and the country code" in page.text
    of_alpha.post(f"{url}lines/2/", {"cell_0": "+1 514 555 0123, +1 514 555 0125", "cell_1": "front"})
    assert planned() == {"+15145550123": "add", "+15145550124": "add", "+15145550125": "add"}
    of_alpha.post(f"{url}lines/2/", {"cell_0": "+15145550124", "cell_1": "front"})
    assert [reason for *_some, reason in judged(of_alpha, url)] == ["", "The same number stands in line 2 already."]
    of_alpha.post(f"{url}lines/2/", {"cell_0": "+15145550126", "cell_1": "front"})
    of_alpha.post(url, {"mode": "some"})
    assert dict(PhoneNumber.unscoped.values_list("e164", "label")) == {"+15145550126": "front", "+15145550124": "b"}
    assert of_alpha.get(f"{url}lines/2/").status_code == 302
    assert of_alpha.get(f"{url}lines/99/").status_code == 404


def test_columns_are_chosen_and_remembered(of_alpha, alpha, northline):
    file = "DID,Wer,Site\n+15145550123,Ann,M\n"
    url = send(of_alpha, alpha, file, provider=northline.pk)
    page = of_alpha.get(f"{url}columns/").text
    assert all(text in page for text in ("DID", "Wer", "Site", "Ann", "Ignore"))
    refused = of_alpha.post(f"{url}columns/", {"column_0": "", "column_1": "label", "column_2": "", "empty": "merge"})
    assert (refused.status_code, "Choose the column that the numbers stand in." in refused.text) == (422, True)
    refused = of_alpha.post(
        f"{url}columns/", {"column_0": "number", "column_1": "label", "column_2": "label", "empty": "merge"}
    )
    assert (refused.status_code, "Two columns cannot be the same: Label." in refused.text) == (422, True)
    again(of_alpha, url, column_0="number", column_1="label", column_2="")
    of_alpha.post(url, {"mode": "some"})
    assert PhoneNumber.unscoped.get().label == "Ann"
    send(of_alpha, alpha, file.replace("0123", "0124"), provider=northline.pk)
    assert Import.unscoped.latest("pk").columns == ["number", "label", ""]
    assert Import.unscoped.latest("pk").ignored == ["Site"]
    assert "Columns are read as in the last file with these headings." in Import.unscoped.latest("pk").notes


def test_another_encoding_is_chosen_after_the_file_was_sent(of_alpha, alpha, northline):
    content = "Number,Label\n+15145550123,Приёмная\n".encode("koi8-r")
    url = send(of_alpha, alpha, content, provider=northline.pk)
    again(of_alpha, url, read_as="koi8_r")
    assert "Приёмная" in of_alpha.get(url, {"filter": "all"}).text
    of_alpha.post(url, {"mode": "some"})
    assert PhoneNumber.unscoped.get().label == "Приёмная"


def test_a_number_of_somebody_else_is_promised_to_nobody(of_alpha, alpha, northline):
    """Who has it is not said before or after; that it may be so is."""
    factories.make_number(factories.make_account("var"), e164="+15145550123")
    url = send(of_alpha, alpha, "+15145550123\n", provider=northline.pk)
    assert "If somebody else has it on this system, its line is refused" in of_alpha.get(url).text
    of_alpha.post(url, {"mode": "some"})
    assert [reason for *_some, reason in judged(of_alpha, url)] == ["It is already on the system."]


def test_what_a_program_calls_used_by_refuses_no_line(of_alpha, alpha, northline):
    file = "e164,account_id,used_by\n+15145550123,ab12,callflow\n"
    url = send(of_alpha, alpha, file, provider=northline.pk)
    assert planned() == {"+15145550123": "add"}
    assert "used_by" in Import.unscoped.get().ignored
    own = send(of_alpha, alpha, "Number,Used by\n+15145550124,Ann\n", provider=northline.pk)
    assert "A company sets itself what its numbers ring." in str(judged(of_alpha, own))
    assert url != own


def test_the_same_file_again_changes_nothing(of_alpha, alpha, northline):
    file = "Number,Status,Type,Label\n+15145550123,active,Local,Front\n+15145550124,port_pending,Mobile,\n"
    of_alpha.post(send(of_alpha, alpha, file, provider=northline.pk), {"mode": "some"})
    url = send(of_alpha, alpha, file, provider=northline.pk)
    assert [verdict for _line, verdict, *_why in judged(of_alpha, url)] == ["No change", "No change"]
    before = AuditEvent.unscoped.count()
    of_alpha.post(url, {"mode": "some"})
    assert AuditEvent.unscoped.count() == before


def test_what_an_import_added_is_undone_but_for_what_was_changed_since(of_alpha, alpha, acme, northline):
    old = factories.make_number(alpha, e164="+15145550100")
    url = send(of_alpha, alpha, "Number,Label\n+15145550123,a\n+15145550124,b\n+15145550125,c\n", provider=northline.pk)
    of_alpha.post(url, {"mode": "some"})
    assert ">Undo<" in of_alpha.get(url).text.replace("</svg> Undo", "</svg>>Undo<")
    of_alpha.post(
        f"/{alpha.code}/numbers/15145550124/options/", {"label_text": "kept", "caller_name": "", "voice": "on"}
    )
    confirm = of_alpha.post(f"{url}undo/").url
    assert "1 number that the import added stays: it was assigned or changed since." in of_alpha.get(confirm).text
    assert Job.unscoped.get().total == 2
    of_alpha.post(confirm, {"mode": "some"})
    assert sorted(PhoneNumber.unscoped.values_list("e164", flat=True)) == [old.e164, "+15145550124"]
    assert AuditEvent.unscoped.filter(verb="number.deleted").count() == 2
    page = of_alpha.get(url).text
    assert "<strong>Partly undone</strong>" in page
    assert f'<a href="{confirm}">Undone on ' in page
    assert f"by {Job.unscoped.get().person.name}</a>" in page
    assert "<dt>Deleted by the undo</dt><dd>2</dd>" in page
    # A second time, in another window.
    assert "Undo is not possible any more" in of_alpha.get(url).text
    again = of_alpha.post(f"{url}undo/", follow=True)
    assert "No number of this import can be deleted any more." in again.text
    assert Job.unscoped.count() == 1


def test_an_import_that_was_undone_says_so(of_alpha, alpha, northline):
    url = send(of_alpha, alpha, "Number\n+15145550123\n+15145550124\n", provider=northline.pk)
    of_alpha.post(url, {"mode": "some"})
    confirm = of_alpha.post(f"{url}undo/").url
    # Asked for, and not confirmed.
    assert "<strong>Done</strong>" in of_alpha.get(url).text
    of_alpha.post(confirm, {"mode": "some"})
    page = of_alpha.get(url).text
    assert "<strong>Undone</strong>" in page
    assert "<dt>Done before the undo</dt><dd>2</dd>" in page
    assert "Undo is not possible any more" not in page
    assert '"State">Undone<' in of_alpha.get(f"/{alpha.code}/numbers/imports/").text


def test_the_numbers_of_a_range_stand_at_its_line(of_alpha, alpha, northline):
    content = 'Number,Label\n+15145550100 - 0102,block\n+15145550110,one\n"+15145550103, 12",two\nwords,none\n'
    url = send(of_alpha, alpha, content, provider=northline.pk)

    def rows(**query):
        found = of_alpha.get(url, {"filter": "all"} | query).context["listing"]["rows"]
        return [(row["line"], row["e164"][-4:]) for row in found]

    at_its_line = [(2, "0100"), (2, "0101"), (2, "0102"), (3, "0110"), (4, "0103"), (4, ""), (5, "")]
    assert rows() == at_its_line
    assert rows(sort="-line") == at_its_line[::-1]
    file = of_alpha.get(f"{url}export.csv").getvalue().decode()
    assert [row["Number"] for row in csv.DictReader(io.StringIO(file))] == [
        "+15145550100", "+15145550101", "+15145550102", "+15145550110", "+15145550103", "'+15145550103, 12",
        "words",
    ]  # fmt: skip
    refused = of_alpha.get(f"{url}refused.csv").getvalue().decode("utf-8-sig")
    assert [row["Label"] for row in csv.DictReader(io.StringIO(refused))] == ["two", "none"]


def test_the_lines_of_a_range_are_paged_at_its_line(of_alpha, alpha, northline):
    content = "Number\n+15145550100 - 0139\n+15145550200\n"
    url = send(of_alpha, alpha, content, provider=northline.pk)
    first = of_alpha.get(url, {"filter": "all", "size": "25"})
    second = of_alpha.get(first.context["listing"]["paging"].next_url)
    found = [row["e164"] for page in (first, second) for row in page.context["listing"]["rows"]]
    assert found == [*(f"+15145550{at}" for at in range(100, 140)), "+15145550200"]


def test_what_became_of_each_line_is_said_and_linked(of_alpha, alpha, northline):
    factories.make_number(alpha, e164="+15145550100")
    url = send(of_alpha, alpha, "Number,Label\n+15145550123,a\n+15145550100,new\n12,x\n", provider=northline.pk)
    before = of_alpha.get(url, {"filter": "all"}).text
    assert f'href="/{alpha.code}/numbers/15145550100/"' in before
    assert f'href="/{alpha.code}/numbers/15145550123/"' not in before
    assert f'href="{url}lines/2/"' in before
    of_alpha.post(url, {"mode": "some"})
    assert [verdict for _line, verdict, *_why in judged(of_alpha, url)] == ["Added", "Changed", "Refused"]
    page = of_alpha.get(url, {"filter": "all"}).text
    assert f'href="/{alpha.code}/numbers/15145550123/"' in page
    # Without a choice, refused lines are shown.
    assert f'href="/{alpha.code}/numbers/15145550123/"' not in of_alpha.get(url).text


def test_nobody_corrects_or_undoes_the_import_of_another_account(of_alpha, alpha, northline, client, administrator_of):
    url = send(of_alpha, alpha, "+15145550123\n", provider=northline.pk)
    bravo = factories.make_account("var")
    client.force_login(administrator_of(bravo))
    theirs = url.replace(alpha.code, bravo.code)
    for end in ("columns/", "lines/1/", "undo/"):
        assert client.post(f"{theirs}{end}", {"empty": "merge", "cell_0": "1"}).status_code == 404
    assert planned() == {"+15145550123": "add"}


@pytest.mark.parametrize("content", ["Number,Label\n", "Stock of December\n\nNumber,Company,Label\n,,\n\n"])
def test_a_file_with_a_heading_alone_is_refused_where_another_can_be_chosen(of_alpha, alpha, northline, content):
    sent = {"file": SimpleUploadedFile("numbers.csv", content.encode()), "key": uuid4(), "empty": "merge"}
    page = of_alpha.post(f"/{alpha.code}/numbers/import/", sent | {"provider": northline.pk})
    assert page.status_code == 422
    assert "This file has a heading, but no lines below it. Choose another file." in page.text
    assert not Import.unscoped.exists()
