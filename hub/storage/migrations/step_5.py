"""What waits in quarantine is counted by an index: its entries are large."""

STATEMENTS = ("CREATE INDEX fm_quarantine_by_state ON fm_quarantine (state)",)
