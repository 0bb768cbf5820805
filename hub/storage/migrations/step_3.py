"""Long lists have an index for their order, and rows one for their words: 800,000 outlets are not sorted for a page."""

STATEMENTS = (
    "CREATE INDEX outlet_by_code ON outlet (code)",
    "CREATE INDEX legal_party_by_code ON legal_party (code)",
    {
        "sqlite": "DROP INDEX fm_word_by_row",
        "mssql": "DROP INDEX fm_word_by_row ON fm_word",
    },
    "CREATE INDEX fm_word_by_row ON fm_word (row_id, word)",
)
