"""Finds an nginx for the tests of the edge, or unpacks Debian's beside the tests' other programs, where it can.

Nothing is installed into the system and no service starts: the package is taken apart below `.venv`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

_UNPACKED = Path(__file__).parents[1] / ".venv" / "nginx"
_PACKAGES = ("nginx", "nginx-common")


class Nginx(NamedTuple):
    """A program that runs, and its list of media types."""

    program: str
    mime: str


def find() -> Nginx | None:
    """The system's nginx, else the one unpacked here, else None."""
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    for program, root in ((shutil.which("nginx", path=places), Path("/")), (_UNPACKED / "usr/sbin/nginx", _UNPACKED)):
        if program is not None and _runs(program):
            return Nginx(str(program), str(root / "etc/nginx/mime.types"))
    return None


def main() -> None:
    """Exit 0 in any case: without nginx the tests of the edge are skipped, and this says how to get it."""
    if find() is None and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        print("Unpacking Debian's nginx for the tests of the edge ...", flush=True)
        _unpack()
    if find() is None:
        print(
            "No nginx was found, so the tests of the edge will be skipped. To run them too, install it "
            "(Debian: apt-get install nginx; others: your package manager's nginx).",
            file=sys.stderr,
        )


def _runs(program: str | Path) -> bool:
    try:
        return subprocess.run([program, "-v"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _unpack() -> None:
    with tempfile.TemporaryDirectory(dir=_UNPACKED.parent) as folder:
        fetch = ["apt-get", "download", "-qq", *_PACKAGES]
        if subprocess.run(fetch, cwd=folder, check=False, capture_output=True).returncode and os.geteuid() == 0:
            subprocess.run(["apt-get", "update", "-qq"], check=False)
            subprocess.run(fetch, cwd=folder, check=False)
        for package in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, _UNPACKED], check=False)


if __name__ == "__main__":
    main()
