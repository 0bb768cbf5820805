"""What docs/protocol.md shows is what the code does, to the byte."""

import re

import pytest
import zstandard

from fieldmesh.basics import limits
from fieldmesh.basics.problems import PROBLEMS
from fieldmesh.codec.batch import decode_body, decode_header
from fieldmesh.data.schema import TABLES
from tests.house.sources import text
from tests.kit.wire_examples import (
    BLOCK,
    BODY,
    CHANGES,
    HEADER,
    MESSAGES,
    NEW,
    examples,
    verify_signature,
)

PAGE = "docs/protocol.md"


def _shown() -> dict[str, str]:
    return {name: shown for _, name, shown, _ in BLOCK.findall(text(PAGE))}


@pytest.mark.parametrize("name", sorted(examples()))
def test_every_worked_example_is_true(name: str) -> None:
    """Someone writes a client by it, in another language, with nothing else at hand."""
    assert _shown()[name] == examples()[name]


def test_no_example_is_left_unchecked() -> None:
    """A block under a name that nobody works out would rot."""
    assert set(_shown()) == set(examples())
    assert text(PAGE).count("<!-- example:") == len(examples())


def test_the_examples_batch_is_a_batch() -> None:
    """Signed, decoded, and the rows that the page names."""
    verify_signature()
    assert decode_body(decode_header(HEADER), BODY) == CHANGES
    assert decode_header(HEADER).body_uncompressed_size == len(
        zstandard.ZstdDecompressor().decompress(BODY)
    )
    page = text(PAGE)
    for column in ("id", "name"):
        for value in NEW.column(column):
            assert (value.hex() if isinstance(value, bytes) else str(value)) in page


def test_limits_on_the_page_are_the_limits() -> None:
    """A client that keeps to the page is never refused for size."""
    page = text(PAGE)
    for wanted in (
        f"| {limits.BATCH_ROWS:,} · {limits.BATCH_CHANGES:,} |",
        f"| columns of all changes in a batch | {limits.BATCH_COLUMNS:,} |",
        f"| {limits.TABLE_ROWS:,} · {limits.TABLE_COLUMNS} |",
        f"| {limits.BATCHES_IN_SESSION:,} |",
        f"| {limits.BATCH_HEADER_BYTES >> 10} KiB · {limits.BATCH_BODY_BYTES >> 20} MiB"
        f" · {limits.BATCH_BODY_UNCOMPRESSED_BYTES >> 20} MiB |",
        f"| `SignedBatch` as carried | {limits.BATCH_BYTES >> 20} MiB |",
        f"| {limits.FRAME_BYTES >> 20} MiB · {limits.FRAME_UNCOMPRESSED_BYTES >> 20} MiB |",
        f"| {limits.CHUNK_BYTES >> 10} KiB |",
        f"| {limits.DOWNLOAD_BYTES >> 30} GiB · {limits.SNAPSHOT_BYTES >> 30} GiB |",
        f"| {limits.BLOB_BYTES >> 20} MiB |",
        f"| {limits.MESSAGE_BYTES >> 20} MiB |",
        f"| {limits.PARTITIONS_IN_HELLO:,} · {limits.DIGESTS_IN_APPLIED:,} |",
        f"| {limits.REPAIRS_IN_SESSION} |",
    ):
        assert wanted in page, wanted


def test_every_message_and_field_that_the_page_names_exists() -> None:
    """A word that is not on the wire sends a reader searching."""
    known = set(TABLES) | {column for table in TABLES.values() for column in table.wire_names}
    for message in MESSAGES.values():
        file = message.DESCRIPTOR.file
        for one in file.message_types_by_name.values():
            known |= {one.name, *(field.name for field in one.fields)}
        for service in file.services_by_name.values():
            known |= {service.name, *(method.name for method in service.methods)}
    named = set(re.findall(r"`([A-Z][a-z]+[A-Za-z]*|[a-z]+(?:_[a-z0-9]+)+)`", text(PAGE)))
    named -= {"Batch", "ErrorInfo", "RetryInfo", "LocalizedMessage", *PROBLEMS}
    assert sorted(named - known) == []
