"""What the columnar copy holds: tables, columns, their types. Values stand in storage form; identifiers as UUID."""

import hashlib
from functools import cache

from fieldmesh.data.model import HUB_COLUMNS, ReplicatedColumn
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import WireType

COPIED: tuple[str, ...] = (
    "org_unit", "role", "territory", "position", "app_user", "assignment", "gateway", "device", "subscription",
    "legal_party", "distributor", "outlet", "outlet_assignment", "contract", "debt_doc",
    "product_group", "product", "product_unit", "price_list", "price", "assortment", "promotion", "warehouse", "stock",
    "sales_order", "order_line", "sale_invoice", "sale_invoice_line", "shipment", "shipment_line",
    "goods_return", "goods_return_line", "payment", "cash_handover",
    "visit_plan", "work_day", "visit", "task", "photo", "plan", "van_load", "van_load_line", "van_stock_move",
    "survey_template", "question", "survey_response", "answer", "shelf_fact",
    "equipment_model", "equipment", "equipment_placement", "equipment_inspection", "service_request", "service_work",
    "reject", "sync_session", "exchange_message", "exchange_error", "audit_log",
)  # fmt: skip
"""Tables that questions are asked about, and those that scope and names come from."""
_LONGEST_TEXT = 400
_ALSO = {("answer", "value")}
"""Longer texts that questions are asked about."""
_SYSTEM = ("id", "created_at")
_TYPES = {
    WireType.IDENTIFIER: "UUID",
    WireType.INTEGER: "BIGINT",
    WireType.DECIMAL: "BIGINT",
    WireType.TIME: "BIGINT",
    WireType.BOOLEAN: "TINYINT",
    WireType.DATE: "DATE",
    WireType.TEXT: "VARCHAR",
}
_DELETED = next(column for column in HUB_COLUMNS if column.name == "deleted")


@cache
def copied_columns(table: str) -> tuple[ReplicatedColumn, ...]:
    """The columns of a table that the copy has: id and moment of its making first, `deleted` last."""
    found = TABLES[table]
    own = [
        column
        for column in found.columns
        if column.kind.wire in _TYPES and (not _is_long(column) or (table, column.name) in _ALSO)
    ]
    return (*(found.column(name) for name in _SYSTEM), *own, _DELETED)


def _is_long(column: ReplicatedColumn) -> bool:
    return column.kind.wire is WireType.TEXT and column.kind.precision > _LONGEST_TEXT


def column_type(column: ReplicatedColumn) -> str:
    """DuckDB's type of a column."""
    return _TYPES[column.kind.wire]


def create_statements() -> list[str]:
    """CREATE TABLE for all of them, and for the mark that tells to which LSN they stand."""
    found = ["CREATE TABLE fm_copy (lsn BIGINT, epoch BIGINT, shape VARCHAR, took_at BIGINT)"]
    for table in COPIED:
        columns = ", ".join(f'"{one.name}" {column_type(one)}' for one in copied_columns(table))
        found.append(f'CREATE TABLE "{table}" ({columns})')
    return found


@cache
def signature() -> str:
    """Changes whenever a copy that an earlier release made no longer fits."""
    return hashlib.sha256("\n".join(create_statements()).encode()).hexdigest()[:16]
