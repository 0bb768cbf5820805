"""Every size that a stranger can choose has its limit here. Units stand in the names."""

BATCH_HEADER_BYTES = 4 * 1024
BATCH_BODY_BYTES = 4 * 1024 * 1024
BATCH_BODY_UNCOMPRESSED_BYTES = 32 * 1024 * 1024
BATCH_BYTES = 5 * 1024 * 1024
"""As carried, with its signature and fields of a later release."""
BATCH_ROWS = 50_000
BATCH_CHANGES = 4_096
BATCH_COLUMNS = 100_000
"""Of all its changes together."""
TABLE_ROWS = 65_536
TABLE_COLUMNS = 96
TEXT_BYTES = 64 * 1024
BINARY_BYTES = 1024 * 1024
FRAME_BYTES = 1024 * 1024
FRAME_UNCOMPRESSED_BYTES = 16 * 1024 * 1024
FRAME_ROWS = 8_192
CHUNK_BYTES = 256 * 1024
SNAPSHOT_BYTES = 2 * 1024 * 1024 * 1024
DOWNLOAD_BYTES = 1024 * 1024 * 1024
SMALL_DOWNLOAD_BYTES = 256 * 1024
"""Downloads up to this size begin anew after a cut: gateways keep them in memory, devices nothing of them."""
MESSAGE_BYTES = 8 * 1024 * 1024
BLOB_BYTES = 64 * 1024 * 1024
CODE_CHARACTERS = 64
CSR_BYTES = 4 * 1024
HARDWARE_ID_CHARACTERS = 128
PARTITIONS_IN_HELLO = 20_000
DIGESTS_IN_APPLIED = 20_000
REPAIRS_IN_SESSION = 2
BATCHES_IN_SESSION = 10_000
SESSIONS_OF_DEVICE = 4
"""At once: its own, and those that it has lost and the gateway doesn't know of yet."""
BLOB_STREAMS_OF_DEVICE = 3
"""At once: one up, one down, and one that it has lost."""
EPOCHS_AHEAD = 100_000
"""How far a granted device epoch may lie above the device's: a gateway can't use up all that there are."""
REPAIR_BYTES = 6 * 1024 * 1024
"""Of the frames in one repair, so that it fits a message with all that stands beside them."""
CSV_LINE_CHARACTERS = 1024 * 1024
CLOCK_COUNTER_BITS = 8
"""Of a hybrid logical clock: microseconds << 8 | counter, which fits 63 bits for a thousand years."""
