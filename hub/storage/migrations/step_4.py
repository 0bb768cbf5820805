"""The daily work finds what is old by an index: removals by their LSN, rows that are kept for some days by age."""

STATEMENTS = (
    "CREATE INDEX fm_removal_by_lsn ON fm_removal (lsn)",
    'CREATE INDEX visit_plan_by_age ON visit_plan ("partition", "date")',
    'CREATE INDEX work_day_by_age ON work_day ("partition", "date")',
    'CREATE INDEX photo_by_age ON photo ("partition", created_at)',
    'CREATE INDEX cash_handover_by_age ON cash_handover ("partition", created_at)',
    'CREATE INDEX message_by_age ON message ("partition", created_at)',
    'CREATE INDEX van_load_by_age ON van_load ("partition", created_at)',
    'CREATE INDEX reject_by_age ON reject ("partition", created_at)',
)
