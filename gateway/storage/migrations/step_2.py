"""Which older programs can work with the database, which release has written it last, the hub's schema."""

STATEMENTS = (
    "ALTER TABLE fm_state ADD COLUMN compat_version INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE fm_state ADD COLUMN release TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE fm_state ADD COLUMN hub_schema_version INTEGER NOT NULL DEFAULT 0",
)
