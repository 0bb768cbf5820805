"""The second factor's codes are those of RFC 6238, appendix B, as every app makes them."""

from urllib.parse import parse_qs, urlsplit

import pytest

from hub.trust import totp

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("second", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    """An app and a hub that count differently let nobody in."""
    now = second * 1_000_000
    assert totp.code_at(SECRET, totp.step_at(now)) == code
    assert totp.matching_step(SECRET, f" {code[:3]} {code[3:]}", now) == totp.step_at(now)


def test_a_clock_may_be_half_a_minute_off_and_no_more() -> None:
    """A phone's clock is never quite right; a code that holds for long is worth stealing."""
    now = 1_800_000_000_000_000
    step = totp.step_at(now)
    taken = [
        aside
        for aside in range(-3, 4)
        if totp.matching_step(SECRET, totp.code_at(SECRET, step + aside), now) is not None
    ]
    assert taken == [-1, 0, 1]
    assert totp.matching_step(SECRET, "", now) is None


def test_the_picture_names_company_person_and_secret() -> None:
    """A list of nameless codes in somebody's app is of no use."""
    parts = urlsplit(totp.address(SECRET, company="A & B", login="ann"))
    assert parts[:3] == ("otpauth", "totp", "/A%20%26%20B%3Aann")
    wanted = {"secret": [totp.secret_text(SECRET)], "issuer": ["A & B"]}
    assert parse_qs(parts.query) == wanted
