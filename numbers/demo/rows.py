"""The rows of every table, as lines in COPY's text format. No value has a tab, a break or a backslash.

A million lines are wanted in seconds: what many rows share is text made beforehand, and a row puts pieces together.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, count, islice

from django.contrib.auth.hashers import make_password

from numbers.demo.cast import (
    CAST,
    CAST_DESTINATIONS,
    CAST_DETAILS,
    CAST_NUMBERS,
    DEMO_CARRIER,
    PASSWORD,
    PEOPLE,
    PROVIDERS,
)
from numbers.demo.plans import HOMES, Area, areas
from numbers.demo.words import ADJECTIVES, FIRST, FORMS, GROUPS, LAST, SERVICES, TRADES, VAR_WORDS

NULL = "\\N"
#: Contact, e-mail and phone of an account that has none.
SILENT = "\t\t"
NAMES = [f"{first} {last}" for first in FIRST for last in LAST]
#: Where there are so many numbers, the last VAR has exactly this many: a small tenant beside large ones.
SMALL_VAR, SMALL_VAR_FROM = 500, 100_000
#: How many different tenures there are, of which each row takes one.
TENURES = 8_192


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


@dataclass
class Var:
    """A VAR and what its numbers are drawn from."""

    id: int
    customers: list[int] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)


class Rows:
    """Makes the rows, table after table; each table's lines must be used up before the next is begun."""

    def __init__(self, numbers: int, seed: int, now: datetime):
        self.wanted, self.size, self.now = numbers, Size(numbers), now.replace(microsecond=0)
        self.random = random.Random(seed)  # noqa: S311 - for show, not for secrets
        self.ids = {code: i for i, (code, *_rest) in enumerate(CAST, 1)}
        self.cast_vars = {code: Var(self.ids[code]) for code, kind, *_rest in CAST if kind == "var"}
        for code, _kind, _name, parent in CAST:
            if parent in self.cast_vars:
                self.cast_vars[parent].customers.append(self.ids[code])
        self.vars: list[Var] = []
        self.var_of: dict[int, int] = {}  # customer -> VAR
        self.rings: dict[int, list[int]] = {}  # customer -> destinations, at least one each

    def tables(self) -> Iterator[tuple[str, str, Iterator[str]]]:
        """Table, columns and lines, in the order in which they must be written."""
        yield "numbers_provider", "id, name, supports_voice, supports_sms, supports_fax", self.providers()
        yield (
            "accounts_account",
            "id, code, kind, status, name, parent_id, contact, email, phone, home_country, number_quota, cooling_days",
            self.accounts(),
        )
        yield (
            "accounts_person",
            "id, email, name, role, account_id, password, is_active, time_zone, number_format",
            self.people(),
        )
        yield (
            "numbers_destination",
            "id, var_id, customer_id, kind, service_type, name, extension",
            self.destinations(),
        )
        yield (
            "numbers_phonenumber",
            "id, e164, var_id, customer_id, destination_id, assigned_at, first_call_at, last_call_at, reserved_for_id,"
            " reserved_until, last_holder_id, cooling_until, provider_id, label, caller_name, voice, sms, fax",
            self.numbers(),
        )

    def providers(self):
        # Of the last one no number is in the stock: it is to be ordered from.
        for i, (name, sms, fax) in enumerate([*PROVIDERS, (DEMO_CARRIER, True, False)], 1):
            yield f"{i}\t{name}\tt\t{'ft'[sms]}\t{'ft'[fax]}\n"

    def accounts(self):
        for code, kind, name, parent in CAST:
            contact, email, phone, home, quota, days = CAST_DETAILS[code]
            yield (
                f"{self.ids[code]}\t{code}\t{kind}\tproduction\t{name}\t{self.ids.get(parent, NULL)}"
                f"\t{contact}\t{email}\t{phone}\t{home}\t{quota or NULL}\t{days}\n"
            )
        ids = count(len(CAST) + 1)
        country_areas = areas()
        for i in range(self.size.vars):
            homes = [country_areas[country] for country in HOMES[i % len(HOMES)]]
            self.vars.append(var := Var(next(ids), areas=self.mixed(homes)))
            name = f"{ADJECTIVES[i * 7 % len(ADJECTIVES)]} {VAR_WORDS[i % len(VAR_WORDS)]} {i + 1}"
            yield (
                f"{var.id}\tV{1003 + i}\tvar\tproduction\t{name}\t{self.ids['SYS']}"
                f"\t{NAMES[i * 7 % len(NAMES)]}\tservice@v{1003 + i}.example\t+{1_212_555_0100 + i % 100}"
                f"\t{HOMES[i % len(HOMES)][0]}\t{NULL}\t{(30, 30, 60, 10)[i % 4]}\n"
            )
        pick = self.random.choice
        for i in range(self.size.customers):
            account = next(ids)
            var = self.vars[i if i < self.size.vars else self.skewed(self.size.vars)]
            var.customers.append(account)
            self.var_of[account] = var.id
            status = pick(("production",) * 18 + ("trial", "suspended"))
            if i % 8 == 7:
                code, kind, name = f"P{30002 + i}", "professional", pick(NAMES)
            else:
                code, kind = f"C{20003 + i}", "company"
                name = f"{pick(ADJECTIVES)} {pick(TRADES)} {pick(FORMS)} {i + 1}"
            # Two in three have told whom to turn to, half of them have a quota.
            told = f"{NAMES[i * 11 % len(NAMES)]}\toffice@{code.lower()}.example\t+{1_646_555_0100 + i % 100}"
            details = f"{told if i % 3 else SILENT}\t\t{(NULL, 100, NULL, 500)[i % 4]}\t30"
            yield f"{account}\t{code}\t{kind}\t{status}\t{name}\t{var.id}\t{details}\n"

    def people(self):
        password = make_password(PASSWORD)
        for i, (email, name, role, code) in enumerate(PEOPLE, 1):
            yield f"{i}\t{email}\t{name}\t{role}\t{self.ids[code]}\t{password}\tt\tUTC\tinternational\n"

    def destinations(self):
        ids, draw = count(1), self.random.random
        parents = {code: parent for code, _kind, _name, parent in CAST}
        for code, kind, service, name, extension in CAST_DESTINATIONS:
            customer = self.ids[code]
            self.rings.setdefault(customer, []).append(number := next(ids))
            yield f"{number}\t{self.ids[parents[code]]}\t{customer}\t{kind}\t{service}\t{name}\t{extension}\n"
        customers = list(self.var_of)
        for i in range(self.size.destinations):
            customer = customers[i if i < len(customers) else int(len(customers) * draw() ** 1.5)]
            here = self.rings.setdefault(customer, [])
            here.append(number := next(ids))
            chance = draw()
            if chance > 0.9:
                use = f"group\t\t{GROUPS[int(draw() * len(GROUPS))]} {len(here)}"
            elif chance > 0.75:
                use = "service\t{}\t{}".format(*SERVICES[int(draw() * len(SERVICES))])
            else:
                use = f"user\t\t{NAMES[int(draw() * len(NAMES))]}"
            yield f"{number}\t{self.var_of[customer]}\t{customer}\t{use}\t{100 + len(here)}\n"

    def numbers(self):
        draw = self.random.random
        tenures, carriers = self.tenures(), self.carriers()
        ahead = [f"{self.now + timedelta(days=days)}" for days in range(40)]
        none, held = f"{NULL}\t{NULL}\t{NULL}", f"{NULL}\t{NULL}\t{NULL}\t{NULL}"
        drawn = chain(self.cast_numbers(), self.drawn_numbers())
        for number_id, (number, var, customer, destination) in enumerate(islice(drawn, self.wanted), 1):
            tenure, hold = none, held
            if customer is not None:
                tenure = tenures[int(draw() * TENURES)]
            elif (chance := draw()) < 0.11:
                some = var.customers[int(draw() * len(var.customers))]
                if chance < 0.05:
                    hold = f"{some}\t{ahead[1 + int(chance * 600)]}\t{NULL}\t{NULL}"
                else:
                    hold = f"{NULL}\t{NULL}\t{some}\t{ahead[1 + int(chance * 300)]}"
            yield (
                f"{number_id}\t+{number}\t{var.id}\t{customer or NULL}\t{destination or NULL}\t{tenure}\t{hold}"
                f"{carriers[int(draw() * len(carriers))]}"
            )

    def cast_numbers(self) -> Iterator[tuple[int, Var, int | None, int | None]]:
        for first, how_many, var, customer in CAST_NUMBERS:
            rings = self.rings.get(self.ids.get(customer), [])
            for i in range(how_many):
                destination = rings[i] if i < len(rings) else None
                yield int(first[1:]) + i, self.cast_vars[var], self.ids.get(customer), destination

    def drawn_numbers(self) -> Iterator[tuple[int, Var, int | None, int | None]]:
        """Numbers without end, of a few large VARs and many small ones, most of them in use."""
        draw, rings = self.random.random, self.rings
        large, small, every = self.vars, None, 1
        if self.wanted >= SMALL_VAR_FROM:
            *large, small = self.vars
            every = (self.wanted - sum(how_many for _first, how_many, *_holder in CAST_NUMBERS)) // SMALL_VAR
        for i in count():
            if small and i % every == 0 and i < every * SMALL_VAR:
                var = small
            else:
                var = large[int(len(large) * draw() ** 2.2)]
            number = var.areas[int(len(var.areas) * draw())].next()
            customer = destination = None
            if (chance := draw()) < 0.6:
                customer = var.customers[int(len(var.customers) * draw() ** 1.5)]
                if chance < 0.51:
                    here = rings[customer]
                    destination = here[int(len(here) * draw())]
            yield number, var, customer, destination

    def tenures(self) -> list[str]:
        """Since when a number is assigned, its first and its last call; every fifth waits for its first."""
        found = []
        for i in range(TENURES):
            assigned = self.now - timedelta(minutes=1_440 + int(self.random.random() * 1_500 * 1_440))
            if i % 5 == 0:
                found.append(f"{assigned}\t{NULL}\t{NULL}")
                continue
            first = assigned + timedelta(hours=1)
            last = max(first, self.now - timedelta(minutes=int(self.random.random() * 20_000)))
            found.append(f"{assigned}\t{first}\t{last}")
        return found

    def carriers(self) -> list[str]:
        """The end of a row: provider, label and options; some labelled, fax on with one in ten that can."""
        return [
            f"\t{provider}\t{'Main line' if i % 32 == 1 else ''}\t\tt\t{'ft'[sms]}\t{'ft'[fax and i % 10 == 0]}\n"
            for provider, (_name, sms, fax) in enumerate(PROVIDERS, 1)
            for i in range(160)
        ]

    def mixed(self, homes: list[list[Area]]) -> list[Area]:
        """Areas to draw from, each as often as its country comes up: the first most, as with large customers."""
        return [area for _turn in range(200) for area in [self.random.choice(homes[self.skewed(len(homes))])]]

    def skewed(self, size: int) -> int:
        """An index below ``size``; the low ones come up far more often, as large customers do."""
        return int(size * self.random.random() ** 2.2)
