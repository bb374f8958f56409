"""What carriers charge, in words."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext as _

from numbers.models import OrderLine


def price(setup: Decimal | None, monthly: Decimal | None, currency: str) -> str:
    """What a number costs, in words; nothing where the carrier has not said."""
    parts = []
    if monthly is not None:
        parts.append(_("%(amount)s %(currency)s/month") % {"amount": f"{monthly:.2f}", "currency": currency})
    if setup:
        parts.append(_("%(amount)s once") % {"amount": f"{setup:.2f}" if parts else f"{setup:.2f} {currency}"})
    return " + ".join(parts)


def prices(lines: Iterable[OrderLine]) -> list[str]:
    """What lines cost together, in each currency."""
    sums: dict[str, list[Decimal]] = {}
    for line in lines:
        if line.monthly is not None or line.setup is not None:
            setup, monthly = sums.get(line.currency, [Decimal(0), Decimal(0)])
            sums[line.currency] = [setup + (line.setup or 0), monthly + (line.monthly or 0)]
    return [price(setup, monthly, currency) for currency, (setup, monthly) in sorted(sums.items())]
