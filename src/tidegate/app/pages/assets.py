"""The built files of `web/`: which ones a face loads, and each in the encodings it was compressed to beforehand."""

import mimetypes
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent.parent / "assets"
_ENCODINGS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class Entry(msgspec.Struct, frozen=True):
    """What a page must load for one face: addresses of its scripts and style sheets."""

    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    """What the scripts import: asked for at once, so that nothing waits for a second round trip."""


class Asset(msgspec.Struct, frozen=True):
    """One built file, as bytes for each encoding; `identity` is always there."""

    media_type: str
    bodies: dict[str, bytes]

    def best(self, accept_encoding: str) -> tuple[str, bytes]:
        """Return the first encoding that the client takes, in the order of smallness, and its bytes."""
        accepted = {part.split(";")[0].strip() for part in accept_encoding.lower().split(",") if "q=0" not in part}
        for encoding in _ENCODINGS:
            if encoding in accepted and encoding in self.bodies:
                return encoding, self.bodies[encoding]
        return "identity", self.bodies["identity"]


class _Chunk(msgspec.Struct):
    """An entry of Vite's manifest.json."""

    file: str
    css: list[str] = []
    imports: list[str] = []


class Assets:
    """The manifest and the files. An installation whose `web/` was never built has none, and its pages are bare."""

    def __init__(self, entries: dict[str, Entry], files: dict[str, Asset]) -> None:
        self._entries = entries
        self._files = files

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "Assets":
        """Read the manifest and all files into memory: a few hundred kilobytes, read once a process."""
        manifest = folder / "manifest.json"
        if not manifest.is_file():
            return cls({}, {})
        chunks = msgspec.json.decode(manifest.read_bytes(), type=dict[str, _Chunk])
        entries = {name.split("/")[0]: _entry(name, chunks) for name in chunks if name.endswith("/main.ts")}
        return cls(entries, {path.name: _asset(path) for path in sorted(folder.iterdir()) if _is_original(path)})

    @property
    def built(self) -> bool:
        """Whether `web/` was built."""
        return bool(self._entries)

    def entry(self, face: str) -> Entry:
        """Return what pages of `face` load."""
        return self._entries.get(face, Entry())

    def css(self, face: str) -> str:
        """Return the style sheets of `face` as text, for pages that carry them along and save a round trip."""
        files = (self._files[address.removeprefix("/assets/")] for address in self.entry(face).styles)
        return "".join(file.bodies["identity"].decode() for file in files)

    @property
    def addresses(self) -> list[str]:
        """The addresses of all built files."""
        return [f"/assets/{name}" for name in self._files]

    def file(self, name: str) -> Asset | None:
        """Return a built file by its name."""
        return self._files.get(name)


def _entry(name: str, chunks: dict[str, _Chunk]) -> Entry:
    parts = [chunks[part] for part in chunks[name].imports]
    return Entry(
        scripts=(f"/assets/{chunks[name].file}",),
        styles=tuple(f"/assets/{css}" for chunk in (*parts, chunks[name]) for css in chunk.css),
        parts=tuple(f"/assets/{part.file}" for part in parts),
    )


def _is_original(path: Path) -> bool:
    return path.is_file() and path.suffix not in _ENCODINGS.values() and path.name != "manifest.json"


def _asset(path: Path) -> Asset:
    bodies = {"identity": path.read_bytes()}
    for encoding, suffix in _ENCODINGS.items():
        compressed = path.with_name(path.name + suffix)
        if compressed.is_file():
            bodies[encoding] = compressed.read_bytes()
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(_TYPES.get(path.suffix, guessed), bodies)
