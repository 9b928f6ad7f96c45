"""Figures in documents: each stands between two comments, and is written by the command that measured it."""

from pathlib import Path


def put(document: Path, name: str, text: str) -> None:
    """Write what stands between ``<!-- name -->`` and ``<!-- end of name -->``.

    Raises:
        ValueError: the document has no such place.
    """
    before, begin, rest = document.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->\n")
    if not end:
        raise ValueError(f"{document.name} has no place for {name}.")
    document.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
