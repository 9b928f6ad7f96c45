"""What a benchmark reports: one line with its figures, and whether the promised ratio holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One comparison of a run.

    Attributes:
        name: what was compared.
        figures: the measured times, in words.
        ratio: ours to theirs, both measured in the same run.
        bound: what the ratio is promised to be.
        at_most: whether the bound is an upper one; else a lower one.
    """

    name: str
    figures: str
    ratio: float
    bound: float
    at_most: bool

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return self.ratio <= self.bound if self.at_most else self.ratio >= self.bound
