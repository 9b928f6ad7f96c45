"""Any bytes are pages or one sentence that says why not; any JSON is stored and served."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paiview.embedded.saved_answers import saved_answers
from paiview.embedded.saved_pages import ContentError, read_pages
from paiview.embedded.store import Store
from paiview.pai.errors import SettingError

WHOLE: Final = json.dumps(
    {"Versions": [{"VersionName": "0.1.0\ud83d", "Metrics": {"Results": [None, -1.5e3, True]}}], "TotalCount": 3}
).encode()

TEXTS = st.one_of(st.text(max_size=5), st.sampled_from(["0.1.0", "model-a", ".."]))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
KEYS = st.sampled_from(
    [
        *("Versions", "versions", "TotalCount", "total_count", "VersionName", "version_name", "ModelId", "model_id"),
        *("body", "data", "metrics", "Metrics", "origin", "Labels", "labels", "GmtCreateTime", "RequestId", "Code"),
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)


def failure(call: Callable[[], object], error_class: type[Exception]) -> str | None:
    """The text of the error that a call raises, if it does."""
    try:
        call()
    except error_class as error:
        return str(error)
    return None


@given(st.one_of(st.binary(max_size=60), st.integers(0, len(WHOLE)).map(lambda cut: WHOLE[:cut])))
def test_any_bytes_are_pages_or_have_a_reason(content: bytes) -> None:
    reason = failure(lambda: read_pages(content), ContentError)
    assert read_pages(content) if reason is None else reason.isprintable() and reason


@pytest.mark.parametrize("cut", range(1, len(WHOLE)))
def test_an_answer_that_is_cut_off_anywhere_is_told_as_that(cut: int) -> None:
    with pytest.raises(ContentError, match="it ends in the middle, in line 1"):
        read_pages(WHOLE[:cut])


@given(value=VALUES, lines=st.booleans())
def test_any_json_is_stored_and_read_back_or_refused(
    tmp_path_factory: pytest.TempPathFactory, value: Any, lines: bool
) -> None:
    folder: Path = tmp_path_factory.mktemp("any")
    file = folder / "any.json"
    file.write_text("\n".join([json.dumps(value)] * (2 if lines else 1)))
    refusal = failure(lambda: saved_answers([file]), SettingError)
    if refusal is not None:
        assert refusal.startswith("The data file ")
        return
    seeds = saved_answers([file])
    store = Store(folder / "registry.sqlite3")
    store.seed(seeds)
    for seed in seeds:
        filters: dict[str, str | None] = dict.fromkeys(
            ("VersionName", "FormatType", "FrameworkType", "SourceType", "SourceId", "ApprovalStatus", "Label")
        )
        total, _ = store.versions(seed.model_id, filters, descending=False, offset=0, limit=100)
        facts = store.facts(seed.model_id)
        assert facts.origin is not None
        assert total == len(seed.read().versions)
        assert facts.origin == seed.read().facts.origin
    store.close()
