"""Mail through a server of the company, over TLS."""

import asyncio
import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from enum import StrEnum

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Retry

_PATIENCE_S = 20.0
_WAIT_S = 60.0


class Line(StrEnum):
    """How the line to the server is kept from others."""

    STARTTLS = "starttls"
    TLS = "tls"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that takes mail; without a host none is sent."""

    host: str = field(default="", metadata={"help": "Mail server; empty = no mail is sent."})
    port: int = field(default=587, metadata={"help": "Its port."})
    line: Line = field(
        default=Line.STARTTLS,
        metadata={"help": "How the line is protected: starttls, tls, or plain within the machine."},
    )
    authority: str = field(
        default="",
        metadata={"help": "PEM file of the server's authority; empty = those of the system."},
    )
    user: str = field(default="", metadata={"help": "Name to sign in with; empty = without."})
    password: str = field(default="", metadata={"help": "Its password.", "secret": True})
    sender: str = field(default="", metadata={"help": "Address that mail comes from."})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along: its name, its type such as ``text/csv``, its bytes."""

    name: str
    kind: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, to whom."""

    to: tuple[str, ...]
    subject: str
    text: str
    attachments: Sequence[Attachment] = ()


class Mailer:
    """Sends mail."""

    def __init__(self, server: MailServer, clock: Clock) -> None:
        """Nothing is opened before something is sent."""
        self._server = server
        self._clock = clock

    @property
    def is_set_up(self) -> bool:
        """Whether there is a server."""
        return bool(self._server.host and self._server.sender)

    async def send(self, message: Message) -> None:
        """The server has taken the message.

        Raises:
            Retry: `mail_failed`, with what the server, or the line, said.
        """
        try:
            await asyncio.to_thread(self._deliver, self._written(message))
        except (
            OSError,
            smtplib.SMTPException,
            ValueError,
        ) as error:  # ValueError: a line break in a header
            raise self._failed(error) from None

    async def knock(self) -> None:
        """The server was reached, and nothing sent: whoever waits for an answer waits as long as for a mail.

        Raises:
            Retry: `mail_failed`.
        """
        try:
            await asyncio.to_thread(self._deliver, None)
        except (OSError, smtplib.SMTPException) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> Retry:
        return Retry("mail_failed", place=self._server.host, delay_s=_WAIT_S, text=str(error))

    def _written(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._server.sender
        mail["To"] = ", ".join(message.to)
        mail["Subject"] = message.subject
        mail["Date"] = formatdate(self._clock.now() / 1_000_000)
        mail["Message-ID"] = make_msgid(domain=self._server.sender.rpartition("@")[2] or None)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        for one in message.attachments:
            main, _, sub = one.kind.partition("/")
            mail.add_attachment(one.content, maintype=main, subtype=sub, filename=one.name)
        return mail

    def _deliver(self, mail: EmailMessage | None) -> None:
        server = self._server
        trust = ssl.create_default_context(cafile=server.authority or None)
        if server.line is Line.TLS:
            line: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=_PATIENCE_S, context=trust
            )
        else:
            line = smtplib.SMTP(server.host, server.port, timeout=_PATIENCE_S)
        try:
            if server.line is Line.STARTTLS:
                line.starttls(context=trust)
            if server.user:
                line.login(server.user, server.password)
            if mail is not None:
                line.send_message(mail)
            with suppress(OSError, smtplib.SMTPException):  # what was taken is taken
                line.quit()
        finally:
            line.close()
