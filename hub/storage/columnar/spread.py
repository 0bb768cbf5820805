"""Where products stand, as one SELECT: the outlets that handle them, and what these sell of the products' categories.

handled    line, outlet, category, once each, whichever documents say so
worth      what each outlet sells of each category, whatever the products that are asked about
answer     for each line: outlets; worth of the handled; worth of all outlets in the line's categories
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.storage.columnar.query import Asker, selected, text_of
from hub.storage.columnar.terms import Asked


@dataclass(frozen=True, slots=True)
class Handling:
    """What is asked.

    Attributes:
        handled: documents that say who handles what; keys: those of the line, outlet, category; no figures.
        worth: documents that say what is sold; keys: those of ``universe``, outlet, category; one figure.
        wide: how many keys a line has.
        universe: places among them of the keys that do not depend on the product.
        most: more lines than this are refused.
    """

    handled: Sequence[tuple[Asked, Asker]]
    worth: Sequence[tuple[Asked, Asker]]
    wide: int
    universe: tuple[int, ...]
    most: int


def spread(asked: Handling) -> tuple[str, list[Any]]:
    """SQL text and its values. A line is: its keys, outlets, worth of the handled, worth of all.

    Raises:
        Rejected: `unknown_column`.
    """
    handled = sa.union(*(selected(*one) for one in asked.handled)).cte("handled")
    sold = sa.union_all(*(selected(*one) for one in asked.worth)).subquery("sold")
    wide, narrow = asked.wide, len(asked.universe)
    worth = _summed(sold, narrow + 2, sold.c.f0, "worth")
    category = _summed(worth, (*range(narrow), narrow + 1), worth.c.total, "category")
    keys = [handled.c[f"k{n}"] for n in range(wide)]
    same = [(handled.c[f"k{own}"], n) for n, own in enumerate(asked.universe)]
    of_outlet = _joined(
        worth, [*same, (handled.c[f"k{wide}"], narrow), (handled.c[f"k{wide + 1}"], narrow + 1)]
    )
    counted = sa.select(
        *keys, sa.func.count(sa.distinct(handled.c[f"k{wide}"])).label("outlets"),
        sa.func.sum(worth.c.total).label("handled"),
    ).select_from(handled.outerjoin(worth, of_outlet))  # fmt: skip
    lines = _grouped(counted, keys).subquery("lines")
    known = sa.select(*keys, handled.c[f"k{wide + 1}"].label("c")).distinct().subquery("known")
    of_category = _joined(
        category, [(known.c[f"k{own}"], n) for n, own in enumerate(asked.universe)] + [(known.c.c, narrow + 1)]
    )  # fmt: skip
    known_keys = [known.c[f"k{n}"] for n in range(wide)]
    summed = sa.select(*known_keys, sa.func.sum(category.c.total).label("universe"))
    universe = _grouped(
        summed.select_from(known.outerjoin(category, of_category)), known_keys
    ).subquery("universe")
    query = sa.select(
        *(lines.c[f"k{n}"] for n in range(wide)), lines.c.outlets, lines.c.handled, universe.c.universe
    ).select_from(
        lines.join(universe, _joined(universe, [(lines.c[f"k{n}"], n) for n in range(wide)]))
    )  # fmt: skip
    return text_of(query.limit(asked.most + 1))


def _summed(
    rows: sa.FromClause, places: int | Sequence[int], value: sa.ColumnElement[Any], name: str
) -> sa.CTE:
    """The sum of a value by some of the keys."""
    chosen = range(places) if isinstance(places, int) else places
    keys = [rows.c[f"k{n}"] for n in chosen]
    query = sa.select(*keys, sa.func.sum(value).label("total"))
    return _grouped(query, keys).cte(name)


def _grouped(query: sa.Select[Any], keys: Sequence[sa.ColumnElement[Any]]) -> sa.Select[Any]:
    return query.group_by(*keys) if keys else query


def _joined(
    rows: sa.FromClause, pairs: Sequence[tuple[sa.ColumnElement[Any], int]]
) -> sa.ColumnElement[bool]:
    """Each value is that of the rows' key, a missing one that of a missing one."""
    same = (value.is_not_distinct_from(rows.c[f"k{n}"]) for value, n in pairs)
    return sa.and_(sa.true(), *same)
