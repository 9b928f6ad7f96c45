"""The server around the pages."""

import urllib.request

import pytest

from paiview import server

pytestmark = pytest.mark.browser


def test_it_says_that_it_is_well(embedded: str) -> None:
    with urllib.request.urlopen(f"{embedded}/healthz", timeout=10) as answer:  # noqa: S310 - the URL is of this process
        assert answer.read() == b"ok"


@pytest.mark.parametrize("path", ["/healthz", "/", "/versions", "/_stcore/health"])
def test_every_answer_has_the_security_headers(embedded: str, path: str) -> None:
    with urllib.request.urlopen(f"{embedded}{path}", timeout=10) as answer:  # noqa: S310
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_a_wrong_setting_ends_it_before_the_first_visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIVIEW_CONCURRENCY", "none")
    with pytest.raises(SystemExit, match=r"paiview: PAIVIEW_CONCURRENCY .+"):
        server.settings()
