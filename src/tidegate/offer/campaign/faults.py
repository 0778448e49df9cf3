"""How a fault in a definition is told: where it is, and what is wrong."""

from msgspec import Struct


class Fault(Struct, frozen=True, kw_only=True):
    """One thing wrong in a definition: where (``offer``, 3, ``price``), what, and the line if it came from a file."""

    path: tuple[str | int, ...]
    message: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        """``festival.toml:42: offer.price: ...`` from a file, else ``offer[3].price: ...``."""
        field = self._field(numbered=not self.file)
        where = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{where}{field}: {self.message}" if field else f"{where}{self.message}"

    def _field(self, *, numbered: bool) -> str:
        text = ""
        for part in self.path:
            if isinstance(part, str):
                text += f".{part}" if text else part
            elif numbered:
                text += f"[{part}]"
        return text
