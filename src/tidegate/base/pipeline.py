"""A transaction through PostgreSQL's pipeline: statements travel on at once, and what is asked for is waited for.

psycopg's own pipeline costs some 50 µs of processor time a statement: a cursor, a lock and a generator for each. A
batch of the hot lane is a dozen statements. Here psycopg adapts a statement's parameters and libpq sends it as a
prepared one; whatever can be read from the socket is handed to whom it belongs.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from itertools import count
from types import TracebackType
from typing import Any, Self, cast

import psycopg
from psycopg import AsyncConnection, AsyncCursor, pq
from psycopg.abc import Params, PQGen, PyFormat, QueryNoTemplate
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.rows import TupleRow

_PLACEHOLDER = re.compile(r"%(?:(%)|(?:\((\w+)\))?([sbt]))")
_FAILED = frozenset({pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED})
_SYNC = pq.ExecStatus.PIPELINE_SYNC

Plan = tuple[str, tuple[int, ...]]
"""What is planned: a statement's text, for parameters of these types."""


class Connection(AsyncConnection[TupleRow]):
    """A connection of psycopg's that can carry a transaction the short way; otherwise it is as any."""

    _pipelined: "_Pipeline | None" = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plans: dict[Plan, bytes] = {}
        """Names under which statements are prepared here."""
        self.plan_numbers = count(1)

    async def execute(  # type: ignore[override]  # templates, which need a newer Python, are not sent here
        self, query: QueryNoTemplate, params: Params | None = None, *, prepare: bool | None = None, binary: bool = False
    ) -> AsyncCursor[TupleRow]:
        """Execute a statement, or send it where a pipelined transaction is under way."""
        if self._pipelined is None:
            return await super().execute(query, params, prepare=prepare, binary=binary)
        return cast("AsyncCursor[TupleRow]", await _Answer(self._pipelined).execute(query, params))

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        """Return a cursor; in a pipelined transaction it knows `execute`, `fetchone`, `fetchall` and row factories."""
        if self._pipelined is None:
            return super().cursor(*args, **kwargs)
        return _Answer(self._pipelined, kwargs.get("row_factory"))

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        """Forget our names, too, where psycopg deallocates all: it does after each rollback of a transaction."""
        if name is None:
            self.plans.clear()
        return super()._deallocate(name)

    @asynccontextmanager
    async def pipelined(self) -> AsyncIterator[None]:
        """Carry a transaction: BEGIN, statements and COMMIT travel on. What one broke is raised at the next answer that
        is asked for, or at the end. Who is cancelled in it loses the connection.
        """
        pipeline = self._pipelined = _Pipeline(self)
        try:
            try:
                pipeline.send(_Answer(pipeline), "begin")
                yield
                commit = _Answer(pipeline)
                pipeline.send(commit, "commit")
                await pipeline.end()
                pipeline.require_committed(commit)
            except Exception:
                await pipeline.end()
                with suppress(psycopg.Error):
                    await self.rollback()
                raise
        except BaseException as fault:
            if not isinstance(fault, Exception):
                pipeline.leave()
                await self.close()
            raise
        finally:
            self._pipelined = None


class _Awaited:
    """What the server was asked for: a statement, or a plan under a name, or a sync."""

    __slots__ = ("arrival", "pgresult", "plan")

    def __init__(self, plan: tuple[Plan, bytes] | None = None) -> None:
        self.plan = plan
        self.pgresult: pq.abc.PGresult | None = None
        self.arrival: asyncio.Future[None] | None = None


class _Answer(_Awaited):
    """What a statement brings; it stands where psycopg's cursor would."""

    __slots__ = ("_factory", "_pipeline", "_transformer")

    def __init__(self, pipeline: "_Pipeline", factory: Callable[[Any], Any] | None = None) -> None:
        super().__init__()
        self._pipeline = pipeline
        self._factory = factory
        self._transformer = Transformer(pipeline.connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    @property
    def _encoding(self) -> str:
        """What psycopg's row factories read names of columns with."""
        return self._transformer.encoding

    async def execute(self, query: QueryNoTemplate, params: Params | None = None) -> Self:
        """Send a statement."""
        assert isinstance(query, str)
        self._pipeline.send(self, query, params)
        return self

    async def fetchall(self) -> list[Any]:
        """Wait for the rows. Raises what this statement broke, or one before it; ProgrammingError where it has none."""
        if self.pgresult is None:
            await self._pipeline.wait(self)
        assert self.pgresult is not None
        if self.pgresult.status != pq.ExecStatus.TUPLES_OK:
            raise psycopg.ProgrammingError("the statement gives no rows")
        make = self._factory(self) if self._factory is not None else tuple
        self._transformer.set_pgresult(self.pgresult)
        return self._transformer.load_rows(0, self.pgresult.ntuples, make)

    async def fetchone(self) -> Any | None:
        """Wait for the rows and return the first, or None. Raises what this statement broke, or one before it."""
        rows = await self.fetchall()
        return rows[0] if rows else None

    def dump(
        self, params: Sequence[Any], formats: Sequence[PyFormat]
    ) -> tuple[Sequence[Any], tuple[int, ...], Sequence[pq.Format]]:
        """Return parameters as they travel, with their types and formats."""
        data = self._transformer.dump_sequence(params, formats)
        return data, self._transformer.types or (), self._transformer.formats or ()


class _Pipeline:
    """What is under way on one connection, in the order in which its answers come."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.fault: psycopg.Error | None = None
        """What the first statement that failed broke; those after it are not carried out."""
        self._pgconn = connection.pgconn
        self._socket = self._pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._due: deque[_Awaited] = deque()
        self._writing = False
        self._left = False
        self._pgconn.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._read)

    def send(self, answer: _Answer, query: str, params: Params | None = None) -> None:
        """Send a statement, prepared at its first use on this connection."""
        text, names, wanted = _numbered(query)
        if isinstance(params, Mapping):
            params = [params[name] for name in names]
        data, types, formats = answer.dump(params, wanted) if params else ((), (), ())
        name = self.connection.plans.get((query, types))
        if name is None:
            name = b"tidegate_%d" % next(self.connection.plan_numbers)
            self._pgconn.send_prepare(name, text, types)
            self._due.append(_Awaited(((query, types), name)))
        self._pgconn.send_query_prepared(name, data, formats)
        self._due.append(answer)
        self._flush()

    async def wait(self, answer: _Awaited) -> None:
        """Wait for what is due. Raises what it broke, or a statement before it."""
        if self.fault is not None:
            raise self.fault
        answer.arrival = self._loop.create_future()
        self._pgconn.send_flush_request()
        self._flush()
        await answer.arrival

    async def end(self) -> None:
        """Take all that is under way and leave the pipeline; what failed is known as `fault`."""
        if self._left:
            return
        try:
            synced = _Awaited()
            synced.arrival = self._loop.create_future()
            self._pgconn.pipeline_sync()
            self._due.append(synced)
            self._flush()
            await synced.arrival
            self._pgconn.exit_pipeline_mode()
        except psycopg.Error as fault:
            self._lose(fault)
        self.leave()

    def leave(self) -> None:
        """Look at the connection no more."""
        self._left = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)

    def require_committed(self, commit: _Answer) -> None:
        """Raise what the transaction broke; a COMMIT that travelled behind a failed statement was not carried out."""
        if commit.pgresult is None or commit.pgresult.command_status != b"COMMIT":
            raise self.fault or psycopg.errors.InFailedSqlTransaction("the transaction failed before its end")

    def _flush(self) -> None:
        """Give the socket what it takes now, and the rest when it takes more. Where it takes no more, libpq reads."""
        if self._pgconn.flush():
            if not self._writing:
                self._writing = True
                self._loop.add_writer(self._socket, self._write)
            self._take_what_came()

    def _write(self) -> None:
        try:
            if not self._pgconn.flush():
                self._writing = False
                self._loop.remove_writer(self._socket)
            self._take_what_came()
        except psycopg.Error as fault:
            self._lose(fault)

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            self._take_what_came()
        except psycopg.Error as fault:
            self._lose(fault)

    def _take_what_came(self) -> None:
        while self._due and not self._pgconn.is_busy():
            self._take(self._pgconn.get_result())

    def _take(self, result: pq.abc.PGresult | None) -> None:
        """Take a result of what is due first, or None, which ends it; a sync is one result and no end."""
        due = self._due[0]
        if result is not None and result.status in _FAILED:
            self.fault = self.fault or error_from_result(result)
        elif result is not None:
            due.pgresult = result
        if result is None or result.status == _SYNC:
            self._due.popleft()
            self._arrived(due)

    def _arrived(self, due: _Awaited) -> None:
        if due.plan is not None and due.pgresult is not None:
            statement, name = due.plan
            self.connection.plans[statement] = name
        if due.arrival is None or due.arrival.done():
            return
        if due.pgresult is None:
            due.arrival.set_exception(self.fault or psycopg.InternalError("a statement without an answer"))
        else:
            due.arrival.set_result(None)

    def _lose(self, fault: psycopg.Error) -> None:
        """Give up what is due: the connection is lost."""
        self.fault = self.fault or fault
        while self._due:
            self._arrived(self._due.popleft())
        self.leave()


@cache
def _numbered(query: str) -> tuple[bytes, tuple[str, ...], list[PyFormat]]:
    """Return a statement with PostgreSQL's own placeholders, the names of its parameters where they have some, and in
    which form each is to travel. Kept for each: the statements of a program are its constants.
    """
    names: dict[str, int] = {}
    formats: list[PyFormat] = []

    def number(found: re.Match[str]) -> str:
        percent, name, form = found.groups()
        if percent:
            return "%"
        if name not in names:
            formats.append(PyFormat(form))
        return f"${names.setdefault(name, len(formats)) if name else len(formats)}"

    return _PLACEHOLDER.sub(number, query).encode(), tuple(names), formats
