"""Money, prices and quantities.

Decimal for people and rules, scaled integers in storage and on the wire.
"""

from decimal import ROUND_HALF_UP, Decimal

MONEY_SCALE = 2
PRICE_SCALE = 5
QUANTITY_SCALE = 3
QUANTITY_PRECISION = 14
"""Digits of a quantity, those after the point included."""


def scaled(value: Decimal, scale: int) -> int:
    """``value`` × 10^scale, rounded half up to a whole number."""
    return int(value.scaleb(scale).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def unscaled(value: int, scale: int) -> Decimal:
    """The Decimal of a scaled integer, with ``scale`` digits after the point."""
    return Decimal(value).scaleb(-scale)
