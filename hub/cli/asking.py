"""What commands share: the open hub, a journalled write, confirmation, the health of its parts."""

import argparse
import asyncio
import datetime
import http.client
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from getpass import getuser

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.tls import certificate_pem
from fieldmesh.service.translation import _
from hub.fleet.office import Office, open_office
from hub.storage.changes import ChangeWriter
from hub.storage.org_changes import head_office_write

_HEALTH_S = 5.0
_MOST_HEALTH = 64 * 1024


@asynccontextmanager
async def opened(options: argparse.Namespace) -> AsyncIterator[Office]:
    """The hub of `--home`, closed afterwards."""
    office = await open_office(options.home)
    try:
        yield office
    finally:
        await office.database.close()


@asynccontextmanager
async def writing(
    office: Office, kind: str, about: Mapping[str, object]
) -> AsyncIterator[ChangeWriter]:
    """One transaction in the name of whoever runs the command."""
    async with head_office_write(
        office.database, office.clock, actor=actor(), kind=kind, about=about
    ) as writer:
        yield writer


def actor() -> str:
    """Who runs the command, as the journal names them."""
    try:
        return f"{getuser()}@fieldmesh-hub"
    except (KeyError, OSError):
        return "fieldmesh-hub"


def when(at: int) -> str:
    """A time for people: UTC, to the second."""
    moment = datetime.datetime.fromtimestamp(at // 1_000_000, tz=datetime.UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")


def sure(options: argparse.Namespace, what: str) -> None:
    """The person has said `--yes`.

    Raises:
        Rejected: `confirmation_missing`, with what would be lost.
    """
    if not options.yes:
        raise Rejected("confirmation_missing", text=what)


async def parts_of_running_hub(office: Office, port: int) -> dict[str, str]:
    """What the parts of the hub say of themselves: part → ok, or what it waits for.

    A hub that does not answer is a part that does not.
    """
    roots = b"".join(one.certificate for one in office.trust.authority.roots)
    return await asyncio.to_thread(_ask_health, port, certificate_pem(roots).decode("ascii"))


def _ask_health(port: int, authorities: str) -> dict[str, str]:
    context = ssl.create_default_context(cadata=authorities)
    line = http.client.HTTPSConnection("localhost", port, timeout=_HEALTH_S, context=context)
    try:
        line.request("GET", "/health")
        checks = json.loads(line.getresponse().read(_MOST_HEALTH))["checks"]
        return {str(name): str(state) for name, state in checks.items()}
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        return {"https": _("does not answer: {error}").format(error=type(error).__name__)}
    finally:
        line.close()
