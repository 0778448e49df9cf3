"""Networks of datacenters: a list that the operator keeps, looked up by bisection."""

from bisect import bisect_right
from ipaddress import collapse_addresses, ip_address, ip_network
from pathlib import Path


class Networks:
    """A fixed set of networks, IPv4 and IPv6; one lookup takes a microsecond or two whatever its size."""

    def __init__(self, lines: list[str]) -> None:
        nets = [ip_network(line) for line in lines]
        v4 = list(collapse_addresses(net for net in nets if net.version == 4))
        v6 = list(collapse_addresses(net for net in nets if net.version == 6))
        self._spans = {
            version: ([int(net[0]) for net in found], [int(net[-1]) for net in found])
            for version, found in ((4, v4), (6, v6))
        }

    @classmethod
    def read(cls, file: Path) -> "Networks":
        """Read a file of one CIDR a line, `#` for comments; none where there is no file. Raises ValueError."""
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        return cls([line for line in lines if line])

    def __contains__(self, address: str) -> bool:
        """Return whether the address lies in one of the networks; a text that is no address does not."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None) or found
        starts, ends = self._spans[mapped.version]
        place = bisect_right(starts, int(mapped)) - 1
        return place >= 0 and int(mapped) <= ends[place]
