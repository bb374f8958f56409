"""The rows of every table, as lines in COPY's text format."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from django.contrib.auth.hashers import make_password

from numbers.demo.cast import CAST, CAST_DESTINATIONS, CAST_NUMBERS, PASSWORD, PEOPLE, PROVIDERS
from numbers.demo.plans import HOMES, PLANS, STEP
from numbers.demo.words import ADJECTIVES, FIRST, FORMS, GROUPS, LAST, SERVICES, TRADES, VAR_WORDS

NULL = "\\N"


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


def line(*values) -> str:
    r"""A row in COPY's text format; ``None`` becomes ``\N``. No value of ours has a tab, a break or a backslash."""
    return "\t".join("\\N" if value is None else str(value) for value in values) + "\n"


class Rows:
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
            f"{first_call or NULL}\t{last_call or NULL}\t{label}\t\tt\t"
            f"{'t' if sms else 'f'}\t{'t' if fax and chance > 0.9 else 'f'}\n"
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
