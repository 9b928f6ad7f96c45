"""Times as the reader's clock shows them, beside UTC, in which PAI writes them."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


class ReaderTime(NamedTuple):
    """A moment for a reader.

    Attributes:
        local: on the clock of the browser.
        zone: the name of the browser's time zone; ``UTC`` where it is that, or not known.
        utc: in UTC, without its name.
    """

    local: str
    zone: str
    utc: str


def reader_time(moment: datetime) -> ReaderTime:
    """A moment, which has a time zone, to the second.

    The tables of versions have no such times: a cell has no tooltip, and the filters on dates mean days in UTC.
    """
    in_utc = f"{moment.astimezone(UTC):{_FORMAT}}"
    zone = _browser_zone()
    if zone is None or (local := moment.astimezone(zone)).utcoffset() == timedelta():
        return ReaderTime(in_utc, "UTC", in_utc)
    return ReaderTime(f"{local:{_FORMAT}}", str(zone), in_utc)


def _browser_zone() -> tzinfo | None:
    """The time zone that the browser names; ``None`` without one, or for a name that is none."""
    name = st.context.timezone
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
