"""Second factor: codes that change with time. Source: RFC 6238; SHA-1, six digits, 30 seconds, as apps expect."""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

SECRET_BYTES = 20
DIGITS = 6
STEP_S = 30
_STEPS_ASIDE = 1
"""Clocks of phones differ: the code before and the code after are taken too."""


def new_secret() -> bytes:
    """A random secret."""
    return secrets.token_bytes(SECRET_BYTES)


def step_at(now: int) -> int:
    """The time step of a moment in UTC microseconds."""
    return now // (STEP_S * 1_000_000)


def code_at(secret: bytes, step: int) -> str:
    """The code of a time step."""
    digest = hmac.digest(secret, step.to_bytes(8), hashlib.sha1)
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: bytes, code: str, now: int) -> int | None:
    """The time step near now whose code it is; None = it is none of them."""
    given = code.replace(" ", "").encode()
    found = None
    for step in range(step_at(now) - _STEPS_ASIDE, step_at(now) + _STEPS_ASIDE + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), given):
            found = step
    return found


def secret_text(secret: bytes) -> str:
    """The secret as people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, *, company: str, login: str) -> str:
    """The address that an app reads from a picture."""
    label = quote(f"{company}:{login}", safe="")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret_text(secret), 'issuer': company})}"
