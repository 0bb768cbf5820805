"""Document numbers: this device's prefix and a counter without gaps, per kind of document.

The counter moves in the transaction that saves the document, so a number is used exactly once. A
spare has a prefix of its own, so two devices of one position never make the same number.
"""

from device_agent.storage.database import Connection
from device_agent.storage.state import read_state


def next_number(connection: Connection, document_kind: str) -> str:
    """The next number of this kind, for example `K07-ORD-000123`.

    Args:
        connection: the write transaction that saves the document.
        document_kind: short upper-case name, for example ORD.
    """
    prefix = read_state(connection).document_prefix
    connection.execute(
        "INSERT INTO fm_number (document_kind, last_number) VALUES (?, 1)"
        " ON CONFLICT (document_kind) DO UPDATE SET last_number = last_number + 1",
        (document_kind,),
    )
    last = connection.execute(
        "SELECT last_number FROM fm_number WHERE document_kind = ?", (document_kind,)
    ).fetchone()[0]
    return f"{prefix}-{document_kind}-{last:06d}"
