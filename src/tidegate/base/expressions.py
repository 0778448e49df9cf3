"""CEL, the Common Expression Language, without the terminal toolkit that its package loads for a command line."""

import sys
from types import ModuleType

# An eighth of what a process needs to load, and one that was killed loads again while shoppers wait.
sys.modules["cel.cli"] = ModuleType("cel.cli")

from cel import Program, compile  # noqa: A004, E402  after the line above; the package's name for it

del sys.modules["cel.cli"]

__all__ = ["Program", "compile"]
