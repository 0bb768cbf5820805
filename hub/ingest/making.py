"""Ingest put together for an office: for its loops, for an operator's commands, for acts of people."""

from collections.abc import Awaitable, Callable
from functools import partial

from fieldmesh.basics.errors import Defect
from fieldmesh.codec.replication import Forwarded, read_up_message
from hub.desk.hands import Applied, Note
from hub.fleet.office import Office
from hub.ingest.ingest import Ingest
from hub.ingest.result import GroupResult
from hub.ingest.verify import Checked, Verifier


def make_ingest(office: Office, verifier: Verifier | None = None) -> Ingest:
    """What applies batches, for the loops and for an operator's commands."""
    knows = verifier or Verifier(office.trust.authority.chain)
    return Ingest(
        office.database,
        office.maker,
        check=partial(_check_again, knows),
        sign=office.trust.signer.sign,
    )


def by_hand(
    work: Callable[[bytes, Note], Awaitable[GroupResult]],
) -> Callable[[bytes, Note], Awaitable[Applied]]:
    """What an act of a person hears of batches that it let in."""

    async def let_in(what: bytes, note: Note) -> Applied:
        done = await work(what, note)
        return Applied(done.rows, done.refused, done.applied)

    return let_in


def _check_again(verifier: Verifier, content: bytes) -> Checked:
    """A batch that waited, read and verified anew."""
    held = read_up_message(content)
    if not isinstance(held, Forwarded):
        raise Defect("defect", place="waiting batch", reason="a session record can't wait")
    return verifier.check(held, content)
