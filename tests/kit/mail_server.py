"""A real mail server that keeps what it takes: over STARTTLS, or TLS from the first byte."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from fieldmesh.service.mail import Line, MailServer
from tests.kit.certificates import server_files

NAMELESS = "127.0.0.2"
"""An address of the server that does not stand in its certificate."""
USER, PASSWORD = "hub", "the hub's word"


@dataclass
class MailBox:
    """A running server.

    Attributes:
        mails: what it has taken, the newest last.
        refuses: what it answers in place of taking a mail; empty = it takes it.
    """

    authority: Path
    line: Line
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refuses: str = ""

    def settings(self) -> MailServer:
        """Settings of a hub that sends by it."""
        return MailServer(
            host="localhost", port=self.port, line=self.line, authority=str(self.authority), user=USER,
            password=PASSWORD, sender="hub@example.com",
        )  # fmt: skip

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        """A mail has come."""
        if self.refuses:
            return self.refuses
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@asynccontextmanager
async def mail_server(folder: Path, line: Line = Line.STARTTLS) -> AsyncIterator[MailBox]:
    """An empty box; with STARTTLS for those who know the password only."""
    files = server_files(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    box = MailBox(files.authority, line)
    starts = line is Line.STARTTLS

    def serve() -> SMTP:
        return SMTP(
            box, hostname="localhost", tls_context=context if starts else None, require_starttls=starts,
            authenticator=_is_the_hub, auth_required=starts, auth_require_tls=starts,
        )  # fmt: skip

    loop = asyncio.get_running_loop()
    trust = None if starts else context
    first = await loop.create_server(serve, "127.0.0.1", 0, ssl=trust)
    box.port = first.sockets[0].getsockname()[1]
    second = await loop.create_server(serve, NAMELESS, box.port, ssl=trust)
    try:
        yield box
    finally:
        for server in (first, second):
            server.close()
            await server.wait_closed()


def _is_the_hub(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object
) -> AuthResult:
    right = isinstance(given, LoginPassword) and given == LoginPassword(
        USER.encode(), PASSWORD.encode()
    )
    return AuthResult(success=right, handled=right)
