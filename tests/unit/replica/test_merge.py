"""The last writer of each column wins, the same way at every node."""

from fieldmesh.replica.merge import Write, merge_columns

OLD, NEW = 10 << 8, 20 << 8
ANNA, BORIS, HEAD_OFFICE = b"a" * 16, b"b" * 16, bytes(16)


def test_two_people_may_change_two_columns_of_one_row() -> None:
    """A technician's telephone number does not undo a rep's new name."""
    held = {"name": Write(OLD, ANNA, "Мария")}
    found = merge_columns(held, {"phone": Write(NEW, BORIS, "1")})
    assert {name: write.value for name, write in found.standing.items()} == {
        "name": "Мария",
        "phone": "1",
    }
    assert found.changed == {"phone"}
    assert not found.lost
    assert not found.overruled


def test_a_later_write_overrules_an_earlier_one_and_is_remembered_so() -> None:
    """A person can look at what lost, and overturn it."""
    early, late = Write(OLD, ANNA, "x"), Write(NEW, BORIS, "y")
    won = merge_columns({"name": early}, {"name": late})
    assert won.standing == {"name": late}
    assert won.overruled == {"name": early}
    lost = merge_columns({"name": late}, {"name": early})
    assert lost.standing == {"name": late}
    assert lost.lost == {"name": early}
    assert not lost.changed


def test_equal_clocks_are_decided_by_the_writer_and_then_by_the_value() -> None:
    """Hub and devices must not decide by who happened to come first."""
    for one, other in (
        (Write(NEW, ANNA, "x"), Write(NEW, BORIS, "a")),
        (Write(NEW, ANNA, "a"), Write(NEW, ANNA, "x")),
        (Write(NEW, HEAD_OFFICE, "z"), Write(NEW, ANNA, None)),
    ):
        assert merge_columns({"c": one}, {"c": other}).standing == {"c": other}
        assert merge_columns({"c": other}, {"c": one}).standing == {"c": other}


def test_the_same_value_written_later_is_no_conflict() -> None:
    """Nobody needs to look at two people who agree."""
    found = merge_columns({"c": Write(OLD, ANNA, 1)}, {"c": Write(NEW, BORIS, 1)})
    assert found.standing["c"].writer == BORIS
    assert not found.changed
    assert not found.overruled
    assert not merge_columns({"c": Write(NEW, ANNA, 1)}, {"c": Write(OLD, BORIS, 1)}).lost
