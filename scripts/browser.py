"""Finds a Chromium for the tests, or installs one where it can; otherwise says how to get it."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""The best first: the shell has no window to draw and takes half of the others' processor time."""
PACKAGES = ("chromium-headless-shell", "chromium")
"""Either will do; older systems do not have the first."""


def main() -> None:
    """Exit 0 with a browser at hand, 1 with a message otherwise."""
    if os.environ.get("TIDEGATE_CHROMIUM") or any(shutil.which(name) for name in NAMES):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium for the browser tests ...", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment)
        for package in PACKAGES:
            command = ["apt-get", "install", "-y", "-qq", package, "fonts-noto-cjk"]
            if not subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL).returncode:
                return
    sys.exit(
        "The tests need a Chromium browser, and none was found. Install one (Debian: apt install chromium "
        "fonts-noto-cjk; others: your package manager's chromium or Google Chrome), or set TIDEGATE_CHROMIUM "
        "to its path."
    )


if __name__ == "__main__":
    main()
