"""Which release has written the database last, and which schema the network has."""

STATEMENTS = (
    "ALTER TABLE fm_device ADD COLUMN release TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE fm_device ADD COLUMN network_schema INTEGER NOT NULL DEFAULT 0",
)
