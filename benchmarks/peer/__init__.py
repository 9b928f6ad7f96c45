"""The peer that paiview is measured beside. ``seed`` and ``frame`` run in the environment of MLflow."""

from typing import Final

MODEL: Final = "bench"
"""The name of the one registered model."""


def run_id(number: int) -> str:
    """The run behind a version."""
    return f"{number:032x}"
