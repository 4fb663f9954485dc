"""Serializer fields of the house."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

_PLACES = Decimal(1).scaleb(-18)
_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)  # the default context holds 28 digits only
_DIGITS = 20  # what numeric(38, 18) holds before the point


@extend_schema_field(OpenApiTypes.STR)
class PlainDecimal(serializers.Field[Decimal, Any, str, Any]):
    """A Decimal as a string without an exponent; JSON numbers are read as well.

    More than 18 places are float noise and rounded; what numeric(38, 18) cannot hold is refused.
    """

    default_error_messages = {
        "invalid": 'Give a decimal number as a string, such as "12.5".',
        "too_large": "The number is too large.",
        "not_positive": "The number must be greater than zero.",
    }

    def __init__(self, *, positive: bool = False, **kwargs: Any) -> None:
        self.positive = positive
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            self.fail("invalid")
        number = self._read(str(data).strip())
        if _is_large(number):
            self.fail("too_large")
        number = number.quantize(_PLACES, context=_WIDE)
        if _is_large(number):  # rounded up to it
            self.fail("too_large")
        if self.positive and number <= 0:
            self.fail("not_positive")
        return number

    def to_representation(self, value: Decimal) -> str:
        return plain(value)

    def _read(self, text: str) -> Decimal:
        """The number as written; Decimal itself would take `1_000` and any script's digits."""
        try:
            number = Decimal(text)
        except InvalidOperation:
            self.fail("invalid")
        if not number.is_finite() or "_" in text or not text.isascii():
            self.fail("invalid")
        return number


def _is_large(number: Decimal) -> bool:
    """By its exponent: arithmetic with 1e1000000000 overflows, and a zero may carry one too."""
    return bool(number) and number.adjusted() >= _DIGITS


def plain(value: Decimal) -> str:
    """Without exponent, trailing zeros or a minus before zero."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
