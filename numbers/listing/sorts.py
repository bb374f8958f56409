"""The columns of the list as SQL: what a row shows, and how each column orders the rows."""

from dataclasses import dataclass

TABLES = """
LEFT JOIN numbers_destination d ON d.id = n.destination_id
LEFT JOIN accounts_account c ON c.id = n.customer_id
LEFT JOIN accounts_account v ON v.id = n.var_id
JOIN numbers_provider p ON p.id = n.provider_id
LEFT JOIN accounts_account r ON r.id = n.reserved_for_id AND n.reserved_until > now()
"""
FIELDS = """
n.id, n.e164, n.digits, n.label, d.name AS used_by, d.kind AS use_kind, d.service_type, p.name AS provider,
n.first_call_at IS NOT NULL AS active, n.reserved_for_id IS NOT NULL AND n.reserved_until > now() AS reserved,
n.reserved_until, CASE WHEN n.cooling_until > now() THEN n.cooling_until END AS cooling_until
"""
#: What a row shows besides where its column is shown. The database looks up no label of a column that is not.
FIELDS_OF = {
    "company": "c.name AS company, c.code AS company_code",
    "var": "v.name AS var, v.code AS var_code",
    "reserved_for": "r.name AS reserved_for",
}
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
