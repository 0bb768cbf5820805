"""The newest clock that went into a batch is kept: 0 until the next batch is packed."""

STATEMENTS = ("ALTER TABLE fm_device ADD COLUMN packed_clock INTEGER NOT NULL DEFAULT 0",)
