"""The newest tick of head office that was heard of a device, for when its partition is here no more."""

STATEMENTS = (
    "ALTER TABLE fm_device ADD COLUMN heard_epoch INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE fm_device ADD COLUMN heard_sequence INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE fm_device ADD COLUMN heard_proof BLOB",
    "ALTER TABLE fm_device ADD COLUMN heard_lsn INTEGER NOT NULL DEFAULT 0",
)
