"""The sync session as a table that both sides share. No input or output."""
