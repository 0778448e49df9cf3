"""Sends the flood: Locust as a process of its own, its progress line by line, its results at the end."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

import tidegate
from tidegate.watch.rehearsal.contracts import FloodPlan, FloodProgress, FloodReport
from tidegate.watch.rehearsal.errors import FloodFailed

PLAN_VARIABLE: Final = "TIDEGATE_FLOOD_PLAN"
EARLY_SHARE: Final = 0.35
"""This share of the shoppers is there before the opening; where there is a line, its plan says how many."""
LATE_SHARE: Final = 0.6
"""This share stays for the last third."""
ARRIVAL_SECONDS: Final = 10.0
"""Those who were not early come within this time from the opening."""
_STOP_SECONDS: Final = 30
_LAST_SECONDS: Final = 45
_TAIL_CHARACTERS: Final = 2_000

Told = Callable[[FloodProgress], None]


def users_at(plan: FloodPlan, elapsed: float, opening: float) -> int:
    """Return how many shoppers there are after `elapsed` seconds: few early, all from the opening, fewer at last."""
    if elapsed < opening:
        return early_count(plan)
    if elapsed < opening + (plan.seconds - opening) * 2 / 3:
        return plan.shoppers
    return max(1, round(plan.shoppers * LATE_SHARE))


def arrivals_per_second(plan: FloodPlan, elapsed: float, opening: float) -> float:
    """Return how fast shoppers come: the early ones over the time before the opening, the others in ARRIVAL_SECONDS."""
    early = early_count(plan)
    if elapsed < opening:
        return max(1.0, early / max(opening * 0.7, 1.0))
    return max(1.0, (plan.shoppers - early) / ARRIVAL_SECONDS)


def early_count(plan: FloodPlan) -> int:
    """Return how many shoppers are there before the opening."""
    share = plan.line.early_share if plan.line is not None else EARLY_SHARE
    return max(1, round(plan.shoppers * share))


async def send_flood(plan: FloodPlan, told: Told, folder: Path) -> FloodReport:
    """Send the flood and wait for its end; `told` hears its progress each second. Raises FloodFailed."""
    plan_file, log_file = folder / "plan.json", folder / "locust.log"
    plan_file.write_bytes(msgspec.json.encode(plan))
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *_command(plan),
            env=_environment(plan_file),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(plan.seconds + _LAST_SECONDS + _STOP_SECONDS):
                await _listen(process, told)
                await process.wait()
        except TimeoutError as fault:
            raise FloodFailed(f"The simulated shoppers did not come to an end. See {log_file}.") from fault
        finally:
            await _end(process)
    return _report(plan, log_file)


def _command(plan: FloodPlan) -> list[str]:
    shoppers = Path(__file__).with_name("shoppers.py")
    return [
        *(sys.executable, "-m", "locust", "--headless", "--locustfile", str(shoppers), "--host", plan.url),
        *("--stop-timeout", str(_STOP_SECONDS), "--loglevel", "WARNING", "--only-summary", "--exit-code-on-error", "0"),
    ]


def _environment(plan_file: Path) -> dict[str, str]:
    package = str(Path(tidegate.__file__).parents[1])
    known = os.environ.get("PYTHONPATH", "")
    paths = f"{package}{os.pathsep}{known}" if known else package
    return {**os.environ, PLAN_VARIABLE: str(plan_file), "PYTHONPATH": paths}


async def _listen(process: asyncio.subprocess.Process, told: Told) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        if line.startswith(b"{"):
            with contextlib.suppress(msgspec.DecodeError):
                told(msgspec.json.decode(line, type=FloodProgress))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _report(plan: FloodPlan, log_file: Path) -> FloodReport:
    try:
        return msgspec.json.decode(Path(plan.results).read_bytes(), type=FloodReport)
    except (OSError, msgspec.DecodeError) as fault:
        tail = log_file.read_text(errors="replace")[-_TAIL_CHARACTERS:]
        raise FloodFailed(f"The simulated shoppers left no results. Their log ends with:\n{tail}") from fault
