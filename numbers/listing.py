"""The list of phone numbers: what a search means, and the SQL that finds, counts, sorts, pages and exports it.

One ``Listing`` is the source of the rows on the page, their count, *select all*, CSV and PDF, so these can never
differ. Nothing else in the portal knows how the rows are found. Three thoughts keep it fast at ten million numbers:

* **Count first, up to a bound.** One statement takes the first ``BOUND`` + 1 matches. When that is all of them it also
  counts, sorts and cuts the page. A statement that sorts first finds rare matches by reading everything.
* **More than that: walk.** To sort by a label, walk the small label table in order and take each label's numbers from
  their index. No label is copied onto a number, so a rename costs one row.
* **Page by key, never by offset.** A cursor is the sort key of the last row seen.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from django.core.cache import caches
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.actor import Actor
from numbers.models import Destination, held_by

BOUND = 10_000
SATURATED_SECONDS = 60
EXPORT_CHUNK = 1 << 16
CURSOR_ROWS = 2_000

TABLES = """
LEFT JOIN numbers_destination d ON d.id = n.destination_id
LEFT JOIN accounts_account c ON c.id = n.customer_id
JOIN accounts_account v ON v.id = n.var_id
JOIN numbers_provider p ON p.id = n.provider_id
LEFT JOIN accounts_account r ON r.id = n.reserved_for_id AND n.reserved_until > now()
"""
FIELDS = """
n.id, n.e164, n.digits, n.label, d.name AS used_by, d.kind AS use_kind, d.service_type,
c.name AS company, c.code AS company_code, v.name AS var, v.code AS var_code, p.name AS provider,
n.first_call_at IS NOT NULL AS active, r.name AS reserved_for, r.id IS NOT NULL AS reserved, n.reserved_until,
CASE WHEN n.cooling_until > now() THEN n.cooling_until END AS cooling_until
"""
#: What is kept of a match until it is counted, sorted and cut.
KEPT = """
n.id, n.digits, n.destination_id, n.customer_id, n.var_id, n.provider_id, n.first_call_at, n.reserved_for_id,
n.reserved_until, n.cooling_until
"""
CUSTOMERS = "l.kind IN ('company', 'professional')"


@dataclass(frozen=True)
class Run:
    """A stretch of the sorted list: the numbers that meet ``where``, in numeric order.

    ``blank`` is the foreign key that ``where`` wants empty, ``active`` the status that it wants.
    """

    where: str = "true"
    blank: str = ""
    active: bool | None = None


@dataclass(frozen=True)
class Walk:
    """A stretch of the sorted list: the numbers of each label in turn, the labels ordered by ``keys`` and id."""

    labels: str
    foreign_key: str
    keys: tuple[str, ...] = ("name_folded",)
    where: str = "true"
    numbers: str = "true"


@dataclass(frozen=True)
class Sort:
    """How one column orders the list: as stretches for a page, as expressions over ``TABLES`` for an export."""

    stretches: tuple[Run | Walk, ...]
    expressions: tuple[str, ...]

    @property
    def key_count(self) -> int:
        """How many text keys come before the label's id."""
        return max((len(s.keys) for s in self.stretches if isinstance(s, Walk)), default=0)


UNRESERVED = "(n.reserved_until IS NULL OR n.reserved_until <= now())"
UNRUNG = Run("n.destination_id IS NULL", blank="destination_id")
SORTS = {
    "number": Sort((Run(),), ()),
    "used_by": Sort((Walk("numbers_destination", "destination_id"), UNRUNG), ("d.name_folded", "d.id")),
    "company": Sort(
        (
            Walk("accounts_account", "customer_id", where=CUSTOMERS),
            Run("n.customer_id IS NULL", blank="customer_id"),
        ),
        ("c.name_folded", "c.id"),
    ),
    "var": Sort((Walk("accounts_account", "var_id", where="l.kind = 'var'"),), ("v.name_folded", "v.id")),
    "use": Sort(
        (Walk("numbers_destination", "destination_id", keys=("kind", "service_type", "name_folded")), UNRUNG),
        ("d.kind", "d.service_type", "d.name_folded", "d.id"),
    ),
    "provider": Sort((Walk("numbers_provider", "provider_id"),), ("p.name_folded", "p.id")),
    "status": Sort(
        (Run("n.first_call_at IS NOT NULL", active=True), Run("n.first_call_at IS NULL", active=False)),
        ("n.first_call_at IS NULL",),
    ),
    "reserved_for": Sort(
        (
            Walk("accounts_account", "reserved_for_id", where=CUSTOMERS, numbers="n.reserved_until > now()"),
            Run(UNRESERVED, blank="reserved_for_id"),
        ),
        ("r.name_folded", "r.id"),
    ),
}
#: searched column -> (foreign key, label table, what else the label must be)
LABELS = {
    "used_by": ("destination_id", "numbers_destination", "true"),
    "company": ("customer_id", "accounts_account", "kind IN ('company', 'professional')"),
    "var": ("var_id", "accounts_account", "kind = 'var'"),
    "provider": ("provider_id", "numbers_provider", "true"),
    "reserved_for": ("reserved_for_id", "accounts_account", "true"),
}
STATES = ("used", "available", "reserved", "cooling")


class BrokenCursor(ValueError):
    """The cursor in the address is not one of ours, or belongs to another sort."""


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after or before a sort key. ``at`` is the row number of the page's first row, if known."""

    key: tuple = ()
    backward: bool = False
    at: int | None = None

    def encode(self, sort: str) -> str:
        text = json.dumps([sort, self.backward, self.at, *self.key], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, sort: str, key_count: int) -> Cursor:
        """Raise ``BrokenCursor`` unless ``text`` is what ``encode`` made for this sort."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            for_sort, backward, at, *key = json.loads(raw.decode())
        except (ValueError, TypeError) as error:
            raise BrokenCursor from error
        whole = [k for k in key if type(k) is int and -1 < k < 1 << 62]
        texts = [k for k in key if isinstance(k, str) and "\0" not in k and len(k) < 500]
        shape = [int, *[str] * key_count, int, int]
        right = (
            for_sort == sort
            and isinstance(backward, bool)
            and (at is None or (type(at) is int and 0 < at < 1 << 62))
            and (not key or ([type(k) for k in key] == shape and len(whole) + len(texts) == len(key)))
        )
        if not right:
            raise BrokenCursor
        return cls(tuple(key), backward, at)


@dataclass
class Page:
    """One page of rows, in order, and where it stands among all that match.

    ``counts`` has ``all`` and each of ``STATES``; a count of ``BOUND`` + 1 means *more than* ``BOUND``.
    ``first`` is the number of the first row, from 1; None where only walking from the start could tell.
    """

    rows: list[dict]
    counts: dict[str, int]
    first: int | None = None
    before: Cursor | None = None
    after: Cursor | None = None
    key_of_first: tuple = ()
    keys: list[tuple] = field(default_factory=list)


@dataclass(frozen=True)
class Listing:
    """The numbers that an actor sees, searched, filtered and sorted.

    ``digits`` are spellings of a piece of a number of which one must occur; ``words`` are the words searched in each of
    the label columns, all of which must occur; ``uses`` are pairs (kind, service type) and ``active`` the status, None
    where not searched. ``ids`` narrows to chosen numbers.
    """

    actor: Actor
    digits: tuple[str, ...] = ()
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    uses: tuple[tuple[str, str], ...] | None = None
    active: bool | None = None
    state: str = "all"
    sort: str = "number"
    descending: bool = False
    ids: tuple[int, ...] | None = None

    # What matches

    @cached_property
    def scope(self) -> dict:
        return held_by(self.actor)

    @cached_property
    def states(self) -> dict[str, str]:
        """The condition of each state; *used* means assigned to a customer, inside a customer: rings something."""
        holder = "n.destination_id" if self.actor.account.is_customer else "n.customer_id"
        return {
            "used": f"{holder} IS NOT NULL",
            "available": f"{holder} IS NULL",
            "reserved": "n.reserved_for_id IS NOT NULL AND n.reserved_until > now()",
            "cooling": "n.cooling_until > now()",
        }

    @cached_property
    def params(self) -> dict:
        """The values of every condition below."""
        params = dict(self.scope)
        if self.ids is not None:
            params["ids"] = list(self.ids)
        if self.digits:
            params["digits"] = [like(piece) for piece in self.digits]
        if self.uses is not None:
            params["uses"] = [f"{kind}:{service}" for kind, service in self.uses]
        for name, words in self.words:
            params |= {f"{name}_{i}": like(word) for i, word in enumerate(words)}
        return params

    @cached_property
    def _own(self) -> list[str]:
        """The conditions on the number's own columns."""
        conditions = [f"n.{column} = %({column})s" for column in self.scope]
        if self.ids is not None:
            conditions.append("n.id = ANY(%(ids)s)")
        if self.digits:
            conditions.append("n.e164 LIKE ANY(%(digits)s)")
        if self.active is not None:
            conditions.append(f"n.first_call_at IS {'NOT ' if self.active else ''}NULL")
        if "reserved_for" in dict(self.words):
            conditions.append("n.reserved_until > now()")
        return conditions

    @cached_property
    def _labels(self) -> dict[str, list[str]]:
        """For each label that is searched, by foreign key, the conditions on the label table's own columns."""
        conditions: dict[str, list[str]] = {}
        for name, words in self.words:
            conditions[LABELS[name][0]] = [f"name_folded LIKE fold(%({name}_{i})s)" for i in range(len(words))]
        if self.uses is not None:
            conditions.setdefault("destination_id", []).append("kind || ':' || service_type = ANY(%(uses)s)")
        return conditions

    @cached_property
    def _subqueries(self) -> dict[str, str]:
        """The searched labels, by foreign key, as statements for their ids.

        What is asked of a destination's customer, or of a customer's VAR, is asked in the small tables: the number has
        its destination's customer and its customer's VAR, by foreign key.
        """
        found, upper = {}, {}
        for name, inner in (("var", "parent_id"), ("company", "customer_id"), ("used_by", ""), ("provider", ""),
                            ("reserved_for", "")):  # fmt: skip
            foreign_key, table, kind = LABELS[name]
            narrowed = {"company": "var", "used_by": "company"}.get(name)
            conditions = self._labels.get(foreign_key, [])
            if not conditions:
                continue
            conditions = [kind, *conditions]
            if table == "numbers_destination":
                conditions += [f"{column} = %({column})s" for column in self.scope]
                if "company" not in upper and "var" in upper:
                    conditions.append(f"var_id IN ({upper.pop('var')})")
                    found.pop("var_id")
            if narrowed in upper:
                column = "parent_id" if narrowed == "var" else "customer_id"
                conditions.append(f"{column} IN ({upper[narrowed]})")
                found.pop(LABELS[narrowed][0])
            statement = f"SELECT id FROM {table} WHERE {' AND '.join(conditions)}"
            found[foreign_key] = statement
            if inner:
                upper[name] = statement
        return found

    def _state(self, *, state: bool) -> list[str]:
        return [self.states[self.state]] if state and self.state != "all" else []

    def where(self) -> str:
        """All conditions on ``n``, for a statement that reads every match."""
        labels = [f"n.{foreign_key} IN ({ids})" for foreign_key, ids in self._subqueries.items()]
        return " AND ".join([*self._own, *labels, *self._state(state=True)]) or "true"

    def _matches(self, columns: str, *, state: bool) -> str:
        """A statement for the first ``BOUND`` + 1 matches in no order, stopping as soon as it has them.

        It begins at the label that says most and takes each label's numbers from their index, so that a rare word
        reads little and a frequent one stops early.
        """
        own = [*self._own, *self._state(state=state)]
        labels = dict(self._subqueries)
        driver = next((fk for fk in ("destination_id", "customer_id", "reserved_for_id") if fk in labels), None)
        source = "numbers_phonenumber n"
        if driver:
            ids = labels.pop(driver)
            own += [f"n.{fk} IN ({ids})" for fk, ids in labels.items()]
            where = " AND ".join([f"n.{driver} = l.id", *own])
            # OFFSET 0 keeps the planner from turning the loop into a join that reads all labels first.
            source = f"({ids}) l CROSS JOIN LATERAL (SELECT * FROM numbers_phonenumber n WHERE {where} OFFSET 0) n"
            own = []
        own += [f"n.{fk} IN ({ids})" for fk, ids in labels.items()] if not driver else []
        return f"SELECT {columns} FROM {source} WHERE {' AND '.join(own) or 'true'} LIMIT {BOUND + 1}"

    def _passing(self, walked: str = "") -> str:
        """All conditions on ``n`` but those on the label that is walked, each for one number at a time.

        For reading in order and stopping after a page: there is no list of labels to make first.
        """
        conditions = [*self._own, *self._state(state=True)]
        for foreign_key, label in self._labels.items():
            if foreign_key != walked:
                table = next(table for fk, table, _kind in LABELS.values() if fk == foreign_key)
                conditions.append(f"(SELECT {' AND '.join(label)} FROM {table} WHERE id = n.{foreign_key})")
        return " AND ".join(conditions) or "true"

    @cached_property
    def _known(self) -> dict[str, bool]:
        """Which foreign keys are surely filled (True) or empty (False) in every match."""
        known = {}
        searched = set(self._labels)
        if "destination_id" in searched:
            known |= {"destination_id": True, "customer_id": True}
        if "customer_id" in searched or self.active:
            known |= {"customer_id": True}
        inside = self.actor.account.is_customer
        if self.state == "used":
            known |= {"customer_id": True} | ({"destination_id": True} if inside else {})
        elif self.state == "available":
            known |= {"destination_id": False} | ({} if inside else {"customer_id": False})
        if self.state in ("reserved", "cooling") or "reserved_for_id" in searched:
            known |= {"customer_id": False}
        if known.get("customer_id") is False:
            known["destination_id"] = False
        if known.get("customer_id"):
            known["reserved_for_id"] = False
        return known

    def _can_be(self, state: str) -> bool:
        """Whether what is searched leaves room for numbers in ``state``: no reserved number has a user, say."""
        searched, wanted = replace(self, state="all")._known, replace(self, state=state, words=(), uses=None)._known
        return not any(searched[column] != wanted[column] for column in searched.keys() & wanted.keys())

    def _can_hold(self, stretch: Run | Walk) -> bool:
        """Whether the stretch can have any match; one that cannot would be read to its end in vain."""
        if isinstance(stretch, Walk):
            return self._known.get(stretch.foreign_key, True)
        if stretch.active is not None:
            if stretch.active and self._known.get("customer_id") is False:
                return False
            return self.active is None or self.active == stretch.active
        return not (self._known.get(stretch.blank))

    # Pages

    def page(self, size: int, cursor: Cursor | None = None, number: int | None = None) -> Page:
        """The page of ``size`` rows at ``cursor``, or page ``number`` counted from 1, or the first."""
        known = self._saturated()
        counts: dict[str, int] = dict.fromkeys(known, BOUND + 1)
        if "all" not in known:
            page = self._matched(size, cursor, number, state_inside=False)
            if page.counts["all"] <= BOUND:
                return page
            counts["all"] = BOUND + 1
        counts |= self._bounded_counts([state for state in STATES if state not in counts])
        self._remember_saturated(counts)
        if counts[self.state] <= BOUND:
            page = self._matched(size, cursor, number, state_inside=True)
        else:
            page = self._walked(size, cursor, number)
        page.counts = counts
        return page

    def exact_count(self) -> int:
        """How many numbers match, however many that are; reads all of them."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM numbers_phonenumber n WHERE {self.where()}", self.params)
            return cursor.fetchone()[0]

    def _saturated_key(self) -> str:
        known = (tuple(self.scope.items()), self.digits, self.words, self.uses, self.active)
        return f"saturated:{hash(known)}"

    def _saturated(self) -> set[str]:
        """Which counts are known to be over the bound. They are believed for a minute: so large a stock does not
        fall below ten thousand unnoticed, and a wrong belief costs a plan and a "more than", never a row."""
        return caches["process"].get(self._saturated_key(), set()) if self.ids is None else set()

    def _remember_saturated(self, counts: dict[str, int]) -> None:
        over = {name for name, count in counts.items() if count > BOUND}
        if over and self.ids is None and over != self._saturated():
            caches["process"].set(self._saturated_key(), over, SATURATED_SECONDS)

    def _bounded_counts(self, states: list[str]) -> dict[str, int]:
        counts = dict.fromkeys((state for state in states if not self._can_be(state)), 0)
        states = [state for state in states if state not in counts]
        if not states:
            return counts
        parts = [
            f"(SELECT count(*) FROM ({replace(self, state=state)._matches('', state=True)}) x)" for state in states
        ]
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(parts), self.params)
            return counts | dict(zip(states, cursor.fetchone(), strict=True))

    def _keys(self, stretch: Run | Walk) -> list[str]:
        """The stretch's text keys and label id as expressions over its label table ``l``; blank for a ``Run``."""
        count = SORTS[self.sort].key_count
        if isinstance(stretch, Run):
            return ["''::text"] * count + ["0::bigint"]
        return [f"l.{key}" for key in stretch.keys] + ["l.id"]

    def _order(self, names: list[str], *, descending: bool) -> str:
        return ", ".join(f"{name} {'DESC' if descending else 'ASC'}" for name in names)

    @property
    def _key_names(self) -> list[str]:
        return ["stretch", *(f"k{i}" for i in range(SORTS[self.sort].key_count)), "label_id", "digits"]

    def _matched(self, size: int, cursor: Cursor | None, number: int | None, *, state_inside: bool) -> Page:
        """Take the matches, count them; if within the bound, sort them and cut the page: one statement."""
        cursor = cursor or Cursor()
        backward = cursor.backward
        names = self._key_names
        params = self.params | {"size": size + 1}
        stretches = []
        outer_state = "true" if state_inside or self.state == "all" else self.states[self.state]
        for index, stretch in enumerate(SORTS[self.sort].stretches):
            keys = [f"{k} AS {name}" for k, name in zip(self._keys(stretch), names[1:-1], strict=True)]
            label, condition = "", stretch.where if isinstance(stretch, Run) else stretch.numbers
            if isinstance(stretch, Walk):
                label = f" JOIN {stretch.labels} l ON l.id = n.{stretch.foreign_key}"
            stretches.append(
                f"SELECT n.id, {index} AS stretch, {', '.join(keys)}, n.digits FROM m n{label}"
                f" WHERE {condition} AND {outer_state}"
            )
        begin = "true"
        if number is not None:
            begin = "place > %(skip)s"
            params["skip"] = (number - 1) * size
        elif cursor.key:
            operator = "<" if backward != self.descending else ">"
            params |= {f"from_{name}": part for name, part in zip(names, cursor.key, strict=True)}
            texts = [
                f"%(from_{name})s{'::text COLLATE ' + chr(34) + 'C' + chr(34) if name[0] == 'k' else ''}"
                for name in names
            ]
            begin = f"({', '.join(names)}) {operator} ({', '.join(texts)})"
        statement = f"""
            WITH m AS MATERIALIZED (
                {self._matches(KEPT, state=state_inside)}
            ), counted AS (
                SELECT count(*) AS count_all,
                       {", ".join(f"count(*) FILTER (WHERE {self.states[s]}) AS count_{s}" for s in STATES)}
                FROM m n
            ), placed AS (
                SELECT *, row_number() OVER (ORDER BY {self._order(names, descending=self.descending)}) AS place
                FROM ({" UNION ALL ".join(stretches)}) x WHERE (SELECT count_all FROM counted) <= {BOUND}
            ), page AS (
                SELECT * FROM placed WHERE {begin}
                ORDER BY {self._order(names, descending=self.descending != backward)} LIMIT %(size)s
            )
            SELECT counted.*, page.place, {", ".join("page." + name for name in names[:-1])}, {FIELDS}
            FROM counted LEFT JOIN (page JOIN numbers_phonenumber n ON n.id = page.id {TABLES}) ON true
            ORDER BY page.place
        """
        rows = fetch(statement, params)
        counts = {name: rows[0][f"count_{name}"] for name in ("all", *STATES)}
        rows = [row for row in rows if row["id"] is not None]
        page = self._cut(rows, size, cursor)
        page.counts = counts
        page.first = page.rows[0]["place"] if page.rows else None
        if number is not None and page.rows and page.first > 1:
            page.before = Cursor(page.key_of_first, backward=True)
        return page

    def _walked(self, size: int, cursor: Cursor | None, number: int | None) -> Page:
        """Take one page out of more matches than the bound, from the indexes."""
        cursor = cursor or Cursor()
        at = cursor.at
        params = self.params | {"size": size + 1}
        names = self._key_names
        if number is not None:
            at = (number - 1) * size + 1
            found = self._key_at(at - 1) if number > 1 else None
            cursor = Cursor((0, 0, found), at=at) if found is not None else Cursor(at=1)
            at = cursor.at
        elif not cursor.key and not cursor.backward:
            at = 1
        descending = self.descending != cursor.backward
        parts = self._parts(cursor, descending, params)
        statement = f"""
            WITH page AS MATERIALIZED (
                SELECT * FROM ({" UNION ALL ".join(f"({part})" for part in parts)}) x
                ORDER BY {self._order(names, descending=descending)} LIMIT %(size)s
            )
            SELECT {", ".join("page." + name for name in names[:-1])}, {FIELDS}
            FROM page JOIN numbers_phonenumber n ON n.id = page.id {TABLES}
            ORDER BY {self._order(["page." + name for name in names], descending=self.descending)}
        """
        page = self._cut(fetch(statement, params), size, cursor)
        page.first = at
        if page.after and at is not None:
            page.after = Cursor(page.after.key, at=at + size)
        if page.before and at is not None:
            page.before = Cursor(page.before.key, backward=True, at=max(at - size, 1))
        return page

    def _parts(self, cursor: Cursor, descending: bool, params: dict) -> list[str]:
        """One statement for each stretch from the cursor on, each in order and no longer than the page."""
        beyond = "<" if descending else ">"
        direction = "DESC" if descending else "ASC"
        key_names = self._key_names[1:-1]
        start = cursor.key[0] if cursor.key else None
        parts = []
        for index, stretch in enumerate(SORTS[self.sort].stretches):
            passed = start is not None and (index > start if descending else index < start)
            if passed or not self._can_hold(stretch):
                continue
            begins_here = index == start
            params |= {"from_digits": cursor.key[-1]} if begins_here else {}
            if isinstance(stretch, Run):
                blank = [f"{k} AS {name}" for k, name in zip(self._keys(stretch), key_names, strict=True)]
                after = f" AND n.digits {beyond} %(from_digits)s" if begins_here else ""
                parts.append(
                    f"SELECT n.id, {index} AS stretch, {', '.join(blank)}, n.digits FROM numbers_phonenumber n"
                    f" WHERE {self._passing()} AND {stretch.where}{after} ORDER BY n.digits {direction} LIMIT %(size)s"
                )
                continue
            keys, passing = self._keys(stretch), self._passing(stretch.foreign_key)
            labelled = [f"{k} AS {name}" for k, name in zip(keys, key_names, strict=True)]
            labels = [stretch.where, *self._label_scope(stretch)]
            if begins_here:
                params |= {f"from_{name}": part for name, part in zip(key_names, cursor.key[1:-1], strict=True)}
                parts.append(
                    f"SELECT n.id, {index} AS stretch, {', '.join(labelled)}, n.digits"
                    f" FROM {stretch.labels} l JOIN numbers_phonenumber n ON n.{stretch.foreign_key} = l.id"
                    f" WHERE l.id = %(from_label_id)s AND {passing} AND {stretch.numbers}"
                    f" AND n.digits {beyond} %(from_digits)s ORDER BY n.digits {direction} LIMIT %(size)s"
                )
                came = ", ".join(f"%(from_{name})s" for name in key_names)
                labels.append(f"({', '.join(keys)}) {beyond} ({came})")
            order = ", ".join(f"{key} {direction}" for key in keys)
            parts.append(
                f"SELECT x.id, {index} AS stretch, {', '.join(labelled)}, x.digits FROM {stretch.labels} l"
                f" CROSS JOIN LATERAL (SELECT n.id, n.digits FROM numbers_phonenumber n"
                f" WHERE n.{stretch.foreign_key} = l.id AND {passing} AND {stretch.numbers}"
                f" ORDER BY n.digits {direction} LIMIT %(size)s) x"
                f" WHERE {' AND '.join(labels)} ORDER BY {order}, x.digits {direction} LIMIT %(size)s"
            )
        return parts

    def _label_scope(self, stretch: Walk) -> list[str]:
        """What narrows the walked labels: the tenant's own, and the words searched in this very label."""
        conditions = []
        if stretch.labels == "numbers_destination":
            conditions += [f"l.{column} = %({column})s" for column in self.scope]
        elif stretch.labels == "accounts_account" and "var_id" in self.scope and stretch.foreign_key != "var_id":
            conditions.append("l.parent_id = %(var_id)s")
        return conditions + self._labels.get(stretch.foreign_key, [])

    def _key_at(self, skipped: int) -> int | None:
        """The digits of the row number ``skipped``, in numeric order, from the index alone."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT n.digits FROM numbers_phonenumber n WHERE {self._passing()}"
                f" ORDER BY n.digits {'DESC' if self.descending else 'ASC'} OFFSET %(skipped)s LIMIT 1",
                self.params | {"skipped": skipped - 1},
            )
            row = cursor.fetchone()
        return row and row[0]

    def _cut(self, rows: list[dict], size: int, cursor: Cursor) -> Page:
        """Take the one row too many off again; it tells that there is more that way."""
        more = len(rows) > size
        if more:
            rows = rows[1:] if cursor.backward else rows[:size]
        names = self._key_names
        keys = [tuple(row[name] for name in names) for row in rows]
        page = Page(rows, {}, keys=keys)
        if keys:
            page.key_of_first = keys[0]
            if more or (cursor.backward and cursor.key):
                page.after = Cursor(keys[-1])
            if (cursor.key and not cursor.backward) or (cursor.backward and more):
                page.before = Cursor(keys[0], backward=True)
            if cursor.backward and not more:
                page.before = None
            if not cursor.backward and not more:
                page.after = None
        return page

    # Exports

    def _ordered(self, columns: str) -> str:
        direction = "DESC" if self.descending else "ASC"
        order = ", ".join(f"{key} {direction}" for key in (*SORTS[self.sort].expressions, "n.digits"))
        return f"SELECT {columns} FROM numbers_phonenumber n {TABLES} WHERE {self.where()} ORDER BY {order}"

    def csv(self, columns: dict[str, str]) -> Iterator[bytes]:
        """All matching rows as CSV, made by the database and passed on as it comes.

        ``columns`` are the names of the columns with their headings, in order.
        """
        yield (",".join(quoted(heading) for heading in columns.values()) + "\r\n").encode()
        cells, params = csv_cells(columns)
        with transaction.atomic(), connection.cursor() as cursor:
            statement = cursor.cursor.mogrify(self._ordered(cells), self.params | params)
            buffer = bytearray()
            with cursor.cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)") as copy:
                for line in copy:
                    buffer += line
                    if len(buffer) >= EXPORT_CHUNK:
                        yield bytes(buffer)
                        buffer.clear()
            yield bytes(buffer)

    def rows(self) -> Iterator[dict]:
        """All matching rows in order, read a few thousand at a time. The caller holds the transaction."""
        with connection.connection.cursor(name="numbers_listing") as cursor:
            cursor.itersize = CURSOR_ROWS
            cursor.execute(self._ordered(FIELDS), self.params)
            names = [column.name for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))


def like(text: str) -> str:
    """A LIKE pattern that finds ``text`` anywhere."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def fetch(statement: str, params: dict) -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in '",\r\n') else text


# CWE-1236, OWASP CSV injection: what a spreadsheet would run as a formula, also in its full-width form.
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"


def csv_cells(columns: dict[str, str]) -> tuple[str, dict]:
    """The SELECT list of a CSV and its parameters. Text that people typed is made inert; a number is never touched."""

    def inert(column: str) -> str:
        return (
            f"CASE WHEN {column} <> '' AND strpos(%(formula_starts)s, left({column}, 1)) > 0"
            f" THEN '''' || {column} ELSE {column} END"
        )

    params = {"formula_starts": FORMULA_STARTS, "active": _("Active"), "pending": _("Pending")}
    uses = []
    for kind, service in USES:
        key = f"use_{kind}_{service}"
        params[key] = use_text(kind, service)
        uses.append(f"WHEN d.kind = '{kind}' AND d.service_type = '{service}' THEN %({key})s")
    cells = {
        "number": "n.e164",
        "used_by": inert("d.name"),
        "company": inert("c.name"),
        "var": inert("v.name"),
        "reserved_for": inert("r.name"),
        "use": f"CASE {' '.join(uses)} END",
        "provider": inert("p.name"),
        "status": "CASE WHEN n.first_call_at IS NULL THEN %(pending)s ELSE %(active)s END",
    }
    return ", ".join(cells[name] for name in columns), params


USES = [
    (Destination.Kind.GROUP.value, ""),
    *((Destination.Kind.SERVICE.value, service.value) for service in Destination.ServiceType),
    (Destination.Kind.USER.value, ""),
]


def use_text(kind: str | None, service_type: str | None) -> str:
    """A use in words: ``User``, ``Group``, ``Service (Duty agent)``; empty without a destination."""
    if not kind:
        return ""
    text = str(Destination.Kind(kind).label)
    return f"{text} ({Destination.ServiceType(service_type).label})" if service_type else text
