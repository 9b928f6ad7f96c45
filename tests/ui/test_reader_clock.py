"""Times in the time zone of the browser."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import streamlit as st

from paiview.ui.reader_clock import reader_time

MOMENT = datetime(2024, 3, 1, 20, 30, 5, tzinfo=UTC)
IN_UTC = "2024-03-01 20:30:05"


def at(zone: str | None, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str]:
    monkeypatch.setattr(st, "context", SimpleNamespace(timezone=zone))
    return reader_time(MOMENT)


def test_a_time_is_that_of_the_browser_and_of_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    assert at("Asia/Shanghai", monkeypatch) == ("2024-03-02 04:30:05", "Asia/Shanghai", IN_UTC)
    assert at("Europe/London", monkeypatch) == (IN_UTC, "UTC", IN_UTC)


@pytest.mark.parametrize("zone", [None, "", "UTC", "Mars/Base", "../../etc/passwd", "America", "a\0b", "<b>"])
def test_without_a_known_zone_a_time_is_that_of_utc(zone: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert at(zone, monkeypatch) == (IN_UTC, "UTC", IN_UTC)
