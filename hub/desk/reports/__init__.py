"""Reports as people use them: run, drawn up as tables, exported, kept, shared, sent by mail."""
