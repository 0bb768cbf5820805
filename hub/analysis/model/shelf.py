"""Measures of the shelf: assortment, availability, share, price, promotions, coolers. Source: domain.md, section 4."""

from fieldmesh.service.translation import N_
from hub.analysis.model.kinds import Mean, Measure, Ratio, Sum, Unit
from hub.analysis.model.prices import list_price
from hub.analysis.model.sales import LINE_SALE, PERCENT, count, distinct, total
from hub.storage.columnar.terms import (
    Both,
    Column,
    Filled,
    Fixed,
    Is,
    Linked,
    Minus,
    Not,
    NotAbove,
    On,
    Relation,
    Size,
    Times,
)

PRICE = 100_000
PRICE_TOLERANCE_PERCENT = 10
"""A shelf price complies when it differs from the default price list by no more."""
WEIGHTS = {
    "assortment": 25,
    "availability": 20,
    "share": 20,
    "price": 15,
    "promotion": 10,
    "point": 10,
}
"""What the pillars of the perfect store weigh; those that were not looked at weigh nothing."""
_OWN, _RIVAL = Is(Column("is_competitor"), (0,)), Is(Column("is_competitor"), (1,))
_THERE, _ABSENT = Is(Column("present"), (1,)), Is(Column("present"), (0,))
_OF_OUTLET = (
    On("product_id", "product_id"),
    On("channel", "visit_id.outlet_id.channel", or_empty=True),
    On("class", "visit_id.outlet_id.class", or_empty=True),
)
_MUST = Linked("assortment", _OF_OUTLET, (Is(Column("required"), (1,)),))
"""The product must stand in outlets of this channel and class."""
_LISTED = Linked("assortment", _OF_OUTLET)
_ORDERED = Linked(
    "order_line",
    (
        On("order_id.outlet_id", "visit_id.outlet_id"),
        On("product_unit_id.product_id", "product_id"),
        On("order_id.date", "visit_id.started_at", relation=Relation.UP_TO),
    ),
    (LINE_SALE,),
)
_DELIVERED = Linked(
    "shipment_line",
    (
        On("shipment_id.outlet_id", "visit_id.outlet_id"),
        On("product_unit_id.product_id", "product_id"),
        On("shipment_id.date", "visit_id.started_at", relation=Relation.UP_TO),
    ),
    (Is(Column("shipment_id.kind"), ("sale",)),),
)
_NEVER_HANDLED = Both((Not(_ORDERED), Not(_DELIVERED)))
_RECOMMENDED = list_price(
    On("product_unit_id.product_id", "product_id"),
    "visit_id.outlet_id.distributor_id",
    "visit_id.started_at",
    Is(Column("product_unit_id.factor"), (1000,)),
)
"""The price of a piece on the default price list of the outlet's distributor, as it was on the day of the visit."""
_COMPARED = Filled(Minus(Column("shelf_price"), _RECOMMENDED))
_COMPLIES = NotAbove(
    Times(Size(Minus(Column("shelf_price"), _RECOMMENDED)), Fixed(PERCENT)),
    Times(_RECOMMENDED, Fixed(PRICE_TOLERANCE_PERCENT)),
)
_YES = Is(Column("value"), ("1", "yes", "true"))


def _asked(kind: str) -> Is:
    return Is(Column("question_id.type"), (kind,))


CHECKS = count("shelf", _OWN)
_MUST_CHECKS, _MUST_THERE = count("shelf", _OWN, _MUST), count("shelf", _OWN, _MUST, _THERE)
_FACINGS = total("shelf", Column("facings"), 1, _OWN)
_MUST_OUTLETS = distinct("shelf", "visit_id.outlet_id", _OWN, _MUST)
_GAP_OUTLETS = distinct("shelf", "visit_id.outlet_id", _OWN, _MUST, _ABSENT)
_SOUND = (
    Is(Column("sighted"), (1,)),
    Not(Is(Column("condition"), ("damaged", "destroyed", "defect"))),
)
_ASSORTMENT = Ratio(_MUST_THERE, _MUST_CHECKS, PERCENT)
_AVAILABILITY = Ratio(count("shelf", _OWN, _THERE), CHECKS, PERCENT)
_SHARE = Ratio(_FACINGS, total("shelf", Column("facings"), 1), PERCENT)
_PRICES = Ratio(
    count("shelf", _OWN, _COMPARED, _COMPLIES), count("shelf", _OWN, _COMPARED), PERCENT
)
_PROMOTIONS = Ratio(
    count("answers", _asked("promotion"), _YES), count("answers", _asked("promotion")), PERCENT
)
_POINT = Ratio(
    Sum((count("answers", _asked("posm"), _YES), count("inspections", *_SOUND))),
    Sum((count("answers", _asked("posm")), count("inspections"))),
    PERCENT,
)

MEASURES = (
    Measure("shelf_checks", N_("Shelf checks"), Unit.COUNT, CHECKS, N_("Own products looked for on shelves.")),
    Measure("availability", N_("On-shelf availability"), Unit.PERCENT,
            Ratio(count("shelf", _OWN, _THERE), CHECKS, PERCENT),
            N_("Own products that stood there / own products looked for.")),
    Measure("out_of_stock", N_("Out of stock"), Unit.PERCENT, Ratio(count("shelf", _OWN, _ABSENT), CHECKS, PERCENT),
            N_("Own products that were absent / own products looked for."), high_is_good=False),
    Measure("must_checks", N_("Must-stock checks"), Unit.COUNT, _MUST_CHECKS,
            N_("Checks of products that the outlet's assortment demands.")),
    Measure("must_gaps", N_("Must-stock gaps"), Unit.COUNT, count("shelf", _OWN, _MUST, _ABSENT),
            N_("Products that the assortment demands and that were absent."), high_is_good=False),
    Measure("compliance", N_("Assortment compliance"), Unit.PERCENT, Ratio(_MUST_THERE, _MUST_CHECKS, PERCENT),
            N_("Demanded products that stood there / demanded products.")),
    Measure("facings", N_("Own facings"), Unit.COUNT, _FACINGS, N_("Facings of own products.")),
    Measure("shelf_share", N_("Share of shelf"), Unit.PERCENT,
            Ratio(_FACINGS, total("shelf", Column("facings"), 1), PERCENT), N_("Own facings / all facings.")),
    Measure("shelf_price", N_("Shelf price"), Unit.MONEY,
            Ratio(total("shelf", Column("shelf_price"), PRICE), count("shelf", Filled(Column("shelf_price")))),
            N_("Average price on the shelf."), high_is_good=None),
    Measure("own_shelf_price", N_("Shelf price, own"), Unit.MONEY,
            Ratio(total("shelf", Column("shelf_price"), PRICE, _OWN),
                  count("shelf", _OWN, Filled(Column("shelf_price")))),
            N_("Average price of own products on the shelf."), high_is_good=None),
    Measure("rival_shelf_price", N_("Shelf price, competitors"), Unit.MONEY,
            Ratio(total("shelf", Column("shelf_price"), PRICE, _RIVAL),
                  count("shelf", _RIVAL, Filled(Column("shelf_price")))),
            N_("Average price of competitors' products on the shelf."), high_is_good=None),
    Measure("price_checks", N_("Price checks"), Unit.COUNT, count("shelf", Filled(Column("shelf_price"))),
            N_("Products whose price was noted.")),
    Measure("out_of_stock_listed", N_("Out of stock, listed products"), Unit.PERCENT,
            Ratio(count("shelf", _OWN, _LISTED, _ABSENT), count("shelf", _OWN, _LISTED), PERCENT),
            N_("Products of the outlet's assortment that were absent / that were looked for."), high_is_good=False),
    Measure("run_out", N_("Run out at handlers"), Unit.COUNT,
            count("shelf", _OWN, _ABSENT, Not(_NEVER_HANDLED)),
            N_("Absent products that the outlet had ordered or got before."), high_is_good=False),
    Measure("never_handled", N_("Never handled"), Unit.COUNT, count("shelf", _OWN, _ABSENT, _NEVER_HANDLED),
            N_("Absent products that the outlet had never ordered or got."), high_is_good=False),
    Measure("full_compliance", N_("Outlets without a gap"), Unit.PERCENT,
            Ratio(Sum((_MUST_OUTLETS,), (_GAP_OUTLETS,)), _MUST_OUTLETS, PERCENT),
            N_("Outlets in which every demanded product stood there / outlets with a must-stock check.")),
    Measure("price_compliance", N_("Price compliance"), Unit.PERCENT, _PRICES,
            N_("Own products whose shelf price is within 10 % of the default price list / compared prices.")),
    Measure("promotion_compliance", N_("Promotions in place"), Unit.PERCENT, _PROMOTIONS,
            N_("Questions of the type promotion that were answered yes / that were answered.")),
    Measure("point_compliance", N_("Materials and coolers in place"), Unit.PERCENT, _POINT,
            N_("Questions of the type posm answered yes, and coolers sighted undamaged / answered and inspected.")),
    Measure("perfect_store", N_("Perfect store"), Unit.DECIMAL,
            Mean(((WEIGHTS["assortment"], _ASSORTMENT), (WEIGHTS["availability"], _AVAILABILITY),
                  (WEIGHTS["share"], _SHARE), (WEIGHTS["price"], _PRICES), (WEIGHTS["promotion"], _PROMOTIONS),
                  (WEIGHTS["point"], _POINT))),
            N_("25 × assortment, 20 × availability, 20 × share of shelf, 15 × price, 10 × promotions,"
               " 10 × materials and coolers; those that were not looked at left out; at most 100.")),
)  # fmt: skip
