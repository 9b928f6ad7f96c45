"""paiview: the evaluation metrics of PAI model versions, compared before one is approved."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from paiview.evidence.finding import metrics_size_warning
    from paiview.evidence.significance import significance

__all__ = ["__version__", "metrics_size_warning", "significance"]
__version__ = "0.1.0"
_SOURCES: Final = {
    "metrics_size_warning": "paiview.evidence.finding",
    "significance": "paiview.evidence.significance",
}
"""The module of each public function. They are imported when they are asked for: commands start faster without."""


def __getattr__(name: str) -> Any:
    if (source := _SOURCES.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - likewise

    return getattr(import_module(source), name)
