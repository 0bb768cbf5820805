"""Merchandising: questionnaires, answers, what stands on the shelf."""

from fieldmesh.data.columns import code, date, flag, link, price, quantity, text, whole
from fieldmesh.data.model import replicated
from fieldmesh.data.policy import (
    FIELD,
    HUB_WRITES,
    Audience,
    Conflict,
    Follows,
    Global,
    PartitionRule,
    Policy,
)


def _by_hub(partition: PartitionRule) -> Policy:
    return Policy(partition, Audience.DEVICE, HUB_WRITES, Conflict.HUB_WINS)


def _from_field(partition: PartitionRule) -> Policy:
    return Policy(partition, Audience.DEVICE, FIELD, Conflict.INSERT_ONLY)


SURVEY_TEMPLATE = replicated(
    "survey_template",
    100,
    _by_hub(Global()),
    code(),
    text("name"),
    whole("version", null=False, default=1),
    text("target_rule", 2000),
    date("valid_from"),
    date("valid_to"),
    text("status", 20, null=False, default="active"),
)
QUESTION = replicated(
    "question",
    101,
    _by_hub(Follows("survey_template", "template_id")),
    link("template_id", "survey_template", indexed=True),
    whole("order_number", null=False, default=0),
    text("text", 1000, null=False, default=""),
    text("type", 20, null=False, default="text"),
    flag("required"),
    text("photo_rule", 80),
    text("condition", 1000),
)
ANSWER_OPTION = replicated(
    "answer_option",
    102,
    _by_hub(Follows("question", "question_id")),
    link("question_id", "question", indexed=True),
    whole("order_number", null=False, default=0),
    text("text", 400, null=False, default=""),
    text("value", 80),
)
SURVEY_RESPONSE = replicated(
    "survey_response",
    103,
    _from_field(Follows("visit", "visit_id")),
    link("visit_id", "visit", indexed=True),
    link("template_id", "survey_template"),
    whole("template_version", null=False, default=1),
)
ANSWER = replicated(
    "answer",
    104,
    _from_field(Follows("survey_response", "response_id")),
    link("response_id", "survey_response", indexed=True),
    link("question_id", "question"),
    link("product_id", "product", null=True),
    text("value", 2000),
)
SHELF_FACT = replicated(
    "shelf_fact",
    105,
    _from_field(Follows("visit", "visit_id")),
    link("visit_id", "visit", indexed=True),
    link("product_id", "product"),
    flag("present"),
    whole("facings"),
    price("shelf_price"),
    quantity("stock_quantity"),
    text("out_of_stock_reason", 80),
    flag("is_competitor"),
)

TABLES = (SURVEY_TEMPLATE, QUESTION, ANSWER_OPTION, SURVEY_RESPONSE, ANSWER, SHELF_FACT)
