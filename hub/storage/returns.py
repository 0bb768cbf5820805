"""What an order is worth, said once: a return counts negative, whichever sign it was written with; some count nowhere.

Devices write returns without a sign, imports with one. Reports and the board of today both ask here.
"""

from typing import Any

import sqlalchemy as sa

FELL_AWAY = ("cancelled", "rejected", "declined")
"""States of orders that were taken, and are worth nothing."""


def less_returns(
    is_return: sa.ColumnElement[bool], value: sa.ColumnElement[Any]
) -> sa.ColumnElement[Any]:
    """The value of a document or line; below zero where it is a return."""
    return sa.case((is_return, -sa.func.abs(value)), else_=value)
