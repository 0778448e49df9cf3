"""How a process writes its log: one line an event, UTC, on standard error."""

import logging
import os
import time

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_CHATTY = ("httpx", "procrastinate")


def begin_logging() -> None:
    """Begin to log at the level that TIDEGATE_LOG names (INFO by default)."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=os.environ.get("TIDEGATE_LOG", "INFO"), format=_FORMAT)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
