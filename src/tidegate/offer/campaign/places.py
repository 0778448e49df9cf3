"""Where a part of a definition stands: file and line of a path, in the campaign file or in a CSV file beside it."""

import csv
import tomllib
from collections.abc import Callable

from tidegate.offer.campaign.positions import Path, line_of, lines_of

_CSV_KEYS = {"goods": "goods_file", "offer": "offers_file"}


class Places:
    """The places of one campaign file that was read without faults; `open_file` gives the text of a file beside it."""

    def __init__(self, text: str, *, file: str, open_file: Callable[[str], str]) -> None:
        self._file = file
        self._lines = lines_of(text)
        raw = tomllib.loads(text)
        head = raw.get("campaign", {})
        self._rows = {
            key: (len(raw.get(key, ())), head[file_key], _row_lines(open_file(head[file_key])))
            for key, file_key in _CSV_KEYS.items()
            if file_key in head
        }

    def of(self, path: Path) -> tuple[str, int]:
        """File and line of a path such as ("goods", 3, "list_price"), or of the nearest thing around it."""
        if len(path) > 1 and path[0] in self._rows and isinstance(path[1], int):
            inline, name, lines = self._rows[str(path[0])]
            place = path[1] - inline
            if 0 <= place < len(lines):
                return name, lines[place]
        return self._file, line_of(self._lines, path)


def _row_lines(text: str) -> list[int]:
    """The line on which each row begins, without the heading and without empty rows."""
    reader = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True), strict=True)
    next(reader, None)
    lines = []
    line = reader.line_num + 1
    for cells in reader:
        if cells:
            lines.append(line)
        line = reader.line_num + 1
    return lines
