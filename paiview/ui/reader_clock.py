"""Times as the reader's clock shows them, beside UTC, in which PAI writes them."""

from datetime import UTC, datetime, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


class ReaderTime(NamedTuple):
    """A moment for a reader.

    Attributes:
        local: in the time zone of the browser, with its name; equal to ``utc`` where that is UTC or not known.
        utc: in UTC.
    """

    local: str
    utc: str


def reader_time(moment: datetime) -> ReaderTime:
    """A moment, which has a time zone, to the second.

    The tables of versions have no such times: a cell has no tooltip, and the filters on dates mean days in UTC.
    """
    in_utc = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    zone = _browser_zone()
    if zone is None or (local := moment.astimezone(zone)).utcoffset() == UTC.utcoffset(None):
        return ReaderTime(in_utc, in_utc)
    return ReaderTime(f"{local:%Y-%m-%d %H:%M:%S} {zone}", in_utc)


def _browser_zone() -> tzinfo | None:
    """The time zone that the browser names; ``None`` without one, or for a name that is none."""
    name = st.context.timezone
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
