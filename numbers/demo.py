"""Invented accounts, destinations and numbers: the named cast, and as much more as is asked for.

The same seed and size give the same rows, dates apart, which are counted from now. Numbers are valid ones in real
numbering plans; every name is invented.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

PASSWORD = "demo-portal-2026"  # noqa: S105 - told to everybody who starts the demo

#: person's address, name, role, code of the account
PEOPLE = [
    ("system@demo.example", "Sam Rivera", "administrator", "SYS"),
    ("support@demo.example", "Sasha Lind", "support", "SYS"),
    ("var@alpha.example", "Ana Alvarez", "administrator", "V1001"),
    ("var@bravo.example", "Bruno Weiss", "administrator", "V1002"),
    ("admin@acme.example", "Amira Haddad", "administrator", "C20001"),
    ("admin@zenith.example", "Zoltán Nagy", "administrator", "C20002"),
    ("pro@jane.example", "Jane Doe", "administrator", "P30001"),
    ("user@acme.example", "Uma Patel", "user", "C20001"),
]
#: code, kind, name, code of the parent
CAST = [
    ("SYS", "system", "Demo Telephone Company", None),
    ("V1001", "var", "Alpha Telecom", "SYS"),
    ("V1002", "var", "Bravo Networks", "SYS"),
    ("C20001", "company", "Acme Corp", "V1001"),
    ("C20002", "company", "Zenith Ltd", "V1002"),
    ("P30001", "professional", "Jane Doe", "V1001"),
]
#: code of the customer, kind, service type, name, extension
CAST_DESTINATIONS = [
    ("C20001", "service", "virtual_receptionist", "Front desk", "100"),
    ("C20001", "service", "virtual_assistant", "Assistant line", "101"),
    ("C20001", "service", "duty_agent", "Night watch", "102"),
    ("C20001", "service", "fax", "Accounting fax", "103"),
    ("C20001", "group", "", "Sales", "200"),
    ("C20001", "group", "", "Support", "201"),
    ("C20001", "user", "", "Uma Patel", "301"),
    ("C20001", "user", "", "Émile Gagné", "302"),
    ("C20001", "user", "", "Noor de Vries", "303"),
    ("C20001", "user", "", "Jürgen Müller", "304"),
    ("C20002", "service", "virtual_receptionist", "Reception", "100"),
    ("C20002", "service", "conference", "Board room", "150"),
    ("C20002", "group", "", "Dispatch", "200"),
    ("C20002", "user", "", "Zoltán Nagy", "301"),
    ("P30001", "user", "", "Jane Doe", "1"),
    ("P30001", "service", "fax", "Fax to e-mail", "2"),
]
#: first number, how many, VAR, customer; 555-01xx is set aside for fiction in North America
CAST_NUMBERS = [
    ("+15145550100", 24, "V1001", "C20001"),
    ("+14165550100", 12, "V1001", ""),
    ("+14385550100", 3, "V1001", "P30001"),
    ("+442079460100", 16, "V1002", "C20002"),
    ("+442079460200", 8, "V1002", ""),
]
#: name, SMS, fax
PROVIDERS = [
    ("Northline", 1, 1),
    ("Bluepeak", 1, 0),
    ("Telnova", 1, 1),
    ("Harbour Voice", 0, 1),
    ("Meridian Carrier", 1, 1),
    ("Voxbridge", 1, 0),
    ("Océane Réseau", 0, 1),
    ("Rheintel", 1, 1),
    ("Southern Cross Wire", 1, 0),
    ("Copperfield", 0, 0),
    ("Skylark Mobile", 1, 0),
    ("Quay Networks", 1, 1),
]
#: country -> area prefixes (with the country code), first and last subscriber number
PLANS = {
    "CA": (["1514", "1416", "1604", "1647", "1438", "1613", "1418", "1780"], 2_000_000, 9_999_999),
    "US": (
        ["1212", "1310", "1312", "1415", "1617", "1202", "1303", "1404", "1305", "1206", "1702"],
        2_000_000,
        9_999_999,
    ),
    "GB": (["44121", "44131", "44161", "44113"], 2_000_000, 7_999_999),
    "DE": (["4930", "4989", "4940", "4969"], 20_000_000, 89_999_999),
    "FR": (["331", "334", "335"], 40_000_000, 59_999_999),
    "ES": (["3491", "3493"], 2_000_000, 8_999_999),
    "IT": (["3902", "3906"], 20_000_000, 79_999_999),
    "NL": (["3110", "3120", "3170"], 2_000_000, 7_999_999),
    "CH": (["4144", "4122", "4131"], 2_000_000, 8_999_999),
    "AU": (["612", "613", "617"], 50_000_000, 99_999_999),
    "JP": (["813"], 30_000_000, 69_999_999),
    "BE": (["322"], 2_000_000, 7_999_999),
    "AT": (["431"], 2_000_000, 8_999_999),
}
STEP = 7_919  # a prime that divides no range above: consecutive numbers of a plan are spread over all of it
HOMES = [("CA", "US"), ("GB",), ("US", "CA"), ("DE", "AT", "CH"), ("FR", "BE"), ("US",), ("NL", "BE"), ("ES", "IT"),
         ("AU", "JP"), ("GB", "FR"), ("US", "GB"), ("CA",)]  # fmt: skip

FIRST = [
    "James",
    "Mary",
    "Robert",
    "Patricia",
    "Émilie",
    "Zoë",
    "José",
    "Noémie",
    "Chloé",
    "Søren",
    "Łukasz",
    "Björn",
    "İpek",
    "Aoife",
    "Nguyễn",
    "Daniela",
    "Matteo",
    "Ingrid",
    "Kenji",
    "Aiko",
    "Piotr",
    "Élodie",
    "Tomáš",
    "Anaïs",
    "Farid",
    "Leïla",
    "Owen",
    "Priya",
    "Hannah",
    "Jonas",
]
LAST = [
    "Tremblay",
    "Gagnon",
    "Côté",
    "Bouchard",
    "Smith",
    "Johnson",
    "Garcia",
    "Müller",
    "Schröder",
    "García",
    "Núñez",
    "Rossi",
    "Bianchi",
    "Dubois",
    "Lefèvre",
    "Janssens",
    "Visser",
    "Öztürk",
    "Nowak",
    "Dvořák",
    "Tanaka",
    "Satō",
    "Walker",
    "O’Brien",
    "Nakamura",
    "Singh",
    "Haddad",
    "Okafor",
    "Lévesque",
    "Bélanger",
]
ADJECTIVES = [
    "Northern",
    "Blue",
    "Global",
    "Summit",
    "Pacific",
    "Atlantic",
    "Prime",
    "Cedar",
    "Maple",
    "Harbour",
    "Iron",
    "Silver",
    "Golden",
    "Crystal",
    "Quantum",
    "Granite",
    "Evergreen",
    "Lakeside",
    "Riverside",
    "Metro",
    "Urban",
    "Étoile",
    "Königs",
    "Südwind",
    "Añejo",
]
TRADES = [
    "Logistics",
    "Dental",
    "Law",
    "Plumbing",
    "Bakery",
    "Insurance",
    "Realty",
    "Motors",
    "Foods",
    "Systems",
    "Consulting",
    "Clinic",
    "Pharmacy",
    "Hotels",
    "Travel",
    "Media",
    "Studios",
    "Energy",
    "Boulangerie",
    "Apotheke",
]
FORMS = ["Inc", "Ltd", "LLC", "Group", "SA", "GmbH", "BV", "Co"]
VAR_WORDS = ["Telecom", "Voice", "Networks", "Communications", "Connect"]
GROUPS = ["Sales", "Support", "Billing", "Reception", "Warehouse", "Engineering", "Management", "Emergency"]
SERVICES = [
    ("virtual_receptionist", "Receptionist"),
    ("virtual_assistant", "Assistant"),
    ("duty_agent", "Duty agent"),
    ("fax", "Fax line"),
    ("conference", "Conference bridge"),
    ("other", "Announcement"),
]


@dataclass(frozen=True)
class Size:
    """How many of each there are besides the cast."""

    numbers: int

    @property
    def vars(self) -> int:
        return max(2, min(200, self.numbers // 1_000))

    @property
    def customers(self) -> int:
        return max(4, self.numbers // 20)

    @property
    def destinations(self) -> int:
        return self.numbers // 2


@transaction.atomic
def write_demo_data(numbers: int, *, seed: int = 2026, now: datetime | None = None) -> int:
    """Write the cast and so many more that there are ``numbers`` phone numbers in all; return how many there are.

    Raises ``AlreadyThere`` unless the database is empty. Indexes are made anew at the end, which is several times
    faster than keeping them up row by row.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_account, numbers_phonenumber IN ACCESS EXCLUSIVE MODE")
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_account)")
        if cursor.fetchone()[0]:
            raise AlreadyThere
        tables = ("accounts_account", "numbers_destination", "numbers_phonenumber")
        rebuild = take_off_indexes(cursor, tables)
        demo = Demo(numbers, random.Random(seed), now or datetime.now(UTC))  # noqa: S311 - for show, not for secrets
        for table, columns, rows in (
            ("numbers_provider", "id, name, supports_voice, supports_sms, supports_fax", demo.providers()),
            ("accounts_account", "id, code, kind, status, name, parent_id", demo.accounts()),
            (
                "numbers_destination",
                "id, var_id, customer_id, kind, service_type, name, extension",
                demo.destinations(),
            ),
            ("numbers_phonenumber", NUMBER_COLUMNS, demo.numbers()),
            ("accounts_person", PERSON_COLUMNS, demo.people()),
        ):
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for chunk in chunks(rows):
                    copy.write(chunk)
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")  # noqa: S608
        for statement in rebuild:
            cursor.execute(statement)
    return demo.written


class AlreadyThere(Exception):
    """Demo data goes into an empty database only."""


NUMBER_COLUMNS = (
    "id, e164, provider_id, var_id, customer_id, assigned_at, destination_id, reserved_for_id, reserved_until,"
    " last_holder_id, cooling_until, first_call_at, last_call_at, label, caller_name, voice, sms, fax"
)
PERSON_COLUMNS = "id, email, name, role, account_id, password, is_active, time_zone, number_format"


def take_off_indexes(cursor, tables: tuple[str, ...]) -> list[str]:
    """Drop the tables' plain indexes and foreign keys; return the statements that make them again."""
    cursor.execute(
        """
        SELECT format('DROP INDEX %%I', i.relname), pg_get_indexdef(i.oid)
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
        WHERE x.indrelid = ANY(%(tables)s::regclass[])
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.oid)
        UNION ALL
        SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
               format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY(%(tables)s::regclass[])
        """,
        {"tables": list(tables)},
    )
    statements = cursor.fetchall()
    for drop, _make in statements:
        cursor.execute(drop)
    return [make for _drop, make in statements]


def chunks(rows: Iterator[str], size: int = 2_000) -> Iterator[str]:
    """Lines joined to pieces that are worth sending."""
    piece = []
    for row in rows:
        piece.append(row)
        if len(piece) == size:
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)


def line(*values) -> str:
    r"""A row in COPY's text format; ``None`` becomes ``\N``. No value of ours has a tab, a break or a backslash."""
    return "\t".join("\\N" if value is None else str(value) for value in values) + "\n"


class Demo:
    """Makes the rows, table after table; each table's method must be used up before the next is begun."""

    def __init__(self, numbers: int, rng: random.Random, now: datetime):
        self.wanted, self.size, self.random, self.now = numbers, Size(numbers), rng, now.replace(microsecond=0)
        self.written = 0
        self.account_ids = {code: i for i, (code, *_rest) in enumerate(CAST, 1)}
        self.var_ids: list[int] = []
        self.customers: list[list[int]] = []  # per VAR, as in var_ids
        self.customer_var: dict[int, int] = {}
        self.rings: dict[int, list[int]] = {}  # customer -> destinations

    def providers(self):
        for i, (name, sms, fax) in enumerate(PROVIDERS, 1):
            yield line(i, name, "t", "t" if sms else "f", "t" if fax else "f")

    def accounts(self):
        pick = self.random.choice
        for code, kind, name, parent in CAST:
            yield line(self.account_ids[code], code, kind, "production", name, self.account_ids.get(parent))
        ids = count(len(CAST) + 1)
        for i in range(self.size.vars):
            self.var_ids.append(next(ids))
            name = f"{ADJECTIVES[i * 7 % len(ADJECTIVES)]} {VAR_WORDS[i % len(VAR_WORDS)]} {i + 1}"
            yield line(self.var_ids[-1], f"V{1003 + i}", "var", "production", name, self.account_ids["SYS"])
        self.customers = [[] for _var in self.var_ids]
        for i in range(self.size.customers):
            account = next(ids)
            place = i if i < self.size.vars else self.skewed(self.size.vars)
            self.customers[place].append(account)
            self.customer_var[account] = self.var_ids[place]
            status = pick(("production",) * 18 + ("trial", "suspended"))
            if i % 8 == 7:
                yield line(account, f"P{30002 + i}", "professional", status, self.person(), self.var_ids[place])
            else:
                name = f"{pick(ADJECTIVES)} {pick(TRADES)} {pick(FORMS)} {i + 1}"
                yield line(account, f"C{20003 + i}", "company", status, name, self.var_ids[place])

    def destinations(self):
        ids, rng = count(1), self.random
        for code, kind, service, name, extension in CAST_DESTINATIONS:
            customer = self.account_ids[code]
            var = self.account_ids[next(parent for c, _k, _n, parent in CAST if c == code)]
            self.rings.setdefault(customer, []).append(number := next(ids))
            yield line(number, var, customer, kind, service, name, extension)
        customers = list(self.customer_var)
        for i in range(self.size.destinations):
            customer = customers[i % len(customers) if i < len(customers) else self.skewed(len(customers), 1.5)]
            here = self.rings.setdefault(customer, [])
            here.append(number := next(ids))
            chance = rng.random()
            kind, service, name = "user", "", self.person()
            if chance > 0.9:
                kind, name = "group", f"{rng.choice(GROUPS)} {len(here)}"
            elif chance > 0.75:
                kind = "service"
                service, name = rng.choice(SERVICES)
            yield line(number, self.customer_var[customer], customer, kind, service, name, 100 + len(here))

    def numbers(self):
        ids = count(1)
        for number, var, customer, destination in self.cast_numbers():
            yield self.number(next(ids), number, var, customer, destination)
        counters: dict[str, int] = {}
        rng = self.random
        while self.written < self.wanted:
            place = self.skewed(len(self.var_ids))
            var = self.var_ids[place]
            homes = HOMES[place % len(HOMES)]
            areas, first, last = PLANS[homes[self.skewed(len(homes))]]
            area = areas[int(rng.random() * len(areas))]
            turn = counters[area] = counters.get(area, 0) + 1
            number = f"+{area}{first + turn * STEP % (last - first)}"
            customer = destination = None
            chance = rng.random()
            if chance < 0.6 and self.customers[place]:
                here = self.customers[place]
                customer = here[self.skewed(len(here), 1.5)]
                rings = self.rings.get(customer)
                if chance < 0.51 and rings:
                    destination = rings[int(rng.random() * len(rings))]
            yield self.number(next(ids), number, var, customer, destination)

    def cast_numbers(self):
        for first, how_many, var, customer in CAST_NUMBERS:
            rings = self.rings.get(self.account_ids.get(customer), [])
            for i in range(how_many):
                yield (
                    f"+{int(first[1:]) + i}",
                    self.account_ids[var],
                    self.account_ids.get(customer),
                    rings[i] if i < len(rings) else None,
                )

    def number(self, number_id, e164, var, customer, destination) -> str:
        rng, now = self.random, self.now
        self.written += 1
        assigned = reserved_for = reserved_until = last_holder = cooling_until = first_call = last_call = None
        chance = rng.random()
        if customer is not None:
            assigned = now - timedelta(days=int(chance * 1500) + 1)
            if chance < 0.8:
                first_call = assigned + timedelta(hours=1)
                last_call = now - timedelta(minutes=int(chance * 1_000_00 % 20_000))
                last_call = max(first_call, last_call)
        elif chance < 0.11:
            own = self.customers_of(var)
            some = own[int(rng.random() * len(own))]
            if chance < 0.05:
                reserved_for, reserved_until = some, now + timedelta(days=1 + int(chance * 600))
            else:
                last_holder, cooling_until = some, now + timedelta(days=1 + int(chance * 300))
        provider = 1 + int(rng.random() * len(PROVIDERS))
        sms, fax = PROVIDERS[provider - 1][1:]
        label = "Main line" if chance > 0.97 else ""
        return (
            f"{number_id}\t{e164}\t{provider}\t{var}\t{customer or NULL}\t{assigned or NULL}\t{destination or NULL}\t"
            f"{reserved_for or NULL}\t{reserved_until or NULL}\t{last_holder or NULL}\t{cooling_until or NULL}\t"
            f"{first_call or NULL}\t{last_call or NULL}\t{label}\t\tt\t{'t' if sms else 'f'}\t{'t' if fax and chance > 0.9 else 'f'}\n"
        )

    def customers_of(self, var: int) -> list[int]:
        if var > len(CAST):
            return self.customers[var - self.var_ids[0]]
        return [self.account_ids[code] for code, kind, _name, parent in CAST if self.account_ids.get(parent) == var]

    def people(self):
        for i, (email, name, role, code) in enumerate(PEOPLE, 1):
            yield line(
                i, email, name, role, self.account_ids[code], make_password(PASSWORD), "t", "UTC", "international"
            )

    def person(self) -> str:
        return f"{self.random.choice(FIRST)} {self.random.choice(LAST)}"

    def skewed(self, size: int, bend: float = 2.2) -> int:
        """An index below ``size``; the low ones come up far more often, as large customers do."""
        return int(size * self.random.random() ** bend)


NULL = "\\N"
