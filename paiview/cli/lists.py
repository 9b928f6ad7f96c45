"""``paiview models`` and ``paiview versions``: what PAI has, through its own filters."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from paiview.cli.options import ModelArgument, open_registry
from paiview.cli.output import print_frame, print_note, print_table, print_tree
from paiview.pai.objects import Label, Model, ModelFilters, VersionFilters
from paiview.pai.vocabulary import APPROVAL_STATUSES, PROVIDERS, SOURCE_TYPES, spellings_of
from paiview.text import json_text, one_line

if TYPE_CHECKING:
    import pandas as pd

    from paiview.registry.snapshots import VersionsSnapshot


class Format(StrEnum):
    """The formats of a list."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Order(StrEnum):
    """``Order`` of ListModelVersions."""

    ASC = "ASC"
    DESC = "DESC"


_LABEL_HELP: Final = "Text in a label key or value, or key=value for one label."
FormatOption = Annotated[
    Format,
    typer.Option(
        "--format",
        case_sensitive=False,
        help="json is as PAI sent it, with secrets masked; csv is safe to open in a spreadsheet.",
    ),
]


def models(
    workspace: Annotated[
        str | None, typer.Option(help="A WorkspaceId. Default: PAIVIEW_WORKSPACE_ID, otherwise all workspaces.")
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(help=f"List the public models of this provider, such as {' or '.join(PROVIDERS)}, not your own."),
    ] = None,
    model_name: Annotated[str | None, typer.Option(help="Part of a name; in double quotes the whole name.")] = None,
    query: Annotated[str | None, typer.Option(help="Text in a name, domain, task or label, found by PAI.")] = None,
    label: Annotated[str | None, typer.Option(help=_LABEL_HELP)] = None,
    tag: Annotated[str | None, typer.Option(help="key=value, or a JSON array of objects with Key and Value.")] = None,
    conditions: Annotated[
        str | None,
        typer.Option(help="ParameterSize<3000 (millions), or a JSON array of objects with Column, Operator and Value."),
    ] = None,
    domain: Annotated[str | None, typer.Option()] = None,
    task: Annotated[str | None, typer.Option()] = None,
    origin: Annotated[str | None, typer.Option()] = None,
    model_type: Annotated[str | None, typer.Option()] = None,
    collections: Annotated[str | None, typer.Option(help="Collections of PAI, joined by commas.")] = None,
    q: Annotated[str, typer.Option("--q", help="Text to find in a name, id, description, label or owner.")] = "",
    output: FormatOption = Format.TABLE,
) -> None:
    """List the models that pass PAI's filters, newest first."""
    from paiview.registry.model_search import matching_models  # noqa: PLC0415 - only this command needs it

    registry = open_registry()
    filters = ModelFilters(
        provider=provider,
        model_name=model_name,
        query_text=query,
        label=label,
        tag=tag,
        conditions=conditions,
        domain=domain,
        task=task,
        origin=origin,
        model_type=model_type,
        collections=collections,
    )
    snapshot = registry.models(registry.workspace_to_list(workspace, filters), filters)
    matches = matching_models(snapshot.items, text=q, task=None, domain=None, sort="-created")
    if output is Format.JSON:
        print_tree([model.raw for model in matches])
    elif output is Format.CSV:
        print_frame(_models_frame(matches))
    else:
        print_table(
            ("MODEL", "NAME", "TASK", "NEWEST", "CREATED"),
            [
                (model.model_id, model.model_name, model.task, _latest_version_name(model), model.gmt_create_time)
                for model in matches
            ],
        )
    print_note(snapshot.uneven or f"{len(matches)} of {snapshot.total} models")


def _models_frame(models: Sequence[Model]) -> "pd.DataFrame":
    """The columns of the CSV, one row for each model."""
    import pandas as pd  # noqa: PLC0415 - only CSV needs it

    columns = {
        "model_id": [model.model_id for model in models],
        "model_name": [model.model_name for model in models],
        "workspace_id": [model.workspace_id for model in models],
        "task": [model.task for model in models],
        "domain": [model.domain for model in models],
        "provider": [model.provider for model in models],
        "latest_version": [_latest_version_name(model) for model in models],
        "created": [model.gmt_create_time for model in models],
        "description": [model.model_description for model in models],
        "doc": [model.model_doc for model in models],
        "origin": [model.origin for model in models],
        "model_type": [model.model_type for model in models],
        "parameter_size": [model.parameter_size for model in models],
        "accessibility": [model.accessibility for model in models],
        "labels": [_labels_text(model.labels) for model in models],
        "tags": [_labels_text(model.tags) for model in models],
        "extra_info": [model.extra_info and json_text(model.extra_info) for model in models],
        "user_id": [model.user_id for model in models],
        "owner_id": [model.owner_id for model in models],
    }
    return pd.DataFrame(columns, dtype=object)


def _labels_text(labels: Sequence[Label]) -> str:
    return ", ".join(f"{label.key}={label.value}" for label in labels)


def _latest_version_name(model: Model) -> str | None:
    return model.latest_version.version_name if model.latest_version else None


def _approval_status(value: str | None) -> str | None:
    if value is not None and not {*spellings_of(value, APPROVAL_STATUSES)} <= {*APPROVAL_STATUSES}:
        raise typer.BadParameter(f"{one_line(value, 60)} is none of {', '.join(APPROVAL_STATUSES)}.")
    return value


def versions(
    model: ModelArgument,
    version_name: Annotated[str | None, typer.Option()] = None,
    format_type: Annotated[str | None, typer.Option()] = None,
    framework_type: Annotated[str | None, typer.Option()] = None,
    source_type: Annotated[str | None, typer.Option(help=f"{', '.join(SOURCE_TYPES)}, or another one.")] = None,
    source_id: Annotated[str | None, typer.Option()] = None,
    label: Annotated[str | None, typer.Option(help=_LABEL_HELP)] = None,
    approval_status: Annotated[
        str | None, typer.Option(callback=_approval_status, help="Pending, Approved or Rejected.")
    ] = None,
    order: Annotated[Order, typer.Option(case_sensitive=False)] = Order.ASC,
    sort_by: Annotated[str, typer.Option()] = "GmtCreateTime",
    output: FormatOption = Format.TABLE,
) -> None:
    """List the versions of a model, filtered and sorted by PAI. CSV has a column for each metric on each dataset.

    Beyond 1,000 of them it has one number in a row.
    """
    filters = VersionFilters(
        version_name=version_name,
        format_type=format_type,
        framework_type=framework_type,
        source_type=source_type,
        source_id=source_id,
        label=label,
        approval_status=approval_status,
        order=order.value,
        sort_by=sort_by,
    )
    _print_versions(open_registry().versions(model, filters), output)


def _print_versions(snapshot: "VersionsSnapshot", output: Format) -> None:
    if output is Format.JSON:
        _print_exported(snapshot)
    elif output is Format.CSV:
        from paiview.evaluation.queries import MAX_COLUMNS, long_form  # noqa: PLC0415 - only CSV needs pandas
        from paiview.reports.version_tables import version_table  # noqa: PLC0415

        frames = snapshot.frames
        in_order = frames.versions["listing_index"].to_numpy().argsort()
        if len(frames.pairs) > MAX_COLUMNS:
            print_frame(long_form(frames, frames.pairs, in_order))
            print_note(f"More than {MAX_COLUMNS:,} columns: one number in a row instead.")
        else:
            print_frame(version_table(frames, snapshot.versions, in_order, frames.pairs))
    else:
        print_table(
            ("VERSION", "STATUS", "CREATED", "FRAMEWORK", "FORMAT", "DESCRIPTION"),
            [
                (
                    version.version_name,
                    version.approval_status,
                    version.gmt_create_time,
                    version.framework_type,
                    version.format_type,
                    version.version_description,
                )
                for version in snapshot.versions
            ],
        )
    print_note(snapshot.coverage)
    for sentence in snapshot.warnings:
        print_note(sentence)


def _print_exported(snapshot: "VersionsSnapshot") -> None:
    """Print the versions: a list, or a whole response where a list would lose something when it is loaded again."""
    from paiview.pai.listing_facts import MEANINGS_FIELD  # noqa: PLC0415

    brings_meanings = bool(snapshot.meanings) and (snapshot.origin is None or snapshot.origin.kind != "published")
    raw = [version.raw for version in snapshot.versions]
    if not snapshot.missing and not brings_meanings:
        print_tree(raw)
        return
    meanings = {MEANINGS_FIELD: dict(snapshot.meanings)} if brings_meanings else {}
    print_tree({"Versions": raw, "TotalCount": len(raw) + snapshot.missing, **meanings})
