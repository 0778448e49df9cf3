"""Where a Chromium is, and how the journeys start it."""

import os
import shutil

from scripts.browser import NAMES

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def chromium() -> str:
    """Return the path of the browser: TIDEGATE_CHROMIUM, else the first one on PATH. Raises FileNotFoundError."""
    named = os.environ.get("TIDEGATE_CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise FileNotFoundError("These tests need a Chromium: install one, or set TIDEGATE_CHROMIUM to its path.")
    return found
