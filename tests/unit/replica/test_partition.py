"""Partitions and patches have names that every node works out alike."""

from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import GLOBAL, NOWHERE, partition_id, patch_id


def test_a_partition_has_the_number_that_it_always_had() -> None:
    """Numbers stand in databases and subjects of a running network."""
    assert partition_id("global") == partition_id(PartitionKind.GLOBAL) == GLOBAL
    assert GLOBAL == 4_940_883_962_051_649_181
    assert partition_id("device", bytes(range(16))) == 8_864_478_578_296_071_274


def test_numbers_fit_a_database_and_differ_by_kind_and_key() -> None:
    """One number for two partitions would show one rep another's outlets."""
    keys = [bytes(16), bytes(15) + b"\x01"]
    numbers = {partition_id(kind, key) for kind in PartitionKind for key in keys}
    assert len(numbers) == len(PartitionKind) * len(keys)
    assert NOWHERE == 0
    assert all(0 < number < 1 << 63 for number in numbers)


def test_a_patch_is_named_by_its_set_of_positions() -> None:
    """The order in which people were assigned does not matter."""
    first, second, third = (bytes([number]) * 16 for number in range(3))
    assert patch_id([first, second]) == patch_id([second, first, second])
    assert patch_id([first, second]) != patch_id([first, third])
    assert patch_id([bytes(16), b"\x01" * 16]).hex() == "bd16e55b5f1a5d417e295c351d73340b"
    assert len(patch_id([])) == 16
