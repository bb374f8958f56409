"""The operator's own rules for calls: prefixes that are blocked or allowed, and prices.

They stand in a text file, ``CALL_RULES``, that is read again as soon as it has changed: what fraud calls tonight is
blocked tonight. One rule a line; the longest prefix that fits decides::

    block +4470            # personal numbers
    allow +88213           # our own satellite phones
    price +1 0.01          # a minute, in the currency of the budgets
    price +44 0.02
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

T = TypeVar("T")
log = logging.getLogger("webphone.rules")
RULE = re.compile(
    r"(?P<verb>block|allow) (?P<prefix>\+[0-9]{1,15})|price (?P<priced>\+[0-9]{0,15}) (?P<price>\d{1,5}(\.\d{1,4})?)"
)


@dataclass(frozen=True)
class CallRules:
    """Prefixes of numbers in E.164 form: whether they may be called, and what a minute costs."""

    allowed: Mapping[str, bool] = field(default_factory=dict)
    prices: Mapping[str, Decimal] = field(default_factory=dict)

    def verdict(self, e164: str) -> bool | None:
        """Whether the number is allowed or blocked; None where no rule is about it."""
        return longest(self.allowed, e164)

    def price(self, e164: str) -> Decimal:
        """What a minute costs; 0 where no price is known."""
        return longest(self.prices, e164) or Decimal()


def longest(rules: Mapping[str, T], e164: str) -> T | None:
    """What the rule with the longest prefix of the number says."""
    return next((rules[e164[:end]] for end in range(len(e164), 0, -1) if e164[:end] in rules), None)


def read(text: str) -> CallRules:
    """The rules in a text. Raises ``ValueError`` with the number of the first line that is no rule."""
    allowed, prices = {}, {}
    for count, line in enumerate(text.splitlines(), 1):
        rule = " ".join(line.partition("#")[0].split())
        if not rule:
            continue
        found = RULE.fullmatch(rule)
        if found is None:
            raise ValueError(f"line {count}")
        if found["verb"]:
            allowed[found["prefix"]] = found["verb"] == "allow"
        else:
            prices[found["priced"]] = Decimal(found["price"])
    return CallRules(allowed, prices)


@lru_cache(maxsize=1)
def read_file(path: str, _changed: tuple[int, int]) -> CallRules:
    return read(Path(path).read_text())


def call_rules() -> CallRules:
    """The rules as they are now. Raises ``ValidationError`` where they cannot be read: a rule that blocks could be
    among those that were not understood."""
    path = settings.CALL_RULES
    if not path:
        return CallRules()
    try:
        facts = Path(path).stat()
        return read_file(path, (facts.st_mtime_ns, facts.st_size))
    except (OSError, ValueError) as error:
        log.error("CALL_RULES cannot be used: %s", error if isinstance(error, ValueError) else type(error).__name__)
        raise ValidationError(_("No call can be placed: the operator's list of prefixes has an error.")) from error
