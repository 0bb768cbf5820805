"""Figures of a device for the application that embeds the agent.

A device runs no metrics server: the figures are values, read from the device's own journal.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceFigures:
    """What a person or an application wants to know at a glance. Times are microseconds UTC."""

    saved_rows: int
    at_gateway_rows: int
    waiting_batches: int
    last_full_at: int
    last_session_at: int
    last_session_outcome: str
