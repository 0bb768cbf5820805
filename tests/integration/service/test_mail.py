"""Mail goes out over TLS to the right server, or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import Retry
from fieldmesh.service.mail import Attachment, Line, Mailer, MailServer, Message
from tests.kit.certificates import server_files
from tests.kit.mail_server import NAMELESS, mail_server

NOON_US = 1_800_000_000_000_000
MESSAGE = Message(
    ("ana@example.com", "bob@example.com"), "Отчет за деня", "Здравейте,\n\nприложено е.\n",
    [Attachment("день.csv", "text/csv", b"a;b\n1;2\n")],
)  # fmt: skip


@pytest.mark.parametrize("line", [Line.STARTTLS, Line.TLS])
async def test_a_mail_arrives_whole_with_what_goes_along(tmp_path: Path, line: Line) -> None:
    """Half a report, or question marks in place of letters, is no report."""
    async with mail_server(tmp_path / "mail", line) as box:
        await Mailer(box.settings(), ManualClock(NOON_US)).send(MESSAGE)
    (mail,) = box.mails
    assert (mail["From"], mail["To"]) == ("hub@example.com", "ana@example.com, bob@example.com")
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("Отчет за деня", "auto-generated")
    assert mail["Date"].startswith("Fri, 15 Jan 2027 08:00:00")
    body, (attached,) = mail.get_body(), list(mail.iter_attachments())
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == MESSAGE.text
    assert (attached.get_filename(), attached.get_content_type()) == ("день.csv", "text/csv")
    assert attached.get_payload(decode=True) == b"a;b\n1;2\n"


async def test_no_word_is_said_to_a_server_that_is_not_the_right_one(tmp_path: Path) -> None:
    """The password and the codes for new ones would be anybody's who answers on the port."""
    other = str(server_files(tmp_path / "other").authority)
    for line in (Line.STARTTLS, Line.TLS):
        async with mail_server(tmp_path / line, line) as box:
            for wrong in ({"authority": other}, {"host": NAMELESS}, {"password": "another"}):
                settings = replace(box.settings(), **wrong)  # type: ignore[arg-type]
                with pytest.raises(Retry, match="has not taken"):
                    await Mailer(settings, ManualClock(NOON_US)).send(MESSAGE)
        assert box.mails == []


async def test_what_the_server_says_is_told_and_can_be_tried_again(tmp_path: Path) -> None:
    """A mail that nobody got must not count as sent."""
    async with mail_server(tmp_path / "mail") as box:
        box.refuses = "452 the disk is full"
        mailer = Mailer(box.settings(), ManualClock(NOON_US))
        with pytest.raises(Retry, match="the disk is full") as failed:
            await mailer.send(MESSAGE)
        assert failed.value.delay_s > 0
        box.refuses = ""
        await mailer.send(MESSAGE)
        assert len(box.mails) == 1
    with pytest.raises(Retry, match="has not taken"):
        await mailer.send(MESSAGE)


@pytest.mark.parametrize(
    "message",
    [
        replace(MESSAGE, to=("ana@example.com\nBcc: eve@example.com",)),
        replace(MESSAGE, subject="Hello\nBcc: eve@example.com"),
    ],
    ids=["address", "subject"],
)
async def test_a_line_break_in_a_name_adds_no_reader(tmp_path: Path, message: Message) -> None:
    """Whoever may type a mail address could have others' codes sent to themselves."""
    async with mail_server(tmp_path / "mail") as box:
        with pytest.raises(Retry, match="has not taken"):
            await Mailer(box.settings(), ManualClock(NOON_US)).send(message)
    assert box.mails == []


def test_without_a_server_or_a_sender_no_mail_is_set_up() -> None:
    """A page that promises a mail which nobody can send keeps people waiting."""
    for host, sender, wanted in (("", "a@b", False), ("mail", "", False), ("mail", "a@b", True)):
        server = MailServer(host=host, sender=sender)
        assert Mailer(server, ManualClock(NOON_US)).is_set_up is wanted
