"""Every entity is a table, and what is said about it can be carried out."""

import json

import pytest

from fieldmesh.data.model import ReplicatedTable, Tier
from fieldmesh.data.policy import (
    Audience,
    Conflict,
    Follows,
    KeepDays,
    KeepLast,
    WriterRole,
    rule_column,
    rules_of,
)
from fieldmesh.data.schema import TABLES, by_number
from fieldmesh.data.types import WireType
from tests.kit import golden

ENTITIES = [
    "org_unit",
    "territory",
    "position",
    "assignment",
    "app_user",
    "role",
    "permission",
    "workplace",
    "workplace_function",
    "device",
    "number_range",
    "gateway",
    "distributor",
    "warehouse",
    "legal_party",
    "outlet",
    "outlet_assignment",
    "outlet_change_request",
    "outlet_licence",
    "contact",
    "contract",
    "product_group",
    "product",
    "product_unit",
    "product_barcode",
    "product_xref",
    "price_list",
    "price",
    "assortment",
    "promotion",
    "promo_condition",
    "promo_reward",
    "outlet_discount",
    "stock",
    "route",
    "route_outlet",
    "visit_plan",
    "work_day",
    "visit",
    "task",
    "sales_order",
    "order_line",
    "order_status",
    "van_load",
    "van_load_line",
    "van_stock_move",
    "sale_invoice",
    "sale_invoice_line",
    "shipment",
    "shipment_line",
    "goods_return",
    "goods_return_line",
    "payment",
    "cash_handover",
    "debt_doc",
    "debt_limit",
    "container_balance",
    "survey_template",
    "question",
    "answer_option",
    "survey_response",
    "answer",
    "shelf_fact",
    "photo",
    "equipment_model",
    "equipment",
    "equipment_placement",
    "equipment_move",
    "equipment_move_line",
    "equipment_inspection",
    "service_request",
    "service_work",
    "service_part",
    "plan",
    "kpi_fact",
    "message",
    "message_receipt",
    "gps_point",
    "sync_session",
    "audit_log",
    "exchange_message",
    "exchange_error",
    "subscription",
    "gateway_position",
    "sign_in",
    "device_tick",
    "reject",
]
MASK_BITS = 62
SQLSERVER_KEY_CHARACTERS = 850

every_table = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))


def test_every_entity_is_a_table() -> None:
    """A missing table is a document that nobody can enter."""
    assert sorted(TABLES) == sorted(ENTITIES)


def test_numbers_and_columns_are_those_of_the_golden_file() -> None:
    """Captured changes and digests name tables by number and columns by place."""
    assert golden.schema_text() == golden.SCHEMA.read_text(encoding="utf-8")


def test_numbers_are_used_once() -> None:
    """Two tables of one number would mix their changes."""
    frozen = json.loads(golden.SCHEMA.read_text(encoding="utf-8"))
    assert len({entry["number"] for entry in frozen.values()}) == len(frozen)
    assert all(by_number(table.number) is table for table in TABLES.values())


def test_parents_come_before_children() -> None:
    """Rows are applied table by table; a child would otherwise come before what it follows."""
    place = {name: position for position, name in enumerate(TABLES)}
    for table in TABLES.values():
        for _, parent in table.follows:
            assert place[parent] < place[table.name], (table.name, parent)


@every_table
def test_references_name_tables(table: ReplicatedTable) -> None:
    """Dependants of a refused row are found by references."""
    assert {parent for _, parent in table.parents} <= set(TABLES)
    assert all(table.column(column).wire_type is WireType.IDENTIFIER for column, _ in table.parents)


@every_table
def test_partition_rules_can_be_carried_out(table: ReplicatedTable) -> None:
    """A rule that reads a column which is not there would put rows nowhere."""
    rules = list(rules_of(table.policy.partition))
    for position, rule in enumerate(rules):
        column = rule_column(rule)
        if column is not None:
            assert table.column(column).wire_type is WireType.IDENTIFIER
            assert position == len(rules) - 1 or table.column(column).nullable
        if isinstance(rule, Follows):
            assert table.column(rule.column).references == rule.table


@every_table
def test_what_follows_travels_no_farther_than_its_parent(table: ReplicatedTable) -> None:
    """A line on devices whose document stays at the hub would follow nothing."""
    for _, parent in table.follows:
        if table.policy.audience is Audience.DEVICE:
            assert TABLES[parent].policy.audience is Audience.DEVICE


@every_table
def test_following_ends(table: ReplicatedTable) -> None:
    """Tables that follow each other in a circle would have no partition."""
    seen = {table.name}
    open_ = [parent for _, parent in table.follows]
    while open_:
        parent = open_.pop()
        assert parent != table.name
        if parent not in seen:
            seen.add(parent)
            open_ += [one for _, one in TABLES[parent].follows]


@every_table
def test_columns_are_named_once_and_apart_from_the_system_columns(table: ReplicatedTable) -> None:
    """The hub's columns stand in the same table."""
    names = [column.name for column in table.columns_at(Tier.HUB)]
    assert len(set(names)) == len(names)


@every_table
def test_changed_columns_fit_the_mask(table: ReplicatedTable) -> None:
    """`fm_change.columns` is one signed 64-bit integer."""
    assert len(table.columns) <= MASK_BITS


@every_table
def test_texts_that_are_searched_fit_an_index_of_sql_server(table: ReplicatedTable) -> None:
    """SQL Server refuses index keys above 1,700 bytes."""
    for column in table.columns:
        if column.indexed and column.wire_type is WireType.TEXT:
            assert 0 < column.kind.precision <= SQLSERVER_KEY_CHARACTERS


@every_table
def test_retention_reads_columns_that_are_there(table: ReplicatedTable) -> None:
    """Otherwise the daily work of the hub would stop at this table."""
    match table.policy.retention:
        case KeepLast(count, column):
            assert count > 0
            assert table.column(column).indexed
        case KeepDays(days, column):
            assert days > 0
            assert table.column(column).wire_type in {WireType.DATE, WireType.TIME}
        case None:
            pass


@every_table
def test_columns_of_the_hub_are_nullable_or_have_a_default(table: ReplicatedTable) -> None:
    """A device leaves them out."""
    for name in table.policy.hub_columns:
        column = table.column(name)
        assert column.nullable or column.default is not None


@every_table
def test_movements_have_a_signed_quantity(table: ReplicatedTable) -> None:
    """A ledger is summed."""
    if table.policy.conflict is Conflict.MOVEMENTS:
        assert table.column("quantity").wire_type is WireType.DECIMAL


@every_table
def test_tables_of_the_hub_alone_are_not_on_devices_unless_devices_write_them(
    table: ReplicatedTable,
) -> None:
    """Persons, verifiers and the audit log never leave head office."""
    if table.policy.audience is Audience.HUB:
        assert table.is_at(Tier.DEVICE) == table.device_writable
        assert not table.is_at(Tier.GATEWAY)


def test_what_devices_upload_only_comes_back_to_nobody() -> None:
    """Points on the map are for head office."""
    assert [table.name for table in TABLES.values() if table.upload_only] == ["gps_point"]


def test_head_office_alone_writes_master_data() -> None:
    """A device that wrote prices could sell at its own."""
    for name in ("price", "price_list", "stock", "contract", "debt_limit", "outlet", "sign_in"):
        assert TABLES[name].policy.writers == {WriterRole.HUB}
