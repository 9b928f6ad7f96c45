"""What Streamlit keeps for all visitors: the key under which, and for how long."""

import hashlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SECONDS: Final = 600
"""How long something made for one run is kept for others."""
DECISIONS: Final = 256
"""Pictures, and tables, of decisions that are kept: they are small, and a model has many candidates."""


def key_of(*parts: object) -> str:
    """A text that stands for ``parts``: arrays, texts, numbers, ``None``, and tuples of these but for arrays.

    Given the parts themselves Streamlit hashes each item by itself, which takes longer than to draw a small table.
    """
    told = [_told(part) if isinstance(part, np.ndarray) else part for part in parts]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _told(array: NDArray[Any]) -> tuple[str, tuple[int, ...], bytes]:
    """What tells an array from another one; its own text leaves out the middle of a long one."""
    return array.dtype.str, array.shape, hashlib.sha256(array.tobytes()).digest()
