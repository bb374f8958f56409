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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.core.cache import caches
from django.db import connection, transaction
from django.utils.translation import gettext as _

from numbers.listing.cells import csv_cells, odd_names, quoted
from numbers.listing.matching import STATES, Matching
from numbers.listing.sorts import FIELDS, FIELDS_OF, KEPT, SORTS, TABLES, Run, Walk
from numbers.models import USES, use_text
from portal import paging, phones
from portal.database.planned import planned_once
from portal.paging import Cursor, Page, cut

__all__ = ["STATES", "Listing"]

REMEMBERED_SECONDS = 60
#: So few numbers are sooner fetched than counted first.
FEW = 2_000
EXPORT_CHUNK = 1 << 16
CURSOR_ROWS = 2_000


@dataclass(frozen=True)
class Listing(Matching):
    """The numbers that an actor sees, searched, filtered and sorted: as pages, counts and exports.

    ``columns`` are those that are shown: of the labels of others nothing is read.
    """

    columns: tuple[str, ...] = ()

    # Pages

    def page(self, size: int, cursor: Cursor | None = None, number: int | None = None) -> Page:
        """The page of ``size`` rows at ``cursor``, or page ``number`` counted from 1, or the first."""
        counts: dict[str, int] = dict.fromkeys(self._saturated(), paging.BOUND + 1)
        if not self._can_be(self.state):
            return self._empty(counts)
        if "all" not in counts:
            page = self._matched(size, cursor, number, "all")
            if page.counts["all"] <= paging.BOUND:
                self._remember_few(page.counts)
                return page
            counts["all"] = paging.BOUND + 1
        counts |= self._known_counts(counts["all"])
        open_states = [state for state in STATES if state not in counts]
        page = None
        if counts.get(self.state, 0) <= paging.BOUND:
            page = self._matched(size, cursor, number, self.state, [s for s in open_states if s != self.state])
            counts |= page.counts
            open_states = []
        if counts[self.state] > paging.BOUND:
            page = self._walked(size, cursor, number, open_states)
            counts |= page.counts
        self._remember_saturated(counts)
        page.counts = counts
        return page

    @property
    def _counts_first(self) -> bool:
        """Whether to count before anything else: where an index alone can tell, and many matches are likely.

        For digits only a VAR's index can: behind row-level security it is the one place where they are searched. No
        index can where labels are searched in a VAR: whose a number is stands in its row.
        """
        if "var_id" in self.scope:
            return not self._labels and not caches["process"].get(self._few_key, False)
        return not self.digits and (bool(self._labels) or not self.actor.account.is_customer)

    def _known_counts(self, every: int) -> dict[str, int]:
        """The counts that follow from the search, of ``every`` match: a number that rings somebody is used."""
        return {state: every for state in STATES if self._must_be(state)} | {
            state: 0 for state in STATES if not self._can_be(state)
        }

    def exact_count(self) -> int:
        """How many numbers match, however many that are; reads all of them."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM numbers_phonenumber n WHERE {self.where()}", self.params)
            return cursor.fetchone()[0]

    def _saturated_key(self) -> str:
        known = (tuple(self.scope.items()), self.digits, self.span, self.numbers, self.words, self.uses, self.active)
        return f"saturated:{hash(known)}"

    def _saturated(self) -> set[str]:
        """Which counts are known to be over the bound. They are believed for a minute: so large a stock does not
        fall below ten thousand unnoticed, and a wrong belief costs a plan and a "more than", never a row."""
        return caches["process"].get(self._saturated_key(), set()) if self.ids is None else set()

    @property
    def _few_key(self) -> str:
        return f"few:{self.actor.account.pk}"

    def _remember_few(self, counts: dict[str, int]) -> None:
        """Remember for a minute whether the account has few numbers. A wrong belief costs a slower plan."""
        if self.scope and not self.is_searched and self.ids is None:
            is_few = counts["all"] <= FEW
            if is_few != caches["process"].get(self._few_key, False):
                caches["process"].set(self._few_key, is_few, REMEMBERED_SECONDS)

    def _remember_saturated(self, counts: dict[str, int]) -> None:
        over = {name for name, count in counts.items() if count > paging.BOUND}
        if over and self.ids is None and over != self._saturated():
            caches["process"].set(self._saturated_key(), over, REMEMBERED_SECONDS)

    def _bounded(self, states: Sequence[str]) -> list[str]:
        """How many match in each of ``states`` up to the bound, as columns."""
        found = {state: replace(self, state=state)._matches("", state=True) for state in states}
        return [f"(SELECT count(*) FROM ({matches}) x) AS count_{state}" for state, matches in found.items()]

    @property
    def key_count(self) -> int:
        """How many text keys come before the label's id."""
        return SORTS[self.sort].key_count

    @property
    def has_numbered_pages(self) -> bool:
        """Whether a page can be had by its number beyond the bound: an index tells in the order of numbers alone."""
        return self.sort == "number"

    @property
    def _stretches(self) -> list[Run | Walk]:
        """The stretches of the list in the order of their places. Numbers without a label come last in both directions:
        who sorts by company wants companies."""
        stretches = list(SORTS[self.sort].stretches)
        has_blanks = any(isinstance(stretch, Run) and stretch.blank for stretch in stretches)
        return stretches[::-1] if self.descending and has_blanks else stretches

    def _keys(self, stretch: Run | Walk) -> list[str]:
        """The stretch's text keys and label id as expressions over its label table ``l``; blank for a ``Run``."""
        if isinstance(stretch, Run):
            return ["''::text"] * self.key_count + ["0::bigint"]
        return [f"l.{key}" for key in stretch.keys] + ["l.id"]

    @property
    def _fields(self) -> str:
        """What is read of a row."""
        return ", ".join([FIELDS, *(fields for name, fields in FIELDS_OF.items() if name in self.columns)])

    def _order(self, names: list[str], *, descending: bool) -> str:
        return ", ".join(f"{name} {'DESC' if descending else 'ASC'}" for name in names)

    @property
    def _key_names(self) -> list[str]:
        return ["stretch", *(f"k{i}" for i in range(self.key_count)), "label_id", "digits"]

    def _matched(
        self, size: int, cursor: Cursor | None, number: int | None, among: str, others: Sequence[str] = ()
    ) -> Page:
        """Take the matches, count them; if within the bound, sort them and cut the page: one statement.

        ``among`` is *all*, and then the states are counted in what was taken, or the state of the listing itself; then
        only that is counted, and ``others`` up to the bound.
        """
        state_inside = among != "all"
        cursor = cursor or Cursor()
        backward = cursor.backward
        names = self._key_names
        params = dict(self.params)
        stretches = []
        outer_state = "true" if state_inside or self.state == "all" else self.states[self.state]
        for index, stretch in enumerate(self._stretches):
            keys = [f"{k} AS {name}" for k, name in zip(self._keys(stretch), names[1:-1], strict=True)]
            label, condition = "", stretch.where if isinstance(stretch, Run) else stretch.numbers
            if isinstance(stretch, Walk):
                own = self.scope_of_labels(stretch.labels, stretch.foreign_key, "l.")
                label = f" JOIN {stretch.labels} l ON {' AND '.join([f'l.id = n.{stretch.foreign_key}', *own])}"
            stretches.append(
                f"SELECT n.id, {index} AS stretch, {', '.join(keys)}, n.digits FROM m n{label}"
                f" WHERE {condition} AND {outer_state}"
            )
        # A page that is counted from the beginning needs no more of the order than its own end.
        begin, needed = "true", ""
        if number is not None or not (cursor.key or backward):
            params["skip"] = ((number or 1) - 1) * size
            begin = "place > %(skip)s"
            needed = f"ORDER BY {self._order(names, descending=self.descending)} LIMIT %(skip)s + {size + 1}"
        elif cursor.key:
            operator = "<" if backward != self.descending else ">"
            params |= {f"from_{name}": part for name, part in zip(names, cursor.key, strict=True)}
            texts = [
                f"%(from_{name})s{'::text COLLATE ' + chr(34) + 'C' + chr(34) if name[0] == 'k' else ''}"
                for name in names
            ]
            begin = f"({', '.join(names)}) {operator} ({', '.join(texts)})"
        counts, counted = [f"(SELECT count FROM total) AS count_{among}"], ""
        if state_inside:
            counts += self._bounded(others)
        else:
            counted = " FROM m n"
            counts += [
                f"count(*) FILTER (WHERE {condition}) AS count_{state}" for state, condition in self.states.items()
            ]
        if self._counts_first:
            matches = f"""
                keys AS MATERIALIZED ({self._matches("n.digits", state=state_inside)}),
                total AS MATERIALIZED (SELECT count(*) FROM keys),
                m AS MATERIALIZED (
                    SELECT n.* FROM keys, LATERAL (
                        SELECT {KEPT} FROM numbers_phonenumber n WHERE n.digits = keys.digits OFFSET 0
                    ) n WHERE (SELECT count FROM total) <= {paging.BOUND}
                )
            """
        else:
            matches = f"""
                m AS MATERIALIZED ({self._matches(KEPT, state=state_inside)}),
                total AS MATERIALIZED (SELECT count(*) FROM m)
            """
        statement = f"""
            WITH {matches}, counted AS (
                SELECT {", ".join(counts)}{counted}
            ), placed AS (
                SELECT *, row_number() OVER (ORDER BY {self._order(names, descending=self.descending)}) AS place
                FROM (
                    SELECT * FROM ({" UNION ALL ".join(stretches)}) x
                    WHERE (SELECT count FROM total) <= {paging.BOUND} {needed}
                ) x
            ), page AS (
                SELECT * FROM placed WHERE {begin}
                ORDER BY {self._order(names, descending=self.descending != backward)} LIMIT {size + 1}
            )
            SELECT counted.*, page.place, {", ".join("page." + name for name in names[:-1])}, {self._fields}
            FROM counted LEFT JOIN (page JOIN numbers_phonenumber n ON n.id = page.id {TABLES}) ON true
            ORDER BY page.place
        """
        rows = self._fetch(statement, params)
        page = self._counted(rows, size, cursor)
        if page.rows:
            page.first = page.rows[0]["place"]
            if number is not None and page.first > 1:
                page.before = Cursor(self._key_of(page.rows[0]), backward=True)
        return page

    def _key_of(self, row: dict) -> tuple:
        return tuple(row[name] for name in self._key_names)

    def _cut(self, rows: list[dict], size: int, cursor: Cursor) -> Page:
        return cut(rows, self._key_of, size, cursor)

    def _counted(self, rows: list[dict], size: int, cursor: Cursor) -> Page:
        """The page out of ``rows``, each of which has the counts with it; one without an id has nothing else."""
        counts = {name.removeprefix("count_"): n for name, n in rows[0].items() if name.startswith("count_")}
        page = self._cut([row for row in rows if row["id"] is not None], size, cursor)
        page.counts = counts
        return page

    def _empty(self, counts: dict[str, int]) -> Page:
        """The page of what cannot be: nothing but counts, those besides ``counts`` taken up to the bound."""
        unasked = counts | self._known_counts(0)
        asked = [state for state in ("all", *STATES) if state not in unasked]
        if asked:
            (found,) = self._fetch(f"SELECT {', '.join(self._bounded(asked))}", self.params)
            counts |= dict(zip(asked, found.values(), strict=True))
        counts |= self._known_counts(counts["all"])
        self._remember_saturated(counts)
        return Page([], counts)

    def _walked(self, size: int, cursor: Cursor | None, number: int | None, states: list[str]) -> Page:
        """Take one page out of more matches than the bound, from the indexes, and count ``states`` up to the bound.

        A page by its number is found in the order of the numbers alone: there the index tells which row it begins with.
        """
        ignored = number is not None and not self.has_numbered_pages
        number = None if ignored else number
        cursor = cursor or Cursor()
        at = cursor.at
        params = dict(self.params)
        names = self._key_names
        begin = "%(from_digits)s"
        if number is not None:
            at = (number - 1) * size + 1
            if number > 1:
                begin = self._digits_at(at - 1)
                cursor = Cursor((0, 0, 0), at=at)
        elif not cursor.key and not cursor.backward:
            at = 1
        descending = self.descending != cursor.backward
        parts = self._parts(cursor, descending, params, size + 1, begin)
        statement = f"""
            WITH page AS MATERIALIZED (
                SELECT * FROM ({" UNION ALL ".join(f"({part})" for part in parts)}) x
                ORDER BY {self._order(names, descending=descending)} LIMIT {size + 1}
            )
            SELECT counted.*, {", ".join("page." + name for name in names[:-1])}, {self._fields}
            FROM (SELECT {", ".join(self._bounded(states))}) counted
            LEFT JOIN (page JOIN numbers_phonenumber n ON n.id = page.id {TABLES}) ON true
            ORDER BY {self._order(["page." + name for name in names], descending=self.descending)}
        """
        page = self._counted(self._fetch(statement, params), size, cursor)
        page.first, page.number_ignored = at, ignored
        if page.after and at is not None:
            page.after = Cursor(page.after.key, at=at + size)
        if page.before and at is not None:
            page.before = Cursor(page.before.key, backward=True, at=max(at - size, 1))
        return page

    def _fetch(self, statement: str, params: dict) -> list[dict]:
        # What is searched is planned each time, because there the plan hangs on the words.
        with connection.cursor() if self.is_searched else planned_once() as cursor:
            cursor.execute(statement, params)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _parts(self, cursor: Cursor, descending: bool, params: dict, most: int, begin: str) -> list[str]:
        """One statement for each stretch from the cursor on, each in order and no longer than ``most`` rows."""
        beyond = "<" if descending else ">"
        direction = "DESC" if descending else "ASC"
        key_names = self._key_names[1:-1]
        start = cursor.key[0] if cursor.key else None
        parts = []
        for index, stretch in enumerate(self._stretches):
            passed = start is not None and (index > start if descending else index < start)
            if passed or not self._can_hold(stretch):
                continue
            begins_here = index == start
            params |= {"from_digits": cursor.key[-1]} if begins_here else {}
            if isinstance(stretch, Run):
                blank = [f"{k} AS {name}" for k, name in zip(self._keys(stretch), key_names, strict=True)]
                after = f" AND n.digits {beyond} {begin}" if begins_here else ""
                parts.append(
                    f"SELECT n.id, {index} AS stretch, {', '.join(blank)}, n.digits FROM numbers_phonenumber n"
                    f" WHERE {self._passing()} AND {stretch.where}{after} ORDER BY n.digits {direction} LIMIT {most}"
                )
                continue
            keys, passing = self._keys(stretch), self._passing(stretch.foreign_key)
            labelled = [f"{k} AS {name}" for k, name in zip(keys, key_names, strict=True)]
            labels = [
                stretch.where,
                *self.scope_of_labels(stretch.labels, stretch.foreign_key, "l."),
                *self._labels.get(stretch.foreign_key, []),
            ]
            if begins_here:
                params |= {f"from_{name}": part for name, part in zip(key_names, cursor.key[1:-1], strict=True)}
                parts.append(
                    f"SELECT n.id, {index} AS stretch, {', '.join(labelled)}, n.digits"
                    f" FROM {stretch.labels} l JOIN numbers_phonenumber n ON n.{stretch.foreign_key} = l.id"
                    f" WHERE l.id = %(from_label_id)s AND {passing} AND {stretch.numbers}"
                    f" AND n.digits {beyond} %(from_digits)s ORDER BY n.digits {direction} LIMIT {most}"
                )
                came = ", ".join(f"%(from_{name})s" for name in key_names)
                labels.append(f"({', '.join(keys)}) {beyond} ({came})")
            order = ", ".join(f"{key} {direction}" for key in keys)
            parts.append(
                f"SELECT x.id, {index} AS stretch, {', '.join(labelled)}, x.digits FROM {stretch.labels} l"
                f" CROSS JOIN LATERAL (SELECT n.id, n.digits FROM numbers_phonenumber n"
                f" WHERE n.{stretch.foreign_key} = l.id AND {passing} AND {stretch.numbers}"
                f" ORDER BY n.digits {direction} LIMIT {most}) x"
                f" WHERE {' AND '.join(labels)} ORDER BY {order}, x.digits {direction} LIMIT {most}"
            )
        return parts

    def _digits_at(self, place: int) -> str:
        """The digits of the row at this place in the order of numbers, counted from 1: a statement for one value."""
        return (
            f"(SELECT n.digits FROM numbers_phonenumber n WHERE {self._passing()}"
            f" ORDER BY n.digits {'DESC' if self.descending else 'ASC'} OFFSET {place - 1} LIMIT 1)"
        )

    def chosen(self) -> tuple[str, dict]:
        """A statement for all matching numbers, with its values: id, number, digits, and since when it stands so."""
        return f"SELECT n.id, n.e164, n.digits, n.since FROM numbers_phonenumber n WHERE {self.where()}", self.params

    # Exports

    def _ordered(self, columns: str) -> str:
        direction = "DESC NULLS LAST" if self.descending else "ASC"
        order = ", ".join(f"{key} {direction}" for key in (*SORTS[self.sort].expressions, "n.digits"))
        return f"SELECT {columns} FROM numbers_phonenumber n {TABLES} WHERE {self.where()} ORDER BY {order}"

    def csv(self, columns: dict[str, str]) -> Iterator[bytes]:
        """All matching rows as CSV, made by the database and passed on as it comes.

        ``columns`` are the names of the columns with their headings, in order.
        """
        yield (",".join(quoted(heading) for heading in columns.values()) + "\r\n").encode()
        with transaction.atomic(), connection.cursor() as cursor:
            cells, params = csv_cells(columns, odd_names(cursor))
            statement = cursor.cursor.mogrify(self._ordered(cells), self.params | params)
            buffer = bytearray()
            with cursor.cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)") as copy:
                for line in copy:  # a row at a time, which ends as the heading does (RFC 4180)
                    buffer += line[:-1]
                    buffer += b"\r\n"
                    if len(buffer) >= EXPORT_CHUNK:
                        yield bytes(buffer)
                        buffer.clear()
            yield bytes(buffer)

    def rows(self) -> Iterator[dict[str, str]]:
        """All matching rows in order, as the texts of their columns, read a few thousand at a time.

        The caller holds the transaction.
        """
        with connection.connection.cursor(name="numbers_listing") as cursor:
            cursor.itersize = CURSOR_ROWS
            cursor.execute(self._ordered(self._fields), self.params)
            names = [column.name for column in cursor.description]
            uses = {use: use_text(*use) for use in USES}
            active, pending = _("Active"), _("Pending")
            for values in cursor:
                row = dict(zip(names, values, strict=True))
                yield {
                    "number": phones.international(row["e164"]),
                    "use": uses.get((row["use_kind"], row["service_type"]), ""),
                    "status": active if row["active"] else pending,
                    **{name: row.get(name) or "" for name in ("used_by", "company", "var", "provider", "reserved_for")},
                }
