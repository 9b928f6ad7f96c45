"""One version in detail: every field, its source, specs with secrets masked, and the response as it came."""

import json
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from paiview.evaluation.dataset_identity import base_of
from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.metric_families import fold
from paiview.evaluation.queries import VersionIndexes
from paiview.evaluation.results import item_files
from paiview.pai import console
from paiview.pai.objects import JsonObject, Model, ModelVersion
from paiview.pai.sources import PIPELINE_RUN, SERVICE_JOB, TRAINING_JOB, parse_source
from paiview.registry.registry import Registry
from paiview.secret_masking import MASK
from paiview.text import ascii_host, counted, escape_invisible, escape_markdown, http_url, one_line, several_lines
from paiview.ui import app_frame, page_head, statuses, url, url_controls, versions_table
from paiview.ui.approved_now import READ_AS_ERRORS, ApprovedNow, change_text, clip_of, tint_style
from paiview.ui.copied import draw_copied
from paiview.ui.model_data import ModelData
from paiview.ui.reader_clock import reader_time

_SPECS = {
    "TrainingSpec": "training_spec",
    "InferenceSpec": "inference_spec",
    "EvaluationSpec": "evaluation_spec",
    "CompressionSpec": "compression_spec",
    "DistillationSpec": "distillation_spec",
}
_RUN_NAMES = {PIPELINE_RUN: "pipeline run", SERVICE_JOB: "service job", TRAINING_JOB: "training job"}
_MAX_COVERS = 8
_MAX_COPIED_DATASETS = 12
_MAX_FLAGS = 5
_MAX_ITEM_FILES = 20
_DRAWER_PIXELS = 620


def choose_version(frames: Frames, on_page: VersionIndexes) -> int | None:
    """Choose the version in detail: one of those on this page of the table, or the one the link asks for.

    The table opens a version by a click on its name; no key of a keyboard does that in it.

    Returns:
        Its position in the versions frame; ``None`` when nothing is chosen.
    """
    names = frames.versions["version_name"]
    index_by_name = {names.iloc[index]: int(index) for index in on_page}
    requested = url.requested("version")
    if requested is not None and requested not in index_by_name:
        index_by_name.update((requested, int(index)) for index in np.flatnonzero(names.to_numpy() == requested))
    options = {name: one_line(name) for name in index_by_name}
    name = url_controls.choice(
        "Open version", options, key="version", placeholder="Open version …", width=240, is_label_shown=False
    )
    return None if name is None else index_by_name[name]


def open_drawer(
    registry: Registry,
    model: Model,
    version: ModelVersion,
    data: ModelData,
    version_index: int,
    approved: ApprovedNow | None,
) -> None:
    """Open the drawer with everything known about one version; closing it takes the version out of the link.

    Args:
        registry: where it came from, for the link to the console.
        model: its model.
        version: the version as the service sent it.
        data: the listing it belongs to.
        version_index: its position in the versions frame.
        approved: the version that is approved now; ``None`` without one.
    """
    row = cast("pd.Series[Any]", data.frames.versions.loc[version_index])

    def draw() -> None:
        with st.container(key="version-detail"):
            _draw_head(registry, model, version, row, approved)
            _warn_of_flags(data, version_index, row)
            results, about, specs, raw = st.tabs(["Results", "About", "Specs", "Raw JSON"])
            with results:
                _draw_results(data, version, version_index, approved)
            with about:
                _draw_about(model, version, row)
                _draw_datasets(data, version_index)
                _draw_options(version)
            with specs:
                _draw_specs(version)
            with raw:
                st.caption(
                    "As the service sent it, but for secrets, which are masked, and invisible characters, which are "
                    "written as escapes."
                )
                st.json(escape_invisible(version.raw), expanded=2)

    title = escape_markdown(str(row["version_name"]), 120)
    st.dialog(title, width=_DRAWER_PIXELS, position="right", on_dismiss=_close)(draw)()


def _close() -> None:
    url.write("version")


def _draw_head(
    registry: Registry, model: Model, version: ModelVersion, row: "pd.Series[Any]", approved: ApprovedNow | None
) -> None:
    status = row["approval_status"]
    badge = statuses.badge(status, statuses.status_text(status)) if isinstance(status, str) else ""
    local, in_utc = _times(version, row)
    # Streamlit has tooltips for a whole text alone.
    st.markdown(f"{badge} :gray[{local}]" if local else badge, help=in_utc)
    if version.version_description:
        st.text(several_lines(version.version_description))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if version.version_name and model.model_id:
            is_approved_now = approved is not None and approved.name == version.version_name
            app_frame.link(
                app_frame.COMPARE,
                f"Compare with {'its baseline' if is_approved_now else 'the approved version'}",
                model=model.model_id,
                candidate=version.version_name,
            )
        page_head.draw_console_link(registry, model, [version], "console-version")


def _warn_of_flags(data: ModelData, version_index: int, row: "pd.Series[Any]") -> None:
    """Say what is flagged in a version: each thing, or of many results how many have which problem."""
    if not row["problems"]:
        return
    metrics = data.frames.metrics
    flagged = metrics[(metrics["version_index"] == version_index) & metrics["problem"].notna()]
    is_long = len(flagged) > _MAX_FLAGS
    sentence = f"{row['problems']} flagged in this version: "
    if is_long:
        counts = flagged["problem"].astype("str").value_counts()
        kinds = [f"{counted(int(count), 'result')} {name}" for name, count in counts.items()]
        sentence += escape_markdown(", ".join(kinds))
    if not is_long or row["problems"] > len(flagged):
        sentence += (". " if is_long else "") + escape_markdown(str(row["problem"]), 400)
    st.warning(sentence)


def _times(version: ModelVersion, row: "pd.Series[Any]") -> tuple[str, str | None]:
    """When the version was created and modified, as Markdown: on the reader's clock, and in UTC where that differs."""
    local, in_utc = [], []
    zone = ""
    for verb, moment, text in (
        ("created", row["created"], version.gmt_create_time),
        ("modified", row["modified"], version.gmt_modified_time),
    ):
        if not pd.isna(moment):
            shown = reader_time(moment.to_pydatetime())
            zone = escape_markdown(shown.zone)
            local.append(f"{verb} {shown.local}")
            in_utc.append(f"{verb} {shown.utc}")
        elif text:
            local.append(f"{verb} {escape_markdown(text, 60)}")
    is_utc = zone in ("", "UTC")
    return f"{' · '.join(local)} {zone}".strip(), None if is_utc else f"{' · '.join(in_utc)} UTC"


def _draw_results(data: ModelData, version: ModelVersion, version_index: int, approved: ApprovedNow | None) -> None:
    rows = data.frames.metrics[data.frames.metrics["version_index"] == version_index]
    if rows.empty:
        st.info("This version has no evaluation results.")
        _draw_stored_metrics(version)
        return
    shown = rows[["dataset", "metric", "value", "raw", "problem", "n", "errors"]]
    shown = shown.astype({"dataset": "str", "metric": "str"}).dropna(axis="columns", how="all").reset_index(drop=True)
    pairs = [*map(Pair, shown["metric"], shown["dataset"])]
    in_column = versions_table.column_decimals(data=data, pairs=pairs)
    # The table of versions leaves out a pair given twice, whose numbers may need more decimals than its column has.
    in_row = [
        versions_table.decimal_places(pair, [value], data.contracts.metrics)
        for pair, value in zip(pairs, rows["value"], strict=True)
    ]
    digits = [*map(max, in_column, in_row)]
    styles = [""] * len(pairs)
    effects: dict[Pair, float | None] = {}
    shown["dataset"] = [data.dataset_names.get(dataset, dataset) for dataset in shown["dataset"]]
    if approved is not None and version is not approved.version and "value" in shown:
        (changes,) = approved.changes([version], data.contracts)
        decisions = [changes.get(pair) for pair in pairs]
        clip = clip_of(changes.values())
        styles = [tint_style(decision, clip) for decision in decisions]
        texts = [change_text(decision, data.contracts) for decision in decisions]
        effects = {pair: decision.effect for pair, decision in changes.items()}
        shown.insert(1, "change", pd.Series(texts, dtype="str"))
        before = [None if decision is None else decision.baseline for decision in decisions]
        shown.insert(4, "approved", pd.Series(before, dtype="float64"))
        against = f"Change against {escape_markdown(approved.name, 60)}, approved now; positive is better."
        is_any_error = any(text is not None and text.endswith(READ_AS_ERRORS) for text in texts)
        st.caption(against + (f" {versions_table.ERRORS_LEGEND}" if is_any_error else ""))
    for column in ("dataset", "metric", *(name for name in ("raw", "problem") if name in shown)):
        shown[column] = shown[column].astype("str").map(one_line, na_action="ignore")
    folded = fold(pairs, data.contracts.metrics, effects)
    _draw_result_rows(shown, digits, styles, folded.shown)
    if folded.hidden:
        label = f"…and {len(folded.hidden)} more: {escape_markdown(folded.summary)}"
        # It is drawn at once: a control in a dialog would run the dialog alone again, without the frame around it.
        with st.expander(label, key="more-results"):
            _draw_result_rows(shown, digits, styles, folded.hidden)
    _draw_item_files(version, data)
    _draw_stored_metrics(version)


def _draw_result_rows(results: pd.DataFrame, digits: Sequence[int], styles: Sequence[str], rows: list[int]) -> None:
    """Draw some rows of the results; ``digits`` and ``styles`` have the decimals and the tint of every row."""
    order = ["dataset", "change", "value", "approved", "metric", "raw", "problem", "n", "errors"]
    table = results[[name for name in order if name in results]].iloc[rows].reset_index(drop=True)
    table = table.dropna(axis="columns", how="all")
    numbers = [name for name in ("value", "approved") if name in table]
    in_rows = [digits[row] for row in rows]
    tints = [styles[row] for row in rows]
    styled = versions_table.with_decimals(table, numbers, in_rows) if numbers else table
    if isinstance(styled, Styler) and any(tints) and "change" in table:
        styled = styled.apply(lambda _: tints, subset=["change"])
    st.dataframe(
        styled,
        hide_index=True,
        height=versions_table.height(len(table)),
        placeholder="–",
        alt="Evaluation results of the version",
        column_config={
            **{name: st.column_config.Column(name.capitalize()) for name in ("dataset", "metric", "raw", "problem")},
            **{
                name: st.column_config.Column(name.capitalize(), alignment="right")
                for name in ("change", "value", "approved")
            },
            "errors": st.column_config.Column("Errors"),
        },
    )


def _draw_item_files(version: ModelVersion, data: ModelData) -> None:
    """Draw the addresses of the files of results by item, and the command that compares two of them."""
    files = item_files(version.metrics)
    if not files:
        return
    more = len(files) - _MAX_ITEM_FILES
    st.markdown("**Results by item**")
    st.caption(
        "The evaluation job wrote these files. paiview does not open them. With the file of another version beside it, "
        "this command lists the items that got worse:"
    )
    st.code("paiview explain BASELINE.jsonl CANDIDATE.jsonl", language=None)
    names = data.dataset_names
    draw_copied(
        [(escape_markdown(names.get(each, each), 60), address) for each, address in files[:_MAX_ITEM_FILES]], "items"
    )
    if more > 0:
        st.caption(f"{more} more are in Raw JSON.")


def _draw_stored_metrics(version: ModelVersion) -> None:
    """Draw a section with the field Metrics as it is."""
    if version.metrics not in (None, {}, []):
        with st.expander("Metrics as stored", key="stored-metrics"):
            _draw_json("Metrics", version.metrics)


def _draw_datasets(data: ModelData, version_index: int) -> None:
    """Draw the id and the Uri of each dataset that Results shows by its name."""
    rows = data.frames.metrics[data.frames.metrics["version_index"] == version_index]
    datasets: dict[str, str | None] = {}
    for dataset, uri in zip(rows["dataset"].astype("str"), rows["dataset_uri"].astype("object"), strict=True):
        given = uri if isinstance(uri, str) else None
        datasets[dataset] = datasets.get(dataset) or given
    facts = [
        (data.dataset_names.get(dataset, dataset), "" if "://" in dataset else base_of(dataset), uri or "")
        for dataset, uri in datasets.items()
        if dataset in data.dataset_names or uri
    ]
    if not facts:
        return
    st.markdown("**Datasets**")
    if len(facts) <= _MAX_COPIED_DATASETS:
        for number, (name, dataset_id, uri) in enumerate(facts):
            st.markdown(escape_markdown(name))
            draw_copied([("DatasetId", dataset_id), ("Uri", uri)], f"dataset-{number}")
        return
    table = pd.DataFrame(
        [tuple(map(one_line, fact)) for fact in facts], columns=["Dataset", "DatasetId", "Uri"], dtype="str"
    )
    height = versions_table.height(len(table))
    st.dataframe(table, hide_index=True, height=height, alt="Ids and addresses of the datasets of the version")
    st.caption("Click a cell and press Ctrl+C to copy it.")


def _draw_about(model: Model, version: ModelVersion, row: "pd.Series[Any]") -> None:
    extra_info = dict(version.extra_info or {})
    covers = extra_info.pop("CoverUris", None)
    fields = [*_documented_fields(version, row), *_other_fields(version, extra_info)]
    table = pd.DataFrame(
        [(one_line(name), _cell(value)) for name, value in fields], columns=["field", "value"], dtype="str"
    )
    table = table[table["value"] != ""]
    with st.container(horizontal=True, gap="small"):
        for label, address in (*_links(version), *_cover_links(covers)):
            st.link_button(label, address)
    draw_copied(
        [
            ("ModelId", model.model_id),
            ("VersionName", version.version_name),
            ("Uri", version.uri),
            ("SourceId", version.source_id),
            ("Source run", None if pd.isna(row["source_run"]) else row["source_run"]),
            ("UserId", version.user_id),
            ("OwnerId", version.owner_id),
        ],
        "version",
    )
    st.dataframe(table, hide_index=True, height=versions_table.height(len(table)), alt="Fields of the version")


def _draw_options(version: ModelVersion) -> None:
    if version.options:
        st.markdown("**Options**")
        _draw_json("Options", version.options)


def _draw_json(name: str, value: Any) -> None:
    """Draw a value, or a text that holds JSON, as a tree; any other text is drawn under the name of its field."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = {name: value}
    st.json(escape_invisible(value if isinstance(value, dict | list) else {name: value}), expanded=1)


def _documented_fields(version: ModelVersion, row: "pd.Series[Any]") -> list[tuple[str, Any]]:
    """Name and value of each field but ids and addresses; pairs, as a label may have the name of a field."""
    return [
        ("ApprovalStatus", version.approval_status),
        ("Created (UTC)", _time_text(row["created"], version.gmt_create_time)),
        ("Modified (UTC)", _time_text(row["modified"], version.gmt_modified_time)),
        ("FormatType", version.format_type),
        ("FrameworkType", version.framework_type),
        ("SourceType", version.source_type),
        ("Source region", row["source_region"]),
        ("Source workspace", row["source_workspace"]),
        ("Source kind", row["source_kind"]),
        *((f"Label {label.key}", label.value) for label in version.labels),
    ]


def _other_fields(version: ModelVersion, extra_info: JsonObject) -> list[tuple[str, str]]:
    """Name and value of each entry of ExtraInfo, and of each field that the documentation does not name."""
    fields = []
    words = extra_info.get("TrainedWords")
    if isinstance(words, list):
        fields.append(("TrainedWords", ", ".join(str(word) for word in words)))
    entries = {name: value for name, value in extra_info.items() if name != "TrainedWords"}
    others = [(f"ExtraInfo {name}", value) for name, value in entries.items()]
    others += (version.model_extra or {}).items()
    return fields + [(name, value if isinstance(value, str) else _json(value)) for name, value in others]


def _cover_links(covers: object) -> list[tuple[str, str]]:
    """Label and address of each cover image: pages load nothing from the hosts that its author chose."""
    addresses = [
        address for cover in (covers if isinstance(covers, list) else ()) if (address := _openable(str(cover)))
    ][:_MAX_COVERS]
    return [
        (f"Open cover {number} at {escape_markdown(ascii_host(address))}", address)
        for number, address in enumerate(addresses, 1)
    ]


def _links(version: ModelVersion) -> list[tuple[str, str]]:
    """Label and address of the run that made the version, and of its Uri."""
    links = []
    source = parse_source(version.source_type, version.source_id)
    if source is not None and (address := console.run_url(source)):
        links.append((f"Open the {_RUN_NAMES[source.kind]}", address))
    if uri := _openable(version.uri or ""):
        links.append((f"Open the Uri at {escape_markdown(ascii_host(uri))}", uri))
    return links


def _openable(address: str) -> str | None:
    """The address if it is safe in a link, and nothing in it is masked: it would open nothing."""
    return None if MASK in address else http_url(address)


def _draw_specs(version: ModelVersion) -> None:
    present = {name: spec for name, field in _SPECS.items() if (spec := getattr(version, field))}
    if not present:
        st.info("This version has no training, inference, evaluation, compression or distillation spec.")
    for name, spec in present.items():
        st.markdown(f"**{name}**")
        methods = _methods(name, spec)
        if methods:
            st.caption(f"{len(methods)} methods: {escape_markdown(', '.join(methods), 300)}")
        st.json(escape_invisible(spec), expanded=2)


def _methods(name: str, spec: JsonObject) -> list[str]:
    """The method names of a spec that holds several methods, an object each; empty for a single spec."""
    single = (
        {"metadata", "cloud", "containers", "storage"}
        if name == "InferenceSpec"
        else {"AlgorithmSpec", "AlgorithmName"}
    )
    several = bool(spec) and not single & spec.keys() and all(isinstance(value, dict) for value in spec.values())
    return list(spec) if several else []


def _time_text(parsed: Any, text: str | None) -> str | None:
    return text if pd.isna(parsed) else f"{parsed:%Y-%m-%d %H:%M:%S}"


def _cell(value: Any) -> str:
    return "" if pd.isna(value) else one_line(str(value), 2000)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
