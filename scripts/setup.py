"""Makes the virtual environment and installs the locked packages and Tidegate itself into it.

Of the interpreters of the same version on this machine it takes the fastest: one built without profile-guided
optimization, as some version managers do, takes a third longer for all that Tidegate does.
"""

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USUAL_FOLDERS = ("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin")
CLEARLY_FASTER = 0.9
"""Another interpreter is taken only where it needs less than this share of the time: two measurements differ, too."""
MEASURE = """
import ensurepip, ssl, sqlite3, time, venv

def work():
    known, total = {}, 0
    for number in range(100_000):
        known[number & 1023] = (number, total)
        total ^= hash(str(number)) + len(known)

def seconds():
    start = time.process_time()
    work()
    return time.process_time() - start

print(min(seconds() for _ in range(7)))
"""


def main(folder: Path, *, this_one: bool) -> None:
    """Install into `folder`. Exits with a message that says what is missing and how to get it."""
    if sys.version_info < (3, 11):
        sys.exit(
            f"Tidegate needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try make PYTHON=python3.11 ..."
        )
    python = folder / "bin" / "python"
    if not python.exists():
        maker = sys.executable if this_one else fastest()
        print(f"Making {folder} with {maker} ...", flush=True)
        try:
            make_environment(folder, maker)
        except (OSError, subprocess.CalledProcessError):
            sys.exit("Python cannot make an environment here. On Debian and Ubuntu: apt install python3-venv")
    print("Installing packages (less than a minute, the first time) ...", flush=True)
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # What is used is compiled when it is loaded first; all of it together takes a third of the time.
    subprocess.run([*pip, "--no-compile", "-r", ROOT / "requirements.lock"], check=True)
    subprocess.run([*pip, "--no-deps", "-e", ROOT], check=True)


def make_environment(folder: Path, maker: str) -> None:
    """Make it with this interpreter."""
    if maker == sys.executable:
        venv.create(folder, with_pip=True)
    else:
        subprocess.run([maker, "-m", "venv", folder], check=True)


def fastest() -> str:
    """The fastest interpreter of this version: the one that runs this, unless another is clearly faster."""
    own = seconds_of(sys.executable)
    others = {other: seconds for other in same_version() if (seconds := seconds_of(other)) is not None}
    best = min(others, key=others.__getitem__, default=sys.executable)
    if best == sys.executable or (own is not None and others[best] > own * CLEARLY_FASTER):
        return sys.executable
    if own is not None:
        print(f"{best} needs {others[best] / own:.0%} of the time of {sys.executable}: taking it.", flush=True)
    return best


def same_version() -> list[str]:
    """Other interpreters of this version where commands are, each once."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found: dict[Path, str] = {}
    for folder in (*os.get_exec_path(), *USUAL_FOLDERS):
        path = Path(folder) / name
        if path.is_file() and os.access(path, os.X_OK):
            found.setdefault(path.resolve(), str(path))
    found.pop(Path(sys.executable).resolve(), None)
    return list(found.values())


def seconds_of(python: str) -> float | None:
    """How long it takes for some plain work; None where it cannot make an environment or does not run."""
    try:
        answer = subprocess.run([python, "-c", MEASURE], capture_output=True, check=True, timeout=60, text=True)
        return float(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--this-one", action="store_true", help="take the interpreter that runs this")
    asked = parser.parse_args()
    main(asked.folder, this_one=asked.this_one)
