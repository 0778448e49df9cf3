"""Where each key of a TOML text stands: its line, by path such as ("offer", 2, "price").

`tomllib` gives values without places, and the libraries that keep formatting do not tell lines either, so this small
scanner walks the text a second time. It reads only what `tomllib` has accepted, so it checks nothing itself.
"""

from bisect import bisect_right
from collections.abc import Mapping

Path = tuple[str | int, ...]

_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def lines_of(text: str) -> Mapping[Path, int]:
    """The line, from 1, of every table, key and array entry of a valid TOML text."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.document()
    return scanner.lines


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of a path, or of the nearest thing around it (a missing key is reported at its table); else 1."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return 1


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_starts = [0] + [place + 1 for place, char in enumerate(text) if char == "\n"]
        self._counts: dict[Path, int] = {}
        self.lines: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while self._skip(" \t\n"):
            if self._next() == "[":
                table = self._header()
            else:
                self._key_value(table)

    def _header(self) -> Path:
        start, is_entry = self._at, self._text.startswith("[[", self._at)
        self._at += 2 if is_entry else 1
        path: Path = ()
        parts = self._key()
        for part in parts[:-1]:
            path = self._last_entry((*path, part))
        path = (*path, parts[-1])
        if is_entry:
            self._counts[path] = self._counts.get(path, 0) + 1
            self.lines.setdefault(path, self._line(start))
        path = self._last_entry(path)
        self.lines.setdefault(path, self._line(start))
        self._at += 2 if is_entry else 1
        return path

    def _last_entry(self, path: Path) -> Path:
        """Within an array of tables, a header means the last entry so far."""
        return (*path, self._counts[path] - 1) if path in self._counts else path

    def _key_value(self, table: Path) -> None:
        start = self._at
        path = table
        for part in self._key():
            path = (*path, part)
            self.lines.setdefault(path, self._line(start))
        self._at += 1  # the equals sign
        self._skip(" \t")
        self._value(path)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(" \t")
            parts.append(self._string() if self._next() in "\"'" else self._bare("=.] \t"))
            self._skip(" \t")
            if self._next() != ".":
                return parts
            self._at += 1

    def _value(self, path: Path) -> None:
        match self._next():
            case '"' | "'":
                self._string()
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                self._bare(",]}#\n")

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._skip(" \t\n,") and self._next() != "]":
            self.lines[(*path, index)] = self._line(self._at)
            self._value((*path, index))
            index += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._skip(" \t\n,") and self._next() != "}":
            self._key_value(path)
        self._at += 1

    def _string(self) -> str:
        quote = self._next()
        if self._text.startswith(quote * 3, self._at):
            return self._long_string(quote)
        self._at += 1
        found = ""
        while (char := self._next()) != quote:
            if char == "\\" and quote == '"':
                self._at += 1
                char = _ESCAPES.get(self._next(), self._next())
            found += char
            self._at += 1
        self._at += 1
        return found

    def _long_string(self, quote: str) -> str:
        start = self._at = self._at + 3
        while not self._text.startswith(quote * 3, self._at):
            self._at += 2 if self._next() == "\\" and quote == '"' else 1
        found = self._text[start : self._at]
        self._at += 3
        while self._at < len(self._text) and self._next() == quote:  # up to two quotes may stand before the end
            self._at += 1
        return found

    def _bare(self, ends: str) -> str:
        start = self._at
        while self._at < len(self._text) and self._next() not in ends:
            self._at += 1
        return self._text[start : self._at]

    def _skip(self, blanks: str) -> bool:
        """Go on behind blanks and comments; whether anything is left."""
        while self._at < len(self._text):
            if self._next() == "#":
                self._bare("\n")
            elif self._next() in blanks:
                self._at += 1
            else:
                return True
        return False

    def _next(self) -> str:
        return self._text[self._at]

    def _line(self, place: int) -> int:
        return bisect_right(self._line_starts, place)
