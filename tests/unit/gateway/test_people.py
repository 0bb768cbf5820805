"""Who may sign in, as a gateway knows it."""

import sqlite3

import pytest

from gateway.storage.people import read_verifiers


@pytest.mark.parametrize(
    ("typed", "people"),
    [("ann", ["Ann"]), ("ANN", ["Ann"]), ("Bob", ["Old Bob"]), ("bob", ["Bob"]), ("carl", [])],
)
def test_a_login_is_found_as_devices_and_the_workplace_find_it(
    typed: str, people: list[str]
) -> None:
    """What signs in on the device must not be refused by the command that checks whether it would."""
    connection = sqlite3.connect(":memory:")  # noqa: TID251 - one table of it
    connection.execute("CREATE TABLE sign_in (login TEXT, person TEXT, verifier TEXT)")
    kept = [("ann", "Ann", "v"), ("bob", "Bob", "v"), ("Bob", "Old Bob", "v")]
    connection.executemany("INSERT INTO sign_in VALUES (?, ?, ?)", kept)
    assert [person for person, _ in read_verifiers(connection, typed)] == people
    connection.close()
