"""What the list selects and in which order, against a plain model of it in Python."""

import csv
import io
import itertools
import unicodedata
from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from accounts.actor import Actor
from accounts.models import Account, Person
from numbers.filters.phone_numbers import PhoneNumberFilter
from numbers.listing.sorts import SORTS
from numbers.models import PhoneNumber, use_text
from numbers.tables import columns_for
from numbers.views.phone_numbers import PhoneNumberList
from portal import paging
from portal.downloads import pdf
from portal.paging import BrokenCursor, Cursor
from tests.factories import make_account, make_destination, make_number, make_person, make_provider, make_system
from tests.pdf_text import body

pytestmark = pytest.mark.django_db
USES = [("user", ""), ("group", ""), ("service", "duty_agent"), ("service", "virtual_receptionist")]
NAMES = [
    "Émile Côté",
    "emile cote",
    "Zoë 100%",
    "_under score",
    "Łódź Nowak",
    "Anna",
    "anna",
    "Ölaf",
    "Sales",
    "=cmd()",
    "Reception of the northern office, second floor",
]


@pytest.fixture
def stock(db):
    """Two VARs with all that can be: every use, state and status, names that differ in case and accents alone."""
    system, now = make_system(), timezone.now()
    providers = [make_provider(name) for name in ("Northline", "Océane", "northern")]
    turn = itertools.count()
    make_person(system, role="administrator")
    for var_name in ("Alpha", "álpha", "Bravo"):
        var = make_account("var", system, var_name)
        make_person(var, role="administrator")
        for kind, name in (("company", "Acme"), ("professional", "acmé"), ("company", "Zenith & Co")):
            customer = make_account(kind, var, name)
            make_person(customer, role="administrator")
            for use, service in USES:
                i = next(turn)
                rings = make_destination(customer, NAMES[i % len(NAMES)], use, service)
                make_number(
                    destination=rings, active=i % 3 > 0, provider=providers[i % 3], e164=f"+44207{9460000 + i * 37}"
                )
                make_number(
                    destination=rings, active=i % 2 > 0, provider=providers[i % 3], e164=f"+1514{5550000 + i * 11}"
                )
            make_number(customer=customer, e164=f"+4930{100000 + i * 7}", provider=providers[0])
            make_number(var=var, reserved_for=customer, reserved_until=now + timedelta(days=1), provider=providers[1])
            make_number(var=var, reserved_for=customer, reserved_until=now - timedelta(days=1), provider=providers[1])
            make_number(var=var, last_holder=customer, cooling_until=now + timedelta(days=1), provider=providers[2])
            make_number(var=var, last_holder=customer, cooling_until=now - timedelta(days=1), provider=providers[2])
        make_number(var=var)
    return


def fold(text):
    text = unicodedata.normalize("NFKD", text.lower())
    text = "".join(c for c in text if not "\u0300" <= c <= "\u036f")
    return text.translate(str.maketrans("łøđħıŧ", "lodhit")).replace("ß", "ss").replace("æ", "ae").replace("œ", "oe")


def model_rows(actor, query):
    """The same question answered row by row, with nothing of the listing's: each row's texts by column."""
    now, inside = timezone.now(), actor.account.kind in ("company", "professional")
    query = QueryDict(query) if isinstance(query, str) else query
    rows = []
    related = ("destination", "customer", "var", "provider", "reserved_for")
    for n in PhoneNumber.unscoped.select_related(*related):
        mine = {"system": True, "var": n.var_id == actor.account.pk}.get(
            actor.account.kind, n.customer_id == actor.account.pk
        )
        reserved = n.reserved_until is not None and n.reserved_until > now
        cooling = n.cooling_until is not None and n.cooling_until > now
        holder = n.destination if inside else n.customer
        state = query.get("filter", "all")
        states = {"all": True, "used": bool(holder), "available": not holder, "reserved": reserved, "cooling": cooling}
        if not mine or not states[state]:
            continue
        d = n.destination
        use = d and (d.get_kind_display() + (f" ({d.get_service_type_display()})" if d.service_type else ""))
        texts = {
            "used_by": d and d.name, "company": n.customer and n.customer.name, "var": n.var.name,
            "provider": n.provider.name, "reserved_for": n.reserved_for.name if reserved else None,
            "use": use, "status": "Active" if n.first_call_at else "Pending",
        }  # fmt: skip
        first, to, last = query.get("number", "").partition(" to ")
        if to and not int(first) <= n.digits <= int(last):
            continue
        if not to and "".join(c for c in first if c.isdigit()) not in n.e164:
            continue
        if not all(
            all(fold(word) in fold(texts[name] or "") for word in query.get(name, "").split()) for name in texts
        ):
            continue
        labels = {
            "number": (), "status": (n.first_call_at is None,),
            "use": d and (d.kind, d.service_type, fold(d.name), d.pk),
            "used_by": d and (fold(d.name), d.pk), "company": n.customer and (fold(n.customer.name), n.customer.pk),
            "var": (fold(n.var.name), n.var.pk), "provider": (fold(n.provider.name), n.provider.pk),
            "reserved_for": (fold(n.reserved_for.name), n.reserved_for.pk) if reserved else None,
        }  # fmt: skip
        sort = query.get("sort", "number").removeprefix("-")
        label = labels[sort]
        row = {"number": n.e164} | {name: text or "" for name, text in texts.items()}
        rows.append(((label is None, label or (), n.digits), row))
    rows.sort(key=lambda keyed: keyed[0], reverse=query.get("sort", "").startswith("-"))
    rows.sort(key=lambda keyed: keyed[0][0])  # what has no label is last in both directions
    return [row for _key, row in rows]


def model_of(actor, query):
    return [row["number"] for row in model_rows(actor, query)]


def asked(actor, query):
    query = QueryDict(query) if isinstance(query, str) else query
    result = PhoneNumberFilter(actor, columns_for(actor), query)
    assert not result.problems, result.problems
    assert not result.refused, result.refused
    return result


def found(actor, query):
    return asked(actor, query).listing()


def walk_rows(listing, size, *, backward=False):
    """Every row, page after page, from one end to the other."""
    rows, cursor = [], Cursor(backward=True) if backward else None
    while True:
        page = listing.page(size, cursor)
        rows = [*page.rows, *rows] if backward else [*rows, *page.rows]
        cursor = page.before if backward else page.after
        if cursor is None:
            return rows


def walk_through(listing, size, *, backward=False):
    return [row["e164"] for row in walk_rows(listing, size, backward=backward)]


def csv_of(listing, columns):
    text = b"".join(listing.csv(columns)).decode()
    return list(csv.reader(io.StringIO(text)))


def pdf_of(actor, query, columns):
    """The cells of the PDF's rows, each row as the texts that are drawn, by column."""
    result = asked(actor, query)
    reader = PdfReader(
        io.BytesIO(b"".join(pdf(actor, "Phone Numbers", PhoneNumberList.widths, result, result.listing()))), strict=True
    )
    rows = [row for page in reader.pages for row in body(page, len(columns))]
    return [dict(zip(columns, row, strict=True)) for row in rows]


#: Columns whose texts are written out in the PDF, however long; a name may end in an ellipsis.
WHOLE = ("number", "use", "status")
SHORTEST_CUT = 16


def as_listed(row):
    """A row of the list as the texts of a model row, those that were read of it."""
    said = {
        "number": row["e164"],
        "use": use_text(row["use_kind"], row["service_type"]),
        "status": "Active" if row["active"] else "Pending",
    }
    return {name: said.get(name) or row.get(name) or "" for name in COLUMNS if name in said or name in row}


def as_in_csv(row, columns):
    """The model row with what a spreadsheet would take for a formula made inert."""
    texts = {name: "'" + text if text[:1] in ("=", "+", "-", "@") else text for name, text in row.items()}
    return [(texts | {"number": row["number"]})[name] for name in columns]


def as_in_pdf(row, drawn):
    """What the PDF should draw of ``row`` where it drew ``drawn``: a cut name counts by the beginning that is left."""
    cut = {
        name: text[: len(drawn[name]) - 1].rstrip() + "…"
        for name, text in row.items()
        if name in drawn and name not in WHOLE and drawn[name].endswith("…") and len(drawn[name]) > SHORTEST_CUT
    }
    return {name: (row | cut)[name] for name in drawn}


ACTORS = ["system", "var", "company", "professional"]
COLUMNS = ["number", "used_by", "company", "var", "use", "provider", "status", "reserved_for"]


@pytest.fixture(params=[10_000, 7], ids=["counted", "walked"])
def bound(request, monkeypatch):
    """Run with everything below the bound and with nearly nothing: the two plans must agree."""
    monkeypatch.setattr(paging, "BOUND", request.param)


def an_actor(kind):
    person = Person.objects.select_related("account").filter(account__kind=kind).order_by("pk").first()
    return Actor.at_home(person)


@pytest.mark.parametrize("kind", ACTORS)
@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
def test_each_sort_pages_without_skipping_or_repeating(stock, bound, kind, descending):
    actor = an_actor(kind)
    for name in columns_for(actor):
        query = f"sort={'-' if descending else ''}{name}"
        expected = model_of(actor, query)
        listing = found(actor, query)
        assert walk_through(listing, 5) == expected, query
        assert walk_through(listing, 5, backward=True) == expected, query


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_list_count_csv_pdf_and_walk_agree_for_any_search_filter_and_sort(stock, bound, data):
    actor = an_actor(data.draw(st.sampled_from(ACTORS)))
    columns = columns_for(actor)
    query = QueryDict(mutable=True)
    query["sort"] = data.draw(st.sampled_from(["", "-"])) + data.draw(st.sampled_from(list(columns)))
    query["filter"] = data.draw(st.sampled_from(list(PhoneNumberFilter.states)))
    words = {
        "number": ["514", "+44 20", "(30)", "55", "+15145550000 to +15145550099"],
        "used_by": ["e", "emile", "ÉMILE cote", "%", "_", "zzz"],
        "company": ["acm", "co zen"], "var": ["alpha", "br"], "use": ["service", "duty", "user"],
        "provider": ["north", "ocea"], "status": ["active", "pend"], "reserved_for": ["acme"],
    }  # fmt: skip
    for name in data.draw(st.sets(st.sampled_from(list(columns)), max_size=3)):
        query[name] = data.draw(st.sampled_from(words[name]))

    rows = model_rows(actor, query)
    expected = [row["number"] for row in rows]
    listing = found(actor, query)

    assert [as_listed(row) for row in walk_rows(listing, 9)] == [{name: row[name] for name in columns} for row in rows]
    assert listing.exact_count() == len(expected)
    counts = listing.page(9).counts
    assert counts[query["filter"]] == min(len(expected), paging.BOUND + 1)
    assert csv_of(listing, columns) == [list(columns.values()), *(as_in_csv(row, columns) for row in rows)]
    drawn = pdf_of(actor, query, columns)
    for cells in drawn:
        cells["number"] = "+" + "".join(c for c in cells["number"] if c.isdigit())
    assert [cells["number"] for cells in drawn] == expected
    assert drawn == [as_in_pdf(row, cells) for row, cells in zip(rows, drawn, strict=True)]


@pytest.mark.parametrize("kind", ACTORS)
def test_counts_of_every_state_are_those_of_the_list(stock, bound, kind):
    actor = an_actor(kind)
    counts = found(actor, "").page(5).counts
    assert counts == {
        state: min(len(model_of(actor, f"filter={state}")), paging.BOUND + 1) for state in PhoneNumberFilter.states
    }


def test_a_page_by_number_is_the_page_reached_by_walking(stock, bound):
    actor = an_actor("system")
    expected = model_of(actor, "sort=-number")
    page = found(actor, "sort=-number").page(10, number=3)
    assert [row["e164"] for row in page.rows] == expected[20:30]
    assert page.first == 21


def test_numbers_sort_by_value_and_not_by_text(alpha, actor_in):
    for e164 in ("+15145550100", "+4930123456", "+442079460000"):
        make_number(var=alpha, e164=e164)
    rows = found(actor_in(alpha), "").page(10).rows
    assert [row["e164"] for row in rows] == ["+4930123456", "+15145550100", "+442079460000"]


def test_csv_makes_formulas_inert_and_leaves_numbers_alone(acme, actor_in):
    names = ["=1+1", "+1+1", "-1+1", "@x", "＝1", "plain", 'quo"te, comma', "+1"]
    for i, name in enumerate(names):
        make_number(destination=make_destination(acme, name), e164=f"+1514555010{i}")
    rows = csv_of(found(actor_in(acme), ""), {"number": "Number", "used_by": "Used by"})
    assert rows[0] == ["Number", "Used by"]
    assert [row[0] for row in rows[1:]] == [f"+1514555010{i}" for i in range(len(names))]
    assert [row[1] for row in rows[1:]] == ["'=1+1", "'+1+1", "'-1+1", "'@x", "'＝1", "plain", 'quo"te, comma', "+1"]


@pytest.mark.parametrize("rows", [1, 3, 30])
def test_a_page_takes_one_statement_at_any_size(alpha, actor_in, rows, django_assert_num_queries):
    for _ in range(rows):
        make_number(var=alpha)
    listing = found(actor_in(alpha), "")
    with django_assert_num_queries(1):
        listing.page(25)


@pytest.mark.parametrize("sort", list(SORTS))
def test_a_page_by_number_is_found_in_any_order_or_the_list_begins_anew(stock, bound, sort):
    actor = an_actor("var" if sort == "reserved_for" else "system")
    expected = model_of(actor, f"sort={sort}")
    page = found(actor, f"sort={sort}").page(10, number=2)
    begin = 0 if page.number_ignored else 10
    assert [row["e164"] for row in page.rows] == expected[begin : begin + 10]
    assert page.number_ignored == (paging.BOUND < 10 and sort != "number")


def test_a_page_out_of_more_than_the_bound_takes_at_most_two_statements(stock, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(paging, "BOUND", 7)
    listing = found(an_actor("system"), "")
    with django_assert_num_queries(2):
        listing.page(5)
    # It is now known that there are so many: what was counted over the bound is not counted again.
    with django_assert_num_queries(1):
        listing.page(5)


@pytest.mark.parametrize(
    "text",
    ["", "x", "%%%", "bnVsbA", "WyJudW1iZXIiXQ", "WyJudW1iZXIiLGZhbHNlLG51bGwsMCwwLDFlOTld", "é", "A" * 10_000,
     "WyJjb21wYW55IixmYWxzZSxudWxsLDAsIlx1MDAwMCIsMSwxXQ"],
)  # fmt: skip
def test_a_broken_cursor_is_refused(text):
    with pytest.raises(BrokenCursor):
        Cursor.decode(text, "number", SORTS["number"].key_count)


@given(st.text(max_size=30).filter(lambda t: "\0" not in t), st.integers(0, 2**60), st.booleans())
def test_a_cursor_survives_its_address(text, number, backward):
    cursor = Cursor((0, text, number, number), backward, number or None)
    try:
        coded = cursor.encode("company")
    except UnicodeEncodeError:
        return
    assert Cursor.decode(coded, "company", 1) == cursor


def test_nobody_sees_another_tenants_numbers(alpha, bravo, acme, zenith, actor_in):
    own, foreign = make_number(customer=acme), make_number(customer=zenith)
    for account in (alpha, acme):
        listing = found(actor_in(account), "")
        assert [row["e164"] for row in listing.page(10).rows] == [own.e164]
        assert foreign.e164 not in b"".join(listing.csv({"number": "Number"})).decode()
        chosen = found(actor_in(account), f"selected={own.pk}&selected={foreign.pk}")
        assert [row["e164"] for row in chosen.page(10).rows] == [own.e164]
    assert Account.unscoped.count() == 5
