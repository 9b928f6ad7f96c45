"""The arguments and options that several commands have, and what they open."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paiview.settings import load_settings

if TYPE_CHECKING:
    from paiview.decisions.contracts import Contracts
    from paiview.registry.registry import Registry

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A ModelId.")]
CandidateArgument = Annotated[str, typer.Argument(metavar="CANDIDATE", help="The VersionName to approve or reject.")]
BaselineOption = Annotated[
    str | None,
    typer.Option(help="The VersionName to compare with. Default: by rule, usually the newest approved one before it."),
]
BaselineModelOption = Annotated[
    str | None, typer.Option(help="The ModelId of the baseline, if it belongs to another model.")
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="A TOML file whose [[policy]] rules replace those of paiview.toml."),
]


def open_registry() -> "Registry":
    """The registry that a command reads: PAI itself, for an approval must not rest on a shared, older response."""
    from paiview.registry.connection import connect  # noqa: PLC0415 - only commands that read PAI pay for the import

    return connect(load_settings().model_copy(update={"cache_url": None}))


def contracts_with(policy: Path | None) -> "Contracts":
    """What paiview.toml says, with the rules of another file in place of its own where one is given."""
    from paiview.decisions import contracts  # noqa: PLC0415 - most commands do without

    current = contracts.current()
    return current if policy is None else replace(current, rules=contracts.load_policy(policy, current))
