"""Keys and lifetimes of what Streamlit caches for all sessions."""

import hashlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

TTL_SECONDS: Final = 600
"""Time to live of a cached table or figure."""
MAX_DECISION_ENTRIES: Final = 256
"""Entries of a cache of figures or tables of decisions, which are small; a model has many candidates."""


def key_of(*parts: object) -> str:
    """A hash over ``parts``: arrays, texts, numbers, ``None``, and tuples of all but arrays.

    It replaces Streamlit's own hashing of arguments, item by item, which takes longer than drawing a small table.
    """
    values = [_digest(part) if isinstance(part, np.ndarray) else part for part in parts]
    return hashlib.sha256(repr(values).encode()).hexdigest()


def _digest(array: NDArray[Any]) -> tuple[str, tuple[int, ...], bytes]:
    """Type, shape and a hash of an array, whose ``repr`` leaves out the middle of a long one."""
    return array.dtype.str, array.shape, hashlib.sha256(array.tobytes()).digest()
