"""The database says which version its own tables have, and which release has written it last."""

STATEMENTS = (
    "ALTER TABLE fm_hub ADD database_version BIGINT DEFAULT 1 NOT NULL",
    "ALTER TABLE fm_hub ADD release VARCHAR(40) DEFAULT '' NOT NULL",
)
