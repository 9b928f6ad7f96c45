"""How an approval status looks: its mark and its colour, in text, in chips of tables and in badges."""

from typing import Final, Literal

from paiview.text import escape_markdown, one_line

Colour = Literal["yellow", "green", "gray"]
STATUSES: Final[dict[str, tuple[str, Colour]]] = {
    "Pending": ("○", "yellow"),
    "Approved": ("✓", "green"),
    "Rejected": ("✕", "gray"),
}
"""The documented statuses: mark and colour."""
_UNDOCUMENTED: Final[tuple[str, Colour]] = ("", "gray")
_MAX_CHARACTERS: Final = 40


def status_text(status: str) -> str:
    """A status with its mark; one that the documentation does not name has none."""
    mark, _ = STATUSES.get(status, _UNDOCUMENTED)
    return f"{mark} {one_line(status)}".strip()


def status_count(status: str, count: int) -> str:
    """A status with its mark and how many versions have it: ``○ 3 pending``."""
    mark, _ = STATUSES.get(status, _UNDOCUMENTED)
    return f"{mark} {count} {one_line(status, _MAX_CHARACTERS).lower()}".strip()


def badge(status: str, text: str) -> str:
    """A badge in the colour of a status, as Markdown; ``text`` is not escaped yet."""
    _, colour = STATUSES.get(status, _UNDOCUMENTED)
    return f":{colour}-badge[{escape_markdown(text, _MAX_CHARACTERS)}]"


CHIP_COLOURS: Final[dict[str, Colour]] = {status_text(status): colour for status, (_, colour) in STATUSES.items()}
"""The chips of a table: a status as ``status_text`` writes it, and its colour."""
