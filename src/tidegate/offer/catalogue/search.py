"""The search index: a copy of the goods on disk, written by one process and read by all.

`<folder>/current` names the generation in use. A generation is built aside and switched to by renaming one file; an
update within a generation is one commit of tantivy, which also renames one file. So a crash at any moment leaves the
last complete index. The revision that a commit holds stands in the same commit, as a document of its own.
"""

import fcntl
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import tantivy

from tidegate.offer.catalogue.contracts import QUERY_LENGTH_MAX, Goods, Match, Revision, SearchResult
from tidegate.offer.catalogue.errors import QueryTooLong
from tidegate.offer.catalogue.query import build
from tidegate.offer.catalogue.rules import category_name, require_window
from tidegate.offer.catalogue.words import index_words, joined_words, wanted

FORMAT: Final = 1
"""Raise this when the fields or the words of the index change: every machine then builds its index anew."""

_MARK: Final = "\x00revision"
_HEAP_BYTES: Final = 64_000_000
_LADDER: Final = (Match.EXACT, Match.SIMILAR, Match.PARTIAL)

_encode = msgspec.msgpack.Encoder().encode
_decode_goods = msgspec.msgpack.Decoder(Goods).decode


class Generation(msgspec.Struct, frozen=True):
    """What `current` says: the folder in use, the database it was made from, the form it has."""

    folder: str
    identity: str
    format: int


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("sku", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("sku_folded", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("name", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("joined", tokenizer_name="whitespace", index_option="basic")
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
    builder.add_bytes_field("goods", stored=True)
    builder.add_unsigned_field("revision", stored=True)
    return builder.build()


class SearchReader:
    """Answers searches from the index on this machine; without an index yet, every search finds nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._generation: Generation | None = None
        self._index: tantivy.Index | None = None
        self._searcher: tantivy.Searcher | None = None
        self._meta_ns = 0
        self.revision = 0

    @property
    def identity(self) -> str:
        """Which database the open index was made from; empty without an index."""
        return self._generation.identity if self._generation else ""

    @property
    def state(self) -> tuple[Generation | None, int]:
        """The open index, and when what it holds was written."""
        return self._generation, self._meta_ns

    @property
    def goods_count(self) -> int:
        """Number of goods in the open index."""
        return max(0, self._searcher.num_docs - 1) if self._searcher else 0

    def refresh(self) -> bool:
        """Open what the writer has made since; return whether that was anything new. Costs two calls of `stat`."""
        generation = read_current(self._folder)
        if generation is None:
            return False
        meta_ns = _changed_ns(self._folder / generation.folder / "meta.json")
        if generation == self._generation and meta_ns == self._meta_ns:
            return False
        if generation != self._generation or self._index is None:
            self._index = tantivy.Index.open(str(self._folder / generation.folder))
            self._index.config_reader("manual")
        self._index.reload()
        self._generation, self._meta_ns = generation, meta_ns
        self._searcher = self._index.searcher()
        self.revision = _revision_in(self._index.schema, self._searcher)
        return True

    def search(self, query: str, limit: int, offset: int) -> SearchResult:
        """Goods that answer `query`, best first. Raises QueryTooLong and PageOutOfRange."""
        if len(query) > QUERY_LENGTH_MAX:
            raise QueryTooLong(len(query), QUERY_LENGTH_MAX)
        require_window(limit, offset)
        asked = wanted(query)
        if self._index is None or self._searcher is None or not query.strip():
            return SearchResult(query, (), 0, limit, offset, Match.NONE)
        searcher = self._searcher
        # Most of one Latin word is that word again, so that the last step would only repeat the second.
        steps = _LADDER[:2] if len(asked) == 1 and not asked[0].run else _LADDER
        for match in steps:
            found = searcher.search(build(self._index.schema, query, asked, match), limit, offset=offset)
            total = int(getattr(found, "count", 0))  # there, but missing from the package's type stubs
            if total:
                goods = tuple(_goods_of(searcher, address) for _, address in found.hits)
                return SearchResult(query, goods, total, limit, offset, match)
        return SearchResult(query, (), 0, limit, offset, Match.NONE)


class SearchWriter:
    """Makes and follows the index. Only one process on a machine writes at a time: whoever holds the lock file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def lock(self) -> Iterator[bool]:
        """Give whether this process may write now. The lock ends with the process, however it ends."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "writer.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def indexed_revision(self, revision: Revision) -> int | None:
        """The revision that the present index holds, or None when it must be built anew for this database."""
        generation = read_current(self._folder)
        if generation is None or generation.identity != revision.identity or generation.format != FORMAT:
            return None
        try:
            index = tantivy.Index.open(str(self._folder / generation.folder))
            held = _revision_in(index.schema, index.searcher())
        except (ValueError, OSError):
            return None  # damaged on disk: made again from PostgreSQL, which lost nothing
        return held if held <= revision.number else None

    def update(self, number: int, changed: Sequence[Goods], gone: Sequence[str]) -> None:
        """Bring the present generation to revision `number` in one commit."""
        generation = read_current(self._folder)
        assert generation is not None, "update is called after indexed_revision found a generation"
        index = tantivy.Index.open(str(self._folder / generation.folder))
        writer = index.writer(_HEAP_BYTES, 1)
        for sku in [*(goods.sku for goods in changed), *gone]:
            writer.delete_documents_by_term("sku", sku)
        _add(writer, changed)
        _commit(writer, number)

    def begin(self, revision: Revision) -> "NewGeneration":
        """Begin a generation aside; it is not seen before its `finish`."""
        self._sweep()
        return NewGeneration(self._folder, revision)

    def _sweep(self) -> None:
        """Remove generations that nobody will open again (open ones stay readable until closed)."""
        current = read_current(self._folder)
        for place in self._folder.glob("generation-*"):
            if current is None or place.name != current.folder:
                shutil.rmtree(place, ignore_errors=True)


class NewGeneration:
    """An index being built aside."""

    def __init__(self, folder: Path, revision: Revision) -> None:
        numbers = [int(place.name.removeprefix("generation-")) for place in folder.glob("generation-*")]
        self._place = folder / f"generation-{max(numbers, default=0) + 1}"
        self._place.mkdir()
        self._folder, self._revision = folder, revision
        self._writer = tantivy.Index(_schema(), str(self._place)).writer(_HEAP_BYTES, 1)

    def add(self, goods: Sequence[Goods]) -> None:
        """Add goods that are not in it yet."""
        _add(self._writer, goods)

    def finish(self) -> None:
        """Commit, then let `current` name this generation."""
        _commit(self._writer, self._revision.number)
        generation = Generation(self._place.name, self._revision.identity, FORMAT)
        aside = self._folder / "current.new"
        aside.write_bytes(msgspec.json.encode(generation))
        aside.replace(self._folder / "current")


def read_current(folder: Path) -> Generation | None:
    """What `current` says; None when there is no index, or none that this version of the code can read."""
    try:
        generation = msgspec.json.decode((folder / "current").read_bytes(), type=Generation)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return generation if generation.format == FORMAT and (folder / generation.folder / "meta.json").exists() else None


def _changed_ns(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _add(writer: tantivy.IndexWriter, goods: Sequence[Goods]) -> None:
    for each in goods:
        writer.add_document(document(each))


def document(goods: Goods) -> tantivy.Document:
    """Goods as the index holds them: the words of the name twice (`name`, `text`), all other words once."""
    category = category_name(goods.category)
    name = index_words(f"{goods.name.zh} / {goods.name.en}")
    rest = index_words(
        f"{goods.description.zh} / {goods.description.en} / {goods.brand} / {category.zh} / {category.en} / {goods.sku}"
    )
    made = tantivy.Document()
    made.add_text("sku", goods.sku)
    made.add_text("sku_folded", goods.sku.lower())
    made.add_text("name", " ".join(name))
    made.add_text("joined", " ".join(joined_words(goods.name.en)))
    made.add_text("text", " ".join([*name, *rest]))
    made.add_bytes("goods", _encode(goods))
    return made


def _commit(writer: tantivy.IndexWriter, number: int) -> None:
    writer.delete_documents_by_term("sku", _MARK)
    mark = tantivy.Document()
    mark.add_text("sku", _MARK)
    mark.add_unsigned("revision", number)
    writer.add_document(mark)
    writer.commit()
    writer.wait_merging_threads()


def _revision_in(schema: tantivy.Schema, searcher: tantivy.Searcher) -> int:
    found = searcher.search(tantivy.Query.term_query(schema, "sku", _MARK), 1).hits
    return int(searcher.doc(found[0][1]).get_first("revision") or 0) if found else 0


def _goods_of(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> Goods:
    return _decode_goods(bytes(searcher.doc(address).get_first("goods") or b""))
