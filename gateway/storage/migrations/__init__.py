"""Numbered steps of the gateway's system tables, forward only: one module per step.

A step is a module ``step_<number>`` with ``STATEMENTS``, a tuple of SQL statements that turn
version ``number - 1`` into ``number``. Version 1 is ``gateway.storage.schema`` itself.
Columns that the replicated schema has gained are added by ``gateway.storage.database``.
"""
