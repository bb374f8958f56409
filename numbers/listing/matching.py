"""Which numbers a search, a filter and a scope select: the conditions, and the statements that find matches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from accounts.actor import Actor
from numbers.listing.sorts import Run, Walk
from numbers.models import held_by
from portal import paging

#: searched column -> (foreign key, label table, what else the label must be)
LABELS = {
    "used_by": ("destination_id", "numbers_destination", "true"),
    "company": ("customer_id", "accounts_account", "kind IN ('company', 'professional')"),
    "var": ("var_id", "accounts_account", "kind = 'var'"),
    "provider": ("provider_id", "numbers_provider", "true"),
    "reserved_for": ("reserved_for_id", "accounts_account", "true"),
}
STATES = ("used", "available", "reserved", "cooling")


@dataclass(frozen=True)
class Matching:
    """The numbers that an actor sees, searched, filtered and sorted.

    ``digits`` are spellings of a piece of a number of which one must occur; ``words`` are the words searched in each of
    the label columns, all of which must occur; ``uses`` are pairs (kind, service type) and ``active`` the status, None
    where not searched. ``span`` are the first and the last number of a range, as whole numbers, ``numbers`` those of
    a list; ``ids`` narrows to chosen numbers, ``without`` leaves numbers out of what is counted, exported and acted
    on, not out of pages. Digits with % or _ in them are LIKE patterns.
    """

    actor: Actor
    digits: tuple[str, ...] = ()
    span: tuple[int, int] | None = None
    numbers: tuple[int, ...] = ()
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    uses: tuple[tuple[str, str], ...] | None = None
    active: bool | None = None
    state: str = "all"
    sort: str = "number"
    descending: bool = False
    ids: tuple[int, ...] | None = None
    without: tuple[int, ...] = ()

    @cached_property
    def scope(self) -> dict:
        return held_by(self.actor)

    @property
    def is_searched(self) -> bool:
        """Whether anything but the state narrows the list."""
        return (
            bool(self.digits or self.span or self.numbers or self.words or self.uses or self.ids)
            or self.active is not None
        )

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
        if self.without:
            params["without"] = list(self.without)
        if self.digits:
            params["digits"] = [piece if set(piece) & set("%_") else like(piece) for piece in widest(self.digits)]
        if self.numbers:
            params["numbers"] = list(self.numbers)
        if self.span:
            params["first"], params["last"] = self.span
        if self.uses is not None:
            for i, (kind, service) in enumerate(self.uses):
                params |= {f"use_kind_{i}": kind, f"use_service_{i}": service}
        for name, words in self.words:
            params |= {f"{name}_{i}": like(word) for i, word in enumerate(words)}
        return params

    @cached_property
    def _held(self) -> list[str]:
        """The conditions that hold a number to the scope."""
        return [f"n.{column} = %({column})s" for column in self.scope]

    @cached_property
    def _own(self) -> list[str]:
        """What is searched in the number's own columns."""
        conditions = []
        if self.ids is not None:
            conditions.append("n.id = ANY(%(ids)s)")
        if self.digits:
            conditions.append("n.e164 LIKE ANY(%(digits)s)")
        if self.numbers:
            conditions.append("n.digits = ANY(%(numbers)s)")
        if self.span:
            conditions.append("n.digits BETWEEN %(first)s AND %(last)s")
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
            pairs = ", ".join(f"(%(use_kind_{i})s, %(use_service_{i})s)" for i in range(len(self.uses)))
            conditions.setdefault("destination_id", []).append(f"(kind, service_type) IN ({pairs})")
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
            conditions += self.scope_of_labels(table, foreign_key)
            if table == "numbers_destination" and "company" not in upper and "var" in upper:
                conditions.append(f"var_id IN ({upper.pop('var')})")
                found.pop("var_id")
            if narrowed in upper:
                column = "parent_id" if narrowed == "var" else "customer_id"
                # IS TRUE has it asked once: behind row-level security the planner takes every word to be rare, and
                # would look each label's customer up.
                conditions.append(f"({column} IN ({upper[narrowed]})) IS TRUE")
                found.pop(LABELS[narrowed][0])
            statement = f"SELECT id FROM {table} WHERE {' AND '.join(conditions)}"
            found[foreign_key] = statement
            if inner:
                upper[name] = statement
        return found

    def scope_of_labels(self, table: str, foreign_key: str, alias: str = "") -> list[str]:
        """What narrows a label table to the scope's own; by two-column foreign keys, so are these labels' numbers."""
        if table == "numbers_destination":
            return [f"{alias}{column} = %({column})s" for column in self.scope]
        if "var_id" in self.scope and foreign_key in ("customer_id", "reserved_for_id"):
            return [f"{alias}parent_id = %(var_id)s"]
        return []

    def _state(self, *, state: bool) -> list[str]:
        return [self.states[self.state]] if state and self.state != "all" else []

    def where(self) -> str:
        """All conditions on ``n``, for a statement that reads every match."""
        labels = [f"n.{foreign_key} IN ({ids})" for foreign_key, ids in self._subqueries.items()]
        left_out = ["n.id <> ALL(%(without)s)"] if self.without else []
        return " AND ".join([*self._held, *self._own, *labels, *self._state(state=True), *left_out]) or "true"

    def _matches(self, columns: str, *, state: bool) -> str:
        """A statement for the first ``BOUND`` + 1 matches in no order, stopping as soon as it has them.

        It begins at the label that says most and takes each label's numbers from their index, so that a rare word
        reads little and a frequent one stops early.
        """
        labels = dict(self._subqueries)
        driver = next((fk for fk in ("destination_id", "customer_id", "reserved_for_id") if fk in labels), None)
        driving = labels.pop(driver, "")
        conditions = [
            *([f"n.{driver} = l.id"] if driver else self._held),
            *self._own,
            *self._state(state=state),
            *(f"n.{foreign_key} IN ({ids})" for foreign_key, ids in labels.items()),
        ]
        where = " AND ".join(conditions) or "true"
        most = f"LIMIT {paging.BOUND + 1}"
        if not driver:
            return f"SELECT {columns} FROM numbers_phonenumber n WHERE {where} {most}"
        # OFFSET 0 keeps the planner from turning the loop into a join that reads all labels first.
        numbers = f"SELECT {columns or 'true'} FROM numbers_phonenumber n WHERE {where} OFFSET 0"
        return f"SELECT {columns} FROM ({driving}) l CROSS JOIN LATERAL ({numbers}) n {most}"

    def _passing(self, walked: str = "") -> str:
        """All conditions on ``n`` but those on the label that is walked, each for one number at a time.

        For reading in order and stopping after a page: there is no list of labels to make first.
        """
        conditions = [*self._held, *self._own, *self._state(state=True)]
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

    @cached_property
    def _known_of_search(self) -> dict[str, bool]:
        """What is known of every match in whatever state."""
        return self._known if self.state == "all" else replace(self, state="all")._known

    def _can_be(self, state: str) -> bool:
        """Whether what is searched leaves room for numbers in ``state``: no reserved number has a user, say."""
        if not (searched := self._known_of_search):
            return True
        wanted = replace(self, state=state, words=(), uses=None)._known
        return not any(searched[column] != wanted[column] for column in searched.keys() & wanted.keys())

    def _must_be(self, state: str) -> bool:
        """Whether whatever matches is in ``state``: a number that rings somebody is used."""
        holder = "destination_id" if self.actor.account.is_customer else "customer_id"
        filled = self._known_of_search.get(holder)
        return {"used": filled is True, "available": filled is False}.get(state, False)

    def _can_hold(self, stretch: Run | Walk) -> bool:
        """Whether the stretch can have any match; one that cannot would be read to its end in vain."""
        if isinstance(stretch, Walk):
            return self._known.get(stretch.foreign_key, True)
        if stretch.active is not None:
            if stretch.active and self._known.get("customer_id") is False:
                return False
            return self.active is None or self.active == stretch.active
        return not (self._known.get(stretch.blank))


def widest(pieces: tuple[str, ...]) -> list[str]:
    """The pieces of which none contains another one: whatever contains ``+12425142345`` contains ``5142345`` too, and
    the index would be read for both."""
    return [piece for piece in pieces if not any(other in piece for other in pieces if other != piece)]


def like(text: str) -> str:
    """A LIKE pattern that finds ``text`` anywhere."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
