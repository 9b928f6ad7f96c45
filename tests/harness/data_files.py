"""Saved responses as the embedded registry reads them."""

from pathlib import Path

from paiview.embedded.saved_answers import saved_answers
from paiview.embedded.store import SeedFile


def saved_answer(path: Path) -> SeedFile:
    """``saved_answers`` of one file with one model."""
    (file,) = saved_answers([path])
    return file
