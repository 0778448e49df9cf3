"""Shows how far a rehearsal is: a bar in a terminal, a line now and then where there is none."""

from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tidegate.watch.rehearsal.contracts import FloodProgress

_PLAIN_SECONDS = 5.0


class ShownProgress:
    """One bar a stage. Without a terminal: a line when a stage begins, and every five seconds within it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._name = ""
        self._total = 1
        self._said = 0.0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish()
        self._bars.stop()

    def stage(self, name: str, total: int) -> None:
        """A new stage begins; the one before it is complete."""
        self._finish()
        self._name, self._total, self._said = name, max(total, 1), monotonic()
        self._task = self._bars.add_task(name, total=self._total, note="")
        if not self._console.is_terminal:
            self._console.print(f"{name} ...", highlight=False)

    def done(self, count: int, note: str = "") -> None:
        """So much of the stage is done."""
        if self._task is not None:
            self._bars.update(self._task, completed=count, note=note)
        if not self._console.is_terminal and monotonic() - self._said >= _PLAIN_SECONDS:
            self._said = monotonic()
            share = min(count / self._total, 1.0)
            self._console.print(f"  {self._name}: {share:.0%} {note}", highlight=False)

    def flood(self, seconds: float) -> Callable[[FloodProgress], None]:
        """A flood of so many seconds begins; return who is told of it each second."""
        self.stage("the flood", round(seconds))

        def told(now: FloodProgress) -> None:
            in_line = f"{now.in_line:,} in line, " if now.in_line else ""
            self.done(
                round(min(now.elapsed, seconds)),
                f"{now.shoppers:,} shoppers, {in_line}{now.requests_per_second:,.0f} requests/s, {now.placed:,} "
                f"orders, {now.paid:,} paid, order p99 {now.order_p99_ms:,} ms, {now.failures:,} failures",
            )

        return told

    def _finish(self) -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=self._total)
