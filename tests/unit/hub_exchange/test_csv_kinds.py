"""Tables as files."""

from fieldmesh.data.schema import TABLES
from hub.exchange.csv_kinds import KEYS, all_kinds, kind_named


def test_every_kind_is_a_table_with_these_columns() -> None:
    """Without it a renamed column would break loading in silence."""
    for name, key in KEYS.items():
        assert all(TABLES[name].has_column(column) for column in key), name


def test_references_are_written_as_codes() -> None:
    """Without it people would have to know identifiers."""
    assert kind_named("outlet").fields["legal_party"].table == "legal_party"
    assert "patch_id" not in kind_named("outlet").fields


def test_files_are_loaded_parents_first() -> None:
    """Without it an outlet's legal party would be unknown when the outlet is loaded."""
    order = [kind.name for kind in all_kinds()]
    for first, then in (
        ("org_unit", "territory"),
        ("territory", "position"),
        ("legal_party", "outlet"),
        ("outlet", "outlet_assignment"),
        ("product", "product_unit"),
        ("product_unit", "price"),
    ):
        assert order.index(first) < order.index(then)


def test_secrets_cannot_be_loaded_from_files() -> None:
    """Without it verifiers would stand in files that people mail around."""
    assert "verifier" not in kind_named("app_user").fields
