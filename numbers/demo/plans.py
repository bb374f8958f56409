"""Numbering plans: the numbers there are to give out, and in which countries a VAR is at home."""

from collections.abc import Sequence
from itertools import count

#: North American exchanges: no service code (N11), not 555, which is set aside for fiction and used by the cast
EXCHANGES = [str(n) for n in range(200, 1000) if n % 100 != 11 and n != 555]
#: country -> area prefixes (with the country code), what a number goes on with, how many digits end it
PLANS: dict[str, tuple[list[str], Sequence[str], int]] = {
    "CA": (["1514", "1416", "1604", "1647", "1438", "1613", "1418", "1780"], EXCHANGES, 4),
    "US": (
        ["1212", "1310", "1312", "1415", "1617", "1202", "1303", "1404", "1305", "1206", "1702"],
        EXCHANGES,
        4,
    ),
    "GB": (["44121", "44131", "44161", "44141"], "234567", 6),
    "DE": (["4930", "4989", "4940", "4969"], "2345678", 7),
    "FR": (["331", "334", "335"], "45", 7),
    "ES": (["3491", "3493"], "2345678", 6),
    "IT": (["3902", "3906"], "234567", 7),
    "NL": (["3110", "3120", "3170"], "234567", 6),
    "CH": (["4144", "4122", "4131"], "2345678", 6),
    "AU": (["612", "613", "617"], "89", 7),
    "JP": (["813"], "3456", 7),
    "BE": (["322"], "234567", 6),
    "AT": (["431"], "2345678", 6),
}
HOMES = [("CA", "US"), ("GB",), ("US", "CA"), ("DE", "AT", "CH"), ("FR", "BE"), ("US",), ("NL", "BE"), ("ES", "IT"),
         ("AU", "JP"), ("GB", "FR"), ("US", "GB"), ("CA",)]  # fmt: skip
# A prime that divides no area's size (sizes are a few heads times a power of ten): stepping by it, round and round,
# meets every number of an area once, and neighbours in the stock are not neighbours in the plan.
STEP = 7_919


class Area:
    """The numbers of one area, each given out once."""

    def __init__(self, prefix: str, heads: Sequence[str], digits: int):
        self.block = 10**digits
        self.bases = [int(prefix + head) * self.block for head in heads]
        self.size = len(heads) * self.block
        self.turns = count(1)

    def next(self) -> int:
        head, rest = divmod(next(self.turns) * STEP % self.size, self.block)
        return self.bases[head] + rest


def areas() -> dict[str, list[Area]]:
    """The areas of every country, nothing given out yet."""
    return {country: [Area(prefix, *rest) for prefix in prefixes] for country, (prefixes, *rest) in PLANS.items()}
