"""What the pictures have in common: colours, arrays plotly takes whole, and texts that tell categories apart."""

import html
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paiview.text import for_chart, shorten_front

BEST = "#0072B2"
APPROVED = "#009E73"
PENDING = "#E69F00"
REJECTED = "#B4478C"
NEUTRAL = "#8593A1"


def cells(values: Sequence[object]) -> NDArray[np.object_]:
    """An array, which plotly checks and copies as one; of a list it does so with every item."""
    return np.array(values, dtype=object)


def dataset_label(dataset: str, dataset_names: Mapping[str, str]) -> str:
    """A dataset by its name where one is known, a long Uri by its end."""
    return for_chart(shorten_front(dataset_names.get(dataset, dataset), 44), 60)


def version_labels(versions: pd.DataFrame) -> list[str]:
    """Version names as categories of an axis: plain, and still told apart where plain text makes two of them alike."""
    return unique([for_chart(name, 80) for name in versions["version_name"].tolist()])


def unique(texts: Sequence[str]) -> list[str]:
    """The texts, with a number behind those that another one before them equals."""
    taken = set(texts)
    seen: dict[str, int] = {}
    result = []
    for text in texts:
        label = text
        while seen.get(text) and label in taken:
            seen[text] += 1
            label = f"{text} ({seen[text]})"
        seen.setdefault(text, 1)
        taken.add(label)
        result.append(label)
    return result


def tick_positions(count: int, most: int) -> list[int]:
    """Up to ``most`` positions over ``count`` categories: the middles of equal parts, clear of the axis's ends."""
    parts = min(count, most)
    return [int((2 * part + 1) * count / (2 * parts)) for part in range(parts)]


def short(label: str) -> str:
    """A label cut to the width of a tick, between its characters and not inside of an escape."""
    return for_chart(html.unescape(label), 14)
