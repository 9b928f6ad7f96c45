"""Python's search for cycles of garbage, put off while something large is built that stays.

The search walks over all that was made and is still held, ever again while a listing grows, and finds it in use: that
took longer than reading the listing.
"""

import gc
import threading
from types import TracebackType
from typing import Final, Self

_LOCK: Final = threading.Lock()
_pauses = 0


class SearchPause:
    """Puts the search off in all threads, from ``with`` to its end or to ``end``, whichever comes first."""

    def __init__(self) -> None:
        self._on = False

    def __enter__(self) -> Self:
        """Begin; where the program has switched the search off for good, that is left alone."""
        global _pauses  # noqa: PLW0603 - the switch is the interpreter's, and so is the count of who holds it
        with _LOCK:
            self._on = bool(_pauses) or gc.isenabled()
            if self._on:
                _pauses += 1
                gc.disable()
        return self

    def end(self) -> None:
        """End before the block does; the second time nothing happens."""
        global _pauses  # noqa: PLW0603
        with _LOCK:
            if self._on:
                self._on = False
                _pauses -= 1
                if not _pauses:
                    gc.enable()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End."""
        self.end()
