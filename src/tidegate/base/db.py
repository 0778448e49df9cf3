"""PostgreSQL: transactions, reads and migrations.

PostgreSQL alone is the truth. A transaction opens at a door and is passed down as `tx`; nothing below commits.
"""

import asyncio
import select
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from time import perf_counter
from typing import TypeAlias, TypeVar, cast

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from tidegate.base.errors import Refusal
from tidegate.base.load import LoadControl
from tidegate.base.pipeline import Connection

Tx: TypeAlias = AsyncConnection[TupleRow]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

_OPEN_TRIES = 3
_POOL_WAIT_SECONDS = 10.0
_RECONNECT_SECONDS = 2.0
_LOST_SERVER = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""A server that is cut off without a word is noticed within half a minute; a unix socket needs none of this."""


class DatabaseUnavailable(Refusal):
    """PostgreSQL does not answer: it restarts, or all connections are busy."""

    code = "database-unavailable"
    status = 503
    title = "The shop catches its breath"

    def __init__(self) -> None:
        super().__init__("The database does not answer just now. Try again in a few seconds.", retry_after=2)


class TextNotAllowed(Refusal):
    """A text holds a character that PostgreSQL cannot keep: NUL, or half of a surrogate pair."""

    code = "text-not-allowed"
    status = 422
    title = "A text holds a character that cannot be kept"

    def __init__(self) -> None:
        super().__init__(
            "A text holds a NUL character (U+0000) or one that UTF-8 cannot write. Nothing was changed. "
            "Take it out and send again."
        )


class Database:
    """Pools of connections to the primary, and to a replica for reads where one is given.

    Sizes are caps for one process. Every connection's search path holds no table of ours, so that all SQL must
    name its schema. How long work waits for a connection is told to `load`.

    What a transaction or a reading cannot take as a text ends it with TextNotAllowed, whichever door the text came in.
    """

    def __init__(
        self,
        url: str,
        *,
        replica_url: str | None = None,
        connections_max: int = 12,
        load: LoadControl | None = None,
    ) -> None:
        self.url = url
        self._load = load
        self._pool = _pool(url, connections_max)
        self._reads = _pool(replica_url or url, connections_max, read_only=True)

    async def open(self) -> None:
        """Open the pools; connections are made when first needed."""
        await self._pool.open()
        await self._reads.open()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()
        await self._reads.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Give a read-committed transaction: committed at the end, rolled back on any exception.

        Raises DatabaseUnavailable when it cannot begin. A lost connection inside leaves nothing behind, except that
        a commit whose answer was lost may have happened: whoever retries uses an idempotency key.
        """
        with _texts_refused():
            async with AsyncExitStack() as stack:
                connection = await _begin(self._pool, stack, self._load)
                yield connection

    @asynccontextmanager
    async def pipelined(self) -> AsyncIterator[Tx]:
        """Give a transaction that waits only for answers that are asked for: BEGIN, statements and COMMIT travel on.

        What a statement broke may be raised at the next answer that is fetched, or at the end. Statements that do
        not need each other's answers go out at once with `together`.
        Raises DatabaseUnavailable when no connection is free.
        """
        with _texts_refused():
            async with AsyncExitStack() as stack:
                connection = await _borrow(self._pool, stack, self._load)
                async with connection.pipelined():
                    yield connection

    def read(self, *, wait_seconds: float = _POOL_WAIT_SECONDS) -> AbstractAsyncContextManager[Tx]:
        """Give a read-only connection, each statement with its own snapshot; on the replica where there is one.

        Raises DatabaseUnavailable where none is free within `wait_seconds`, or the connection is lost while reading.
        """
        return _lent(self._reads, self._load, wait_seconds)

    def newest(self) -> AbstractAsyncContextManager[Tx]:
        """Give a connection to the primary to read what was committed last, each statement with its own snapshot.

        A few short statements one after the other cost less so than in a transaction of their own. Not for writing.
        Raises DatabaseUnavailable where none is free, or the connection is lost while reading.
        """
        return _lent(self._pool, self._load, _POOL_WAIT_SECONDS)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Tx]:
        """Give a read-only transaction on the primary in which every statement sees the same moment.

        Raises DatabaseUnavailable where it cannot begin, or the connection is lost while reading.
        """
        try:
            async with self.transaction() as tx:
                await tx.execute("set transaction isolation level repeatable read, read only")
                yield tx
        except psycopg.OperationalError as fault:
            raise DatabaseUnavailable from fault

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Tx]:
        """Give a connection of one's own in autocommit, outside the pool: for locks and loops that keep it."""
        try:
            connection = await AsyncConnection.connect(_conninfo(self.url), autocommit=True)
        except psycopg.OperationalError as fault:
            raise DatabaseUnavailable from fault
        async with connection:
            yield connection


@contextmanager
def _texts_refused() -> Iterator[None]:
    """Say in words what a driver's error says of a text; any other error is passed on."""
    try:
        yield
    except (psycopg.DataError, UnicodeEncodeError) as fault:
        if not _is_of_a_text(fault):
            raise
        raise TextNotAllowed from fault


def _is_of_a_text(fault: Exception) -> bool:
    """Return whether PostgreSQL refused a character, or psycopg did before it: then there is no SQLSTATE."""
    match fault:
        case UnicodeEncodeError():
            return True
        case psycopg.errors.CharacterNotInRepertoire() | psycopg.errors.UntranslatableCharacter():
            return True
        case psycopg.DataError():
            return fault.sqlstate is None and "NUL" in str(fault)
        case _:
            return False


@asynccontextmanager
async def _lent(
    pool: AsyncConnectionPool[Connection], load: LoadControl | None, wait_seconds: float
) -> AsyncIterator[Tx]:
    """Lend a connection for statements that stand alone."""
    try:
        with _texts_refused():
            async with AsyncExitStack() as stack:
                yield await _borrow(pool, stack, load, wait_seconds)
    except psycopg.OperationalError as fault:
        raise DatabaseUnavailable from fault


async def _borrow(
    pool: AsyncConnectionPool[Connection],
    stack: AsyncExitStack,
    load: LoadControl | None,
    wait_seconds: float = _POOL_WAIT_SECONDS,
) -> Connection:
    """Take a live connection: one that the server left while it was idle goes back to be replaced.

    The pool forgets a cancellation that comes together with a connection; who was cancelled meanwhile is so here.
    """
    task = asyncio.current_task()
    assert task is not None
    cancelled = task.cancelling()
    for _ in range(pool.max_size + 1):
        asked_at = perf_counter()
        try:
            connection = await stack.enter_async_context(pool.connection(wait_seconds))
            if task.cancelling() > cancelled:
                raise asyncio.CancelledError
        except (PoolTimeout, psycopg.OperationalError) as fault:
            raise DatabaseUnavailable from fault
        finally:
            if load is not None:
                load.waited("database", perf_counter() - asked_at)
        if not _was_told_something(connection):
            return connection
        try:
            await pool.check_connection(connection)
        except psycopg.OperationalError:
            await stack.aclose()
        else:
            return connection
    raise DatabaseUnavailable


def _was_told_something(connection: Tx) -> bool:
    """Return whether the server has sent something unasked, which nearly always is a goodbye.

    A look at the socket costs two microseconds; asking the server each time would cost a round trip.
    """
    look = select.poll()
    look.register(connection.fileno(), select.POLLIN)
    return bool(look.poll(0))


async def _begin(pool: AsyncConnectionPool[Connection], stack: AsyncExitStack, load: LoadControl | None) -> Tx:
    """Begin on a live connection: one that died while idle is thrown away, for nothing was done on it yet."""
    for attempt in range(_OPEN_TRIES):
        connection = await _borrow(pool, stack, load)
        try:
            await stack.enter_async_context(connection.transaction())
        except psycopg.OperationalError as fault:
            await stack.aclose()
            if attempt == _OPEN_TRIES - 1:
                raise DatabaseUnavailable from fault
            await asyncio.sleep(0.05)
        else:
            return connection
    raise DatabaseUnavailable


async def together(
    first: Awaitable[A], second: Awaitable[B], third: Awaitable[C], fourth: Awaitable[D], /
) -> tuple[A, B, C, D]:
    """Await statements on one pipelined transaction at once: they are sent in this order and answered in one go.

    When some fail, all have ended before the first one's failure is raised: those after it failed because of it.
    """
    answers = await asyncio.gather(first, second, third, fourth, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return cast("tuple[A, B, C, D]", tuple(answers))


def _conninfo(url: str, *, read_only: bool = False) -> str:
    options = "-c search_path=procrastinate -c timezone=UTC"
    # A plan is kept for a connection's life. One that was made while a table was young must not read all of it when a
    # million rows are in it, so transactions, which touch a few rows each, never choose to.
    options += " -c default_transaction_read_only=on" if read_only else " -c enable_seqscan=off"
    return psycopg.conninfo.make_conninfo(url, options=options, application_name="tidegate", **_lost_server(url))


def _lost_server(url: str) -> dict[str, str]:
    """Return what notices a lost server, except for what the address settles itself."""
    settled = psycopg.conninfo.conninfo_to_dict(url)
    return {name: value for name, value in _LOST_SERVER.items() if name not in settled}


def _pool(url: str, connections_max: int, *, read_only: bool = False) -> AsyncConnectionPool[Connection]:
    return AsyncConnectionPool(
        _conninfo(url, read_only=read_only),
        connection_class=Connection,
        min_size=1,
        max_size=connections_max,
        open=False,
        timeout=_POOL_WAIT_SECONDS,
        # The pool's own pauses between attempts double each time, up to half a minute. Given up early and asked again
        # at once, it is back within a second of the server, however long that was away.
        reconnect_timeout=_RECONNECT_SECONDS,
        reconnect_failed=_ask_again,
        kwargs={"autocommit": True},
    )


async def _ask_again(pool: AsyncConnectionPool[Connection]) -> None:
    with suppress(PoolTimeout, psycopg.Error):
        async with pool.connection(0.01):
            pass


def constraint_of(fault: psycopg.Error) -> str:
    """Return the name of the constraint that a statement broke, or an empty string."""
    return fault.diag.constraint_name or ""


def statement(text: str) -> bytes:
    """Mark SQL that was read from one of our own files as trusted text (psycopg takes bytes as they are)."""
    return text.encode()
