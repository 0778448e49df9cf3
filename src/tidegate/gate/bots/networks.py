"""Networks of datacenters: a list that the operator keeps, looked up by bisection."""

import logging
from bisect import bisect_right
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network
from pathlib import Path

log = logging.getLogger(__name__)


class Networks:
    """A fixed set of networks, IPv4 and IPv6; one lookup takes a microsecond or two whatever its size."""

    def __init__(self, lines: list[str]) -> None:
        nets = [ip_network(line) for line in lines]
        v4 = list(collapse_addresses(net for net in nets if net.version == 4))
        v6 = list(collapse_addresses(net for net in nets if net.version == 6))
        self._is_empty = not nets  # most installations list nothing, and a text costs more to read than to look up
        self._spans = {
            version: ([int(net[0]) for net in found], [int(net[-1]) for net in found])
            for version, found in ((4, v4), (6, v6))
        }

    def __contains__(self, address: str) -> bool:
        """Return whether the address lies in one of the networks; a text that is no address does not."""
        if self._is_empty:
            return False
        try:
            found = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None) or found
        starts, ends = self._spans[mapped.version]
        place = bisect_right(starts, int(mapped)) - 1
        return place >= 0 and int(mapped) <= ends[place]


class NetworkList:
    """The operator's file: one network in CIDR a line, `#` for comments. A file that is not there lists nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_at: tuple[int, int] | None = None
        self._networks = Networks([])
        self._follow()

    def __contains__(self, address: str) -> bool:
        """Return whether the address lies in one of the listed networks."""
        return address in self._networks

    def follow(self) -> None:
        """Read the file again where it changed. One with a fault changes nothing: what was read before stays."""
        try:
            self._follow()
        except (ValueError, OSError) as fault:
            log.warning("the list of datacenter networks is not read again: %s", fault)

    def _follow(self) -> None:
        """Raise ValueError that names the file's first faulty line."""
        stamp = _stamp(self._file)
        if stamp == self._read_at:
            return
        self._read_at = stamp
        lines = self._file.read_text(encoding="utf-8").splitlines() if stamp else []
        named = ((number, line.partition("#")[0].strip()) for number, line in enumerate(lines, 1))
        self._networks = Networks([str(_network(self._file, number, text)) for number, text in named if text])


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


def _network(file: Path, number: int, text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as fault:
        raise ValueError(f"{file}, line {number}: {fault}; write a network like 203.0.113.0/24") from fault
