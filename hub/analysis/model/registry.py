"""Everything that can be asked, by its code."""

from hub.analysis.model import execution, orders, sales, shelf, trade
from hub.analysis.model.dimensions import DIMENSIONS
from hub.analysis.model.facts import FACTS
from hub.analysis.model.kinds import Dimension, Fact, Measure

__all__ = ["DIMENSIONS", "FACTS", "MEASURES", "facts_of", "fits"]

MEASURES: dict[str, Measure] = {
    one.code: one for part in (sales, execution, shelf, orders, trade) for one in part.MEASURES
}
"""Every measure by its code."""


def facts_of(measure: Measure) -> tuple[Fact, ...]:
    """The facts that a measure is made of."""
    return tuple(FACTS[code] for code in dict.fromkeys(one.fact for one in measure.formula.bases()))


def fits(measure: Measure, dimension: Dimension) -> bool:
    """Whether the measure can be asked by the dimension: by its first fact, at least."""
    return dimension.fits(facts_of(measure)[0])
