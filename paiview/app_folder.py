"""The folder that holds app.py, pages/ and .streamlit/: the checkout or, when installed, a folder of the package."""

from pathlib import Path
from typing import Final

_INSTALLED: Final = Path(__file__).resolve().parent / "dashboard"
APP_FOLDER: Final = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[1]
