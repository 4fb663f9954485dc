"""The one way a number of money, price or quantity is stored: numeric(38, 18)."""

from __future__ import annotations

from typing import Any

from django.db import models

from trading.values import DECIMAL_PLACES, MAX_DIGITS


class AmountField(models.DecimalField):  # type: ignore[type-arg]  # generic in the stubs alone
    """A Decimal with 18 places; the unit is in the field's name or its neighbour."""

    def __init__(self, **kwargs: Any) -> None:
        sizes = {"max_digits": MAX_DIGITS, "decimal_places": DECIMAL_PLACES}
        super().__init__(**{**kwargs, **sizes})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs
