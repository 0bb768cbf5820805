"""Everything that can be asked, by its code."""

from functools import cache

from hub.analysis.model import execution, orders, sales, shelf, trade
from hub.analysis.model.dimensions import DIMENSIONS
from hub.analysis.model.facts import FACTS
from hub.analysis.model.kinds import Dimension, Fact, Measure
from hub.storage.columnar.terms import linked_in

__all__ = ["DIMENSIONS", "FACTS", "FUNCTION_OF", "MEASURES", "facts_of", "fits", "functions_for"]

MEASURES: dict[str, Measure] = {
    one.code: one for part in (sales, execution, shelf, orders, trade) for one in part.MEASURES
}
"""Every measure by its code."""
FUNCTION_OF = {one.table: one.function for one in FACTS.values()}
"""Table → who may see its rows; what is in no fact (prices, assortments) is everybody's who counts by it."""


def facts_of(measure: Measure) -> tuple[Fact, ...]:
    """The facts that a measure is made of."""
    return tuple(FACTS[code] for code in dict.fromkeys(one.fact for one in measure.formula.bases()))


@cache
def functions_for(measure: Measure) -> tuple[str, ...]:
    """Functions that somebody needs to see it: of its facts, and of the documents that these are compared with."""
    found = [fact.function for fact in facts_of(measure)]
    for base in measure.formula.bases():
        found += [
            FUNCTION_OF[one.table] for one in linked_in(base.figure) if one.table in FUNCTION_OF
        ]
    return tuple(dict.fromkeys(found))


def fits(measure: Measure, dimension: Dimension) -> bool:
    """Whether the measure can be asked by the dimension: by its first fact, at least."""
    return dimension.fits(facts_of(measure)[0])
