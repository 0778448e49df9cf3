"""Makes the virtual environment and installs the locked packages and Tidegate itself into it."""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(folder: Path) -> None:
    """Install into `folder`. Exits with a message that says what is missing and how to get it."""
    if sys.version_info < (3, 11):
        sys.exit(
            f"Tidegate needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try make PYTHON=python3.11 ..."
        )
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"Making {folder} ...", flush=True)
        try:
            venv.create(folder, with_pip=True)
        except (OSError, subprocess.CalledProcessError):
            sys.exit("Python cannot make an environment here. On Debian and Ubuntu: apt install python3-venv")
    print("Installing packages (about a minute the first time) ...", flush=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", ROOT / "requirements.lock"], check=True)
    subprocess.run([*pip, "--no-deps", "-e", ROOT], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
