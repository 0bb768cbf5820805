"""Numbered steps of the agent's own tables, forward only: one module per step.

A step is a module ``step_<number>`` with ``STATEMENTS``, a tuple of SQL statements that turn
version ``number - 1`` into ``number``. Version 1 is what the first release made.
Tables and columns that the replicated schema has gained are added by ``device_agent.storage.schema``.
"""
