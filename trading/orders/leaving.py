"""What a tenant that is deleted leaves in the open-order index, whose keys are everybody's."""

from __future__ import annotations

from tenants.lifecycle.workflow import Work
from trading.market.models import Instrument
from trading.orders import index


def forget_orders(work: Work) -> None:
    """Take its orders out of every instrument's. Raises ValkeyAway."""
    for symbol in Instrument.objects.order_by("symbol").values_list("symbol", flat=True):
        named = index.named(symbol)
        index.drop(symbol, [entry for entry in named if entry.tenant_id == work.tenant.pk])
    work.report("no price looks for its orders")
