"""The hub's rows as columns, for heavy questions: an embedded DuckDB file beside the database.

It can be thrown away at any time: it is filled from the database, and follows it by LSN.
"""
