"""The hub's own tables, fm_*: what it must remember between transactions. Not replicated."""

import sqlalchemy as sa

from fieldmesh.data.columns import binary, flag, link, text, time, whole
from fieldmesh.data.model import ReplicatedColumn

SYSTEM_METADATA = sa.MetaData()


def _table(
    name: str,
    keys: tuple[str, ...],
    *columns: ReplicatedColumn,
    numbered: bool = False,
    rowid: bool = True,
) -> sa.Table:
    made = [
        sa.Column(
            column.name,
            sa.BigInteger().with_variant(sa.Integer(), "sqlite")
            if numbered and column.name in keys
            else column.kind.sql_type(),
            primary_key=column.name in keys,
            nullable=column.nullable,
            autoincrement=numbered and column.name in keys,
        )
        for column in columns
    ]
    return sa.Table(
        name, SYSTEM_METADATA, *made, sqlite_autoincrement=numbered, sqlite_with_rowid=rowid
    )


def _number(name: str) -> ReplicatedColumn:
    return whole(name, null=False, default=0)


HUB = _table(
    "fm_hub",
    ("one",),
    _number("one"),
    _number("epoch"),
    _number("lsn"),
    _number("published_lsn"),
    _number("schema_version"),
    time("created_at"),
    _number("removal_horizon"),
    _number("access_lsn"),
    _number("database_version"),
    text("release", 40, null=False),
)
HUB_EPOCH = _table("fm_hub_epoch", ("epoch",), _number("epoch"), _number("began_after"))
DIGEST = _table(
    "fm_digest",
    ("partition", "table_no"),
    _number("partition"),
    _number("table_no"),
    _number("rows"),
    _number("low"),
    _number("high"),
    _number("last_lsn"),
)
REMOVAL = _table(
    "fm_removal",
    ("partition", "lsn", "table_no", "row_id"),
    _number("partition"),
    _number("lsn"),
    _number("table_no"),
    link("row_id"),
    rowid=False,
)
sa.Index("fm_removal_by_lsn", REMOVAL.c.lsn)
DAY_BEGUN = _table("fm_day_begun", ("day",), text("day", 10, null=False), _number("lsn"))
DOWN_OUTBOX = _table(
    "fm_down_outbox",
    ("lsn", "part"),
    _number("lsn"),
    _number("part"),
    _number("partition"),
    binary("payload", null=False),
)
SCOPE_CHANGE = _table(
    "fm_scope_change",
    ("number",),
    _number("number"),
    _number("lsn"),
    link("gateway_id"),
    _number("partition"),
    flag("gained"),
    numbered=True,
)
INBOX = _table(
    "fm_inbox",
    ("device_id", "device_epoch", "sequence"),
    link("device_id"),
    _number("device_epoch"),
    _number("sequence"),
    binary("sha256", null=False),
    text("decision", 20, null=False),
    _number("lsn"),
    link("gateway_id", null=True),
    time("received_at", null=False),
    _number("rows"),
)
DEVICE_MARK = _table(
    "fm_device_mark",
    ("device_id",),
    link("device_id"),
    _number("device_epoch"),
    _number("sequence"),
)
WAITING = _table(
    "fm_waiting",
    ("device_id", "device_epoch", "sequence"),
    link("device_id"),
    _number("device_epoch"),
    _number("sequence"),
    binary("sha256", null=False),
    binary("payload", null=False),
    time("received_at", null=False),
)
EARLY_BATCH = _table(
    "fm_early_batch",
    ("device_id", "device_epoch", "sequence"),
    link("device_id"),
    _number("device_epoch"),
    _number("sequence"),
    binary("payload", null=False),
    time("received_at", null=False),
)
EARLY_ROW = _table(
    "fm_early_row",
    ("device_id", "device_epoch", "sequence", "table_no", "row_id"),
    link("device_id"),
    _number("device_epoch"),
    _number("sequence"),
    _number("table_no"),
    link("row_id"),
    time("received_at", null=False),
)
sa.Index("fm_early_row_by_row", EARLY_ROW.c.row_id)
QUARANTINE = _table(
    "fm_quarantine",
    ("number",),
    _number("number"),
    link("device_id", null=True),
    _number("device_epoch"),
    _number("sequence"),
    binary("sha256", null=False),
    binary("payload", null=False),
    text("code", 60, null=False),
    text("text", 1000, null=False),
    link("gateway_id", null=True),
    time("at", null=False),
    text("state", 20, null=False),
    numbered=True,
)
sa.Index("fm_quarantine_by_sha256", QUARANTINE.c.sha256)
sa.Index("fm_quarantine_by_state", QUARANTINE.c.state)
COLUMN_CLOCK = _table(
    "fm_column_clock",
    ("table_no", "row_id", "column_name"),
    _number("table_no"),
    link("row_id"),
    text("column_name", 63, null=False),
    _number("clock"),
    link("writer_id"),
)
CONFLICT = _table(
    "fm_conflict",
    ("number",),
    _number("number"),
    time("at", null=False),
    _number("lsn"),
    text("table_name", 63, null=False),
    link("row_id"),
    text("column_name", 63, null=False),
    text("standing_value", 60000),
    link("standing_writer"),
    text("losing_value", 60000),
    link("losing_writer"),
    text("state", 20, null=False),
    numbered=True,
)
JOURNAL = _table(
    "fm_journal",
    ("number",),
    _number("number"),
    time("at", null=False),
    text("kind", 60, null=False),
    text("actor", 120, null=False),
    text("payload", 60000, null=False),
    text("previous_hash", 64, null=False),
    text("hash", 64, null=False),
)
WORD = _table(
    "fm_word",
    ("table_no", "word", "row_id"),
    _number("table_no"),
    text("word", 40, null=False),
    link("row_id"),
)
sa.Index("fm_word_by_row", WORD.c.row_id, WORD.c.word)
WEB_SESSION = _table(
    "fm_web_session",
    ("session_id",),
    link("session_id"),
    text("token_hash", 64, null=False),
    text("csrf", 64, null=False),
    link("user_id"),
    time("created_at", null=False),
    time("seen_at", null=False),
    time("expires_at", null=False),
    text("origin", 80),
    text("agent", 200),
    text("way", 20, null=False),
    text("steps", 40, null=False),
    text("language", 10, null=False),
)
sa.Index("fm_web_session_by_token", WEB_SESSION.c.token_hash, unique=True)
sa.Index("fm_web_session_by_user", WEB_SESSION.c.user_id)
PROVIDER_SESSION = _table(
    "fm_provider_session",
    ("session_id",),
    link("session_id"),
    text("subject", 255, null=False),
    text("name", 255, null=False),
)
sa.Index("fm_provider_session_by_subject", PROVIDER_SESSION.c.subject)
sa.Index("fm_provider_session_by_name", PROVIDER_SESSION.c.name)
PERSON = _table(
    "fm_person",
    ("user_id",),
    link("user_id"),
    text("language", 10, null=False),
    flag("must_change"),
    text("factor", 400, null=False),
    _number("factor_step"),
    time("factor_since"),
)
RECOVERY_CODE = _table(
    "fm_recovery_code", ("code_hash",), text("code_hash", 64, null=False), link("user_id")
)
PASSWORD_CODE = _table(
    "fm_password_code",
    ("code_hash",),
    text("code_hash", 64, null=False),
    link("user_id"),
    time("expires_at", null=False),
)
SIGN_IN_GUARD = _table(
    "fm_sign_in_guard",
    ("name",),
    text("name", 120, null=False),
    _number("failures"),
    time("locked_until"),
)
JOURNAL_SUBJECT = _table(
    "fm_journal_subject", ("row_id", "number"), link("row_id"), _number("number")
)
API_TOKEN = _table(
    "fm_api_token",
    ("token_id",),
    link("token_id"),
    text("token_hash", 64, null=False),
    link("user_id"),
    text("name", 80, null=False),
    text("functions", 4000, null=False),
    time("created_at", null=False),
    time("expires_at", null=False),
    time("used_at"),
)
sa.Index("fm_api_token_by_hash", API_TOKEN.c.token_hash, unique=True)
IDEMPOTENCY = _table(
    "fm_idempotency",
    ("user_id", "key"),
    link("user_id"),
    text("key", 80, null=False),
    text("request_hash", 64, null=False),
    _number("status"),
    text("answer", 60000, null=False),
    time("at", null=False),
)
REPORT = _table(
    "fm_report",
    ("report_id",),
    link("report_id"),
    link("owner_id"),
    text("title", 200, null=False),
    text("question", 16000, null=False),
    flag("shared"),
    time("changed_at", null=False),
)
sa.Index("fm_report_by_owner", REPORT.c.owner_id)
REPORT_MAIL = _table(
    "fm_report_mail",
    ("mail_id",),
    link("mail_id"),
    link("user_id"),
    text("report", 40, null=False),
    text("every", 10, null=False),
    text("format", 10, null=False),
    text("language", 10, null=False),
    text("sent_for", 10, null=False),
    text("problem", 200, null=False),
)
sa.Index("fm_report_mail_by_user", REPORT_MAIL.c.user_id)
