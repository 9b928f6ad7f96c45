"""What Streamlit keeps for all visitors: the key under which, and for how long."""

import hashlib
from typing import Final

import numpy as np

SECONDS: Final = 600
"""How long something made for one run is kept for others."""
DECISIONS: Final = 256
"""Pictures, and tables, of decisions that are kept: they are small, and a model has many candidates."""


def key_of(*parts: object) -> str:
    """A text that stands for ``parts``: arrays of numbers, texts, numbers, and tuples of these two.

    Given the parts themselves Streamlit hashes each item by itself, which takes longer than to draw a small table.
    """
    told = [hashlib.sha256(part.tobytes()).digest() if isinstance(part, np.ndarray) else part for part in parts]
    return hashlib.sha256(repr(told).encode()).hexdigest()
