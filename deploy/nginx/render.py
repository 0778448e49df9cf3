"""Fills in nginx.conf.in and prints the whole configuration; needs Python and nothing else.

python deploy/nginx/render.py --name shop.example --cert /etc/tls/shop.pem --key /etc/tls/shop.key > nginx.conf
nginx -t -c "$PWD/nginx.conf"
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

TEMPLATE = Path(__file__).with_name("nginx.conf.in")
_PLACE = re.compile(r"@([A-Z_]+)@")
_SAFE = re.compile(r"[A-Za-z0-9._:/\[\]*-]*")


def render(values: dict[str, str]) -> str:
    """Return the configuration with every @PLACE@ filled in. Raises ValueError for a value that nginx would misread."""
    for name, value in values.items():
        if not _SAFE.fullmatch(value):
            raise ValueError(f"{name} must be an address, a path, a name or a number, not {value!r}")
    return _PLACE.sub(lambda found: values[found[1]], TEMPLATE.read_text(encoding="utf-8"))


def values_of(arguments: Sequence[str] | None = None) -> dict[str, str]:
    """Return what stands for each place, from the command line."""
    parser = argparse.ArgumentParser(description="Print the nginx configuration of a Tidegate installation.")
    parser.add_argument("--app", default="127.0.0.1:8470", help="where the web process listens (TIDEGATE_HOST, _PORT)")
    parser.add_argument("--name", required=True, help="the shop's host name")
    parser.add_argument("--cert", required=True, help="certificate with its chain, PEM")
    parser.add_argument("--key", required=True, help="its key, PEM")
    parser.add_argument("--tls", default="443", help="port, or address and port, for https")
    parser.add_argument("--plain", default="80", help="port, or address and port, for http, which is sent to https")
    parser.add_argument("--run", default="/var/lib/tidegate-nginx", help="folder for caches, logs and the pid file")
    parser.add_argument("--user", default="www-data", help="system user of the workers")
    parser.add_argument("--mime", default="/etc/nginx/mime.types", help="nginx's own list of types")
    parser.add_argument("--pages-a-second", default="200", help="requests a second of one address (default 200)")
    parser.add_argument(
        "--personal-pages-a-second",
        default="100000",
        help="pages of signed-in visitors a second, of all together (100000)",
    )
    parser.add_argument("--orders-a-second", default="20", help="orders and passes a second of one address (20)")
    parser.add_argument("--sign-ins-a-second", default="5", help="sign-ins and codes a second of one address (5)")
    parser.add_argument("--connections", default="200", help="open requests of one address (200)")
    given = vars(parser.parse_args(arguments))
    values = {name.upper(): str(value) for name, value in given.items()}
    for name, seconds in (("PAGES", 2), ("ORDERS", 2), ("SIGN_INS", 4)):
        values[f"{name}_BURST"] = str(seconds * int(values[f"{name}_A_SECOND"]))
    values["PERSONAL_PAGES_BURST"] = str(max(1, int(values["PERSONAL_PAGES_A_SECOND"]) // 5))
    port = values["TLS"].rpartition(":")[2]
    values["TLS_SUFFIX"] = "" if port == "443" else f":{port}"
    return values


if __name__ == "__main__":
    print(render(values_of()), end="")
