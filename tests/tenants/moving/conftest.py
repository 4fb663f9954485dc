"""What a tenant that moves has traded in."""

from __future__ import annotations

import pytest

from tests.market import Market, list_instrument


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market
