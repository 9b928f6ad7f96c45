"""Other processes read exactly what was written; anything else is refused."""

import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from paiview.pai.errors import (
    AccessKeyError,
    ClockError,
    CredentialError,
    DeadlineError,
    ExpiredTokenError,
    NotFoundError,
    PaiviewError,
    PermissionDeniedError,
    ServiceError,
    SettingError,
    ThrottledError,
    UnreachableError,
    error_for,
)
from paiview.pai.listing_facts import Origin
from paiview.pai.objects import Model, ModelFilters, ModelVersion, VersionFilters, Workspace
from paiview.pai.responses import parse_json
from paiview.registry import shared_format
from paiview.registry.shared_format import (
    ITEMS_PER_LINE,
    MAX_TEXT_CHARACTERS,
    Head,
    UnreadableError,
    body_of,
    concerns_all_processes,
    head_of,
    pack_body,
    pack_error,
    pack_head,
    query_name,
    read_body,
    read_error,
    read_head,
    snapshot_from,
)
from paiview.registry.snapshots import ModelsSnapshot, Review, Snapshot, VersionsSnapshot, WorkspacesSnapshot
from paiview.secret_masking import mask_secrets
from paiview.text import one_line
from tests.harness.odd_data import LISTINGS, written

READ_AT: Final = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
BEFORE: Final = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
RAW: Final[list[dict[str, Any]]] = [
    {"VersionName": "0.1.0", "Metrics": {"Results": [{"Metrics": {"cer": 0.1 + 0.2}}]}, "New": [1, None, "é"]},
    {"VersionName": 7, "Labels": "none", "Options": "{}"},
]


def never() -> list[Any]:
    raise AssertionError("the content is asked for")


def listing(raw: list[Any], **fields: Any) -> VersionsSnapshot:
    said: dict[str, Any] = {
        "fetched_at": READ_AT,
        "model_id": "model-a",
        "filters": VersionFilters(label="zh"),
        "fully_read_at": BEFORE,
        "versions": tuple(ModelVersion.model_validate(item) for item in raw),
        "total": 3,
        "uneven": "It moved.",
        "identity": "i-1",
        "request_id": "R-1",
    }
    return VersionsSnapshot(**{**said, **fields})


def sent(snapshot: Snapshot, last: Snapshot | None = None) -> Any:
    """A snapshot as another process reads it, through bytes."""
    head = read_head(pack_head(head_of(snapshot)))
    body = pack_body(head.identity, body_of(snapshot))
    assert body is not None
    return snapshot_from(type(snapshot), head, lambda: read_body(body, head.identity), last)


class TestNames:
    def test_tell_queries_apart_and_are_the_same_in_every_process(self) -> None:
        key = ("versions", "https://pai", "reader", "model-a", VersionFilters(label="zh"))
        others = [
            (*key[:4], VersionFilters()),
            (*key[:3], "model-b", key[4]),
            (*key[:2], "another", *key[3:]),
            (key[0], "https://pai2", *key[2:]),
            ("models", *key[1:]),
            ("datasets", "https://pai", "reader", ("d-1", "d-2"), None),
            ("datasets", "https://pai", "reader", ("d-1,d-2",), None),
        ]
        names = {query_name(other) for other in others}
        assert len(names) == len(others)
        assert query_name(key) not in names
        assert query_name(key) == query_name((*key[:4], VersionFilters(label="zh")))
        assert query_name(("models", "https://pai", "reader", None)) == "paiview:4:9e2a60b3e19918bee07ab6bdf408b0ca"

    def test_accept_unpaired_surrogates(self) -> None:
        assert query_name(("model", "\ud800")) != query_name(("model", "\ud801"))


class TestSnapshots:
    def test_of_a_listing_keep_every_field_and_every_version_raw(self) -> None:
        snapshot = listing(RAW)
        read = sent(snapshot)
        assert [version.raw for version in read.versions] == RAW
        assert [version.misfits for version in read.versions] == [{}, {"Labels": "none"}]
        names = ("fetched_at", "model_id", "filters", "fully_read_at", "total", "uneven", "identity", "failure")
        assert [getattr(read, name) for name in names] == [getattr(snapshot, name) for name in names]
        assert read.fetched_at.isoformat() == snapshot.fetched_at.isoformat()
        assert len(read.frames.versions) == len(RAW)

    def test_with_the_same_body_bring_their_facts_and_keep_versions_and_frames(self) -> None:
        last = listing(RAW, fetched_at=BEFORE, failure=UnreachableError("Down."))
        read = snapshot_from(VersionsSnapshot, head_of(listing(RAW, fully_read_at=READ_AT)), never, last)
        assert read.versions is last.versions
        assert read.frames is last.frames
        assert (read.fetched_at, read.fully_read_at, read.failure) == (READ_AT, READ_AT, None)

    def test_with_another_body_or_kind_do_not_reuse_the_last_one(self) -> None:
        other = listing(RAW[:1], identity="i-2")
        assert len(sent(listing(RAW), other).versions) == len(RAW)
        alike = ModelsSnapshot(fetched_at=READ_AT, items=(), total=0, identity="i-1")
        assert len(sent(listing(RAW), alike).versions) == len(RAW)

    @pytest.mark.parametrize(
        "snapshot",
        [
            ModelsSnapshot(fetched_at=READ_AT, items=(Model(model_id="model-a"),), total=2, uneven="It moved."),
            ModelsSnapshot(
                fetched_at=READ_AT, items=(), total=0, filters=ModelFilters(provider="pai", label="a=b"), request_id="R"
            ),
            ModelsSnapshot(fetched_at=READ_AT, items=(), total=0),
            WorkspacesSnapshot(fetched_at=READ_AT, items=(Workspace(workspace_id="1"),)),
            Review(
                fetched_at=READ_AT, pending=3, approved=2, rejected=1, newest_pending=(ModelVersion(version_name="1"),)
            ),
        ],
        ids=lambda snapshot: type(snapshot).__name__,
    )
    def test_of_the_other_kinds_are_the_same(self, snapshot: Any) -> None:
        read = sent(snapshot)
        assert type(read) is type(snapshot)
        assert head_of(read).facts == head_of(snapshot).facts
        assert body_of(read) == body_of(snapshot)
        assert read.fetched_at == READ_AT

    @given(LISTINGS)
    @settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @example([float("nan"), 5e-324, 2**70, -0.0, "\udcff", None, [], {"": {}}])
    def test_of_any_json_are_the_same(self, items: list[Any]) -> None:
        raw = parse_json(written(items).encode())
        masked = [mask_secrets(item) for item in raw]
        assert json.dumps([version.raw for version in sent(listing(raw)).versions]) == json.dumps(masked)

    def test_longer_than_a_line_stay_in_their_order(self) -> None:
        raw = [{"VersionName": str(number)} for number in range(2 * ITEMS_PER_LINE + 1)]
        assert [version.raw for version in sent(listing(raw)).versions] == raw

    @pytest.mark.parametrize(
        ("facts", "content"),
        [
            ({"total": "many"}, []),
            ({"total": None}, []),
            ({"fully_read_at": "yesterday"}, []),
            ({"fully_read_at": "2026-01-02T03:04:05"}, []),
            ({"filters": {"order": {}}}, []),
            ({"model_id": 5.5}, []),
            ({"versions": "0.1.0", "filters": None}, []),
        ],
    )
    def test_with_invalid_fields_are_refused(self, facts: dict[str, Any], content: list[Any]) -> None:
        head = head_of(listing(RAW))
        with pytest.raises(UnreadableError):
            snapshot_from(
                VersionsSnapshot, head.model_copy(update={"facts": head.facts | facts}), lambda: content, None
            )

    def test_that_lack_a_field_are_refused(self) -> None:
        with pytest.raises(UnreadableError):
            snapshot_from(VersionsSnapshot, Head(fetched_at=READ_AT, identity="i", facts={}), list, None)


def body(*lines: bytes) -> bytes:
    return zlib.compress(b"\n".join(lines))


class TestGarbage:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"garbage",
            b"\x80\x04\x95.",
            body(),
            body(b'"i-2"', b"[1]"),
            body(b'"i-1"', b"[1"),
            body(b'"i-1"', b'{"a": 1}'),
            body(b'"i-1"', b""),
            body(b"[" * 10_000),
            body(b'"i-1"', b"[1]")[:-1],
            body(b'"i-1"', b"[" * 10_000 + b"]" * 10_000),
        ],
    )
    def test_is_no_body(self, data: bytes) -> None:
        with pytest.raises(UnreadableError):
            read_body(data, "i-1")

    def test_that_grows_beyond_the_bound_is_not_inflated_further(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shared_format, "MAX_BODY_BYTES", 1000)
        line = to_json(["x" * 900])
        assert read_body(body(b'"i-1"', line), "i-1") == ["x" * 900]
        with pytest.raises(UnreadableError):
            read_body(body(b'"i-1"', line, line), "i-1")

    def test_beyond_the_bound_is_not_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shared_format, "MAX_BODY_BYTES", 1000)
        assert pack_body("i-1", ["x" * 900]) is not None
        assert pack_body("i-1", ["x" * 1000]) is None

    def test_of_more_objects_than_the_bound_is_neither_read_nor_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shared_format, "MAX_BODY_OBJECTS", 3)
        assert read_body(body(b'"i-1"', b"[{},{}]", b"[{}]"), "i-1") == [{}, {}, {}]
        with pytest.raises(UnreadableError):
            read_body(body(b'"i-1"', b"[{},{}]", b"[{},{}]"), "i-1")
        assert pack_body("i-1", [{}] * 3) is not None
        assert pack_body("i-1", [{}] * 4) is None

    def test_is_counted_before_it_is_parsed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        small = [b"[" + b",".join([b"{}"] * 4) + b"]"] * 3
        monkeypatch.setattr(shared_format, "MAX_LINE_VALUES", 10)
        monkeypatch.setattr(shared_format, "MAX_BODY_OBJECTS", 20)
        assert len(read_body(body(b'"i-1"', *small), "i-1")) == 12

        def parse(text: bytes) -> object:
            raise AssertionError(f"{text!r} was parsed")

        monkeypatch.setattr(shared_format, "from_json", parse)
        for lines in ([b"[" + b",".join([b"{}"] * 10) + b"]"], [b""] * 21):
            with pytest.raises(UnreadableError, match="too many values"):
                read_body(body(b'"i-1"', *lines), "i-1")
        assert pack_body("i-1", [{}] * 10) is None

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"null",
            b"{}",
            b'{"fetched_at": "2026-01-02T03:04:05", "identity": "i", "facts": {}}',
            b'{"fetched_at": "2026-01-02T03:04:05Z", "identity": 5, "facts": {}}',
            b'{"fetched_at": "2026-01-02T03:04:05Z", "identity": "i", "facts": []}',
        ],
        ids=["nothing", "null", "no fields", "no zone", "identity", "facts"],
    )
    def test_is_no_head(self, data: bytes) -> None:
        with pytest.raises(UnreadableError):
            read_head(data)

    @pytest.mark.parametrize(
        "change",
        [
            lambda said: said | {"kind": "SystemExit"},
            lambda said: said | {"kind": "PaiviewError"},
            lambda said: said | {"kind": "SettingError"},
            lambda said: said | {"message": None},
            lambda said: said | {"retry_after": float("inf")},
            lambda said: said | {"retry_after": float("nan")},
            lambda _: {},
            lambda said: [said],
        ],
    )
    def test_is_no_error(self, change: Callable[[dict[str, Any]], Any]) -> None:
        said = json.loads(pack_error(NotFoundError("It is gone.")))
        with pytest.raises(UnreadableError):
            read_error(to_json(change(said)))


class TestErrors:
    def test_are_the_same_with_all_their_fields(self) -> None:
        error = error_for("GetModel", 404, code="201900003", text="模型 <b>", request_id="R-1")
        read = read_error(pack_error(error))
        assert type(read) is NotFoundError
        assert str(read) == str(error)
        assert (read.code, read.request_id, read.status, read.advice) == ("201900003", "R-1", 404, error.advice)

    def test_keep_how_long_to_wait(self) -> None:
        read = read_error(pack_error(error_for("ListModels", 429, code="Throttling", retry_after=2.5)))
        assert isinstance(read, ThrottledError)
        assert read.retry_after == 2.5

    @pytest.mark.parametrize(
        ("kind", "common"),
        [
            (ServiceError, True),
            (NotFoundError, True),
            (PermissionDeniedError, True),
            (DeadlineError, True),
            (UnreachableError, False),
            (AccessKeyError, False),
            (ExpiredTokenError, False),
            (ClockError, False),
            (CredentialError, False),
            (SettingError, False),
        ],
    )
    def test_of_one_process_are_not_shared(self, kind: type[PaiviewError], common: bool) -> None:
        assert concerns_all_processes(kind("Why.")) is common

    @given(st.text())
    def test_take_any_text_as_one_printable_line(self, text: str) -> None:
        message = read_error(pack_error(ServiceError(text))).message
        assert message == one_line(text, MAX_TEXT_CHARACTERS)
        assert message.isprintable()


def test_what_a_listing_says_beside_its_versions_travels() -> None:
    origin = Origin(kind="saved", files=("a.json",), listed=1, missing=14, doubled="twice", remarks=("odd",))
    meanings = {"质量": {"direction": "higher", "range": [0, None]}}
    before = listing([{"VersionName": "1.0.0"}], origin=origin, meanings=meanings, remarks=("odd",))
    after = sent(before)
    assert (after.origin, after.remarks) == (origin, ("odd",))
    assert after.meanings == meanings
    assert (after.missing, after.coverage) == (before.missing, before.coverage)
