"""Time zones by their names. What an office was given may be no name of a zone: then its people see UTC."""

import datetime
import zoneinfo


def zone_named(name: str) -> datetime.tzinfo | None:
    """The time zone of an IANA name; None = there is none of that name here."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: a folder of zones, such as Europe.
        return None


def zone_or_utc(name: str) -> datetime.tzinfo:
    """The time zone of an IANA name, or UTC: one wrong name stops nobody's page and nobody's mail."""
    return zone_named(name) or datetime.UTC
