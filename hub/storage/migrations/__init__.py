"""Numbered steps of the hub's own tables, forward only: one module per step.

A step is a module ``step_<number>`` with ``STATEMENTS``, a tuple of SQL statements that turn version ``number - 1``
into ``number``: fit for SQLite and SQL Server, or said for each (dialect → statement). Version 1 is what the first
release made. A new table needs a step without statements: `hub.storage.growth` makes it when the version is behind.
"""
