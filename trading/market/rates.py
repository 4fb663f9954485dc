"""What one currency is worth in another, by the instruments that are traded between them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Q

from trading.market import queries
from trading.market.models import Instrument
from trading.values import exact

_ONE = Decimal(1)


@exact()
def rates(currencies: Iterable[str], into: str) -> dict[str, Decimal | None]:
    """What one unit of each is worth in `into`; None where no price says it, which is not 0.

    By the instrument that is priced in `into`, or else by the one that prices `into` in it. Nothing
    is reckoned by way of a third currency.
    """
    wanted = set(currencies) - {into}
    known = _known(wanted, into)
    found = {currency: known.get((currency, into)) for currency in wanted}
    for currency, rate in found.items():
        inverse = known.get((into, currency))
        if rate is None and inverse:
            found[currency] = _ONE / inverse
    return {into: _ONE, **found}


def _known(currencies: set[str], into: str) -> dict[tuple[str, str], Decimal]:
    """Last prices between each and `into`, by base and quote."""
    if not currencies:
        return {}
    between = Q(base__in=currencies, quote=into) | Q(base=into, quote__in=currencies)
    pairs = {row.symbol: (row.base, row.quote) for row in Instrument.objects.filter(between)}
    quotes = queries.quotes(sorted(pairs))
    return {pairs[s]: quote.price for s, quote in quotes.items() if quote.price is not None}
