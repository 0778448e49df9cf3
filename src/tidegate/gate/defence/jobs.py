"""What the worker does for defence: a step each second, and calls of the operator's hook until it takes them."""

from typing import Any

import msgspec

from tidegate.base.db import Database
from tidegate.base.jobs import Jobs
from tidegate.gate.defence.api import HOOK_TASK, Defences
from tidegate.gate.defence.contracts import HookCall

WATCH_SECONDS = 1.0
TRIES_MAX = 8


def schedule(jobs: Jobs, db: Database, defences: Defences) -> None:
    """Register the step of each second, and the task that calls the hook: 8 tries, 2, 4, 8 ... seconds apart."""

    async def call_hook(call: dict[str, Any]) -> None:
        await defences.call_hook(db, msgspec.convert(call, HookCall))

    jobs.task(HOOK_TASK, call_hook, attempts_max=TRIES_MAX)
    jobs.every(WATCH_SECONDS, "defence.watch", lambda: defences.watch(db))
