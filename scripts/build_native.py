"""Compiles the pricing kernel with the machine's C compiler or, where it has none that can, with the one from PyPI."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "src/tidegate/offer/pricing/native"
LIBRARY = "kernel.so"
"""The same name on every system: ctypes does not look at the ending."""
USUAL_NAMES = ("cc", "gcc", "clang")
FLAGS = (
    "-std=c11",
    "-O2",
    "-fPIC",
    "-fvisibility=hidden",
    "-shared",
    "-Wall",
    "-Wextra",
    "-Werror=implicit-function-declaration",
)
# What the kernel calls of Python is found where it is loaded; macOS wants to be told so.
SYSTEM_FLAGS = ("-undefined", "dynamic_lookup") if sys.platform == "darwin" else ()
TRIAL = """typedef __int128 wide;
extern long found_later(long);
wide share(wide amount, wide parts) { return found_later((long)(amount / parts)); }
"""


def main(folder: Path = FOLDER) -> None:
    """Compile all of `folder` into its library. Exits with the compiler's own output when that fails."""
    compiler = installed() or packaged()
    print(f"Compiling the pricing kernel with {shlex.join(compiler)} ...", flush=True)
    # Beside the library, so that the last step is one rename: a process that loads it sees the old one or the new one.
    with TemporaryDirectory(dir=folder, prefix=".building-") as building:
        made = Path(building) / LIBRARY
        done = run(compiler, sorted(folder.glob("*.c")), made)
        if done.returncode:
            sys.exit(f"{shlex.join(compiler)} failed:\n{done.stdout}{done.stderr}")
        print(done.stderr, end="", file=sys.stderr)
        made.replace(folder / LIBRARY)


def installed() -> list[str] | None:
    """The first compiler of this machine that can make such a library: what CC names, then those with usual names."""
    with TemporaryDirectory() as folder:
        source = Path(folder) / "trial.c"
        source.write_text(TRIAL)
        for command in (os.environ.get("CC", ""), *USUAL_NAMES):
            compiler = shlex.split(command)
            if compiler and works(compiler, source):
                return compiler
    return None


def works(compiler: list[str], source: Path) -> bool:
    """Whether it is there and compiles the source."""
    try:
        return run(compiler, [source], source.with_suffix(".so")).returncode == 0
    except OSError:
        return False


def packaged() -> list[str]:
    """Zig's C compiler, installed into this environment. Exits with a message that says how to get another."""
    print("No C compiler works here: taking the one from PyPI (100 MB, unpacked 410 MB) ...", flush=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "-r", ROOT / "requirements-compiler.lock"], check=False).returncode:
        sys.exit(
            "The pricing kernel needs a C compiler: there is none that works here, and none could be installed from "
            "PyPI. Get one (Debian and Ubuntu: apt install gcc; Fedora: dnf install gcc; Alpine: apk add gcc musl-dev; "
            "macOS: xcode-select --install) or name one in CC, then run make again."
        )
    # Zig would use all that this very processor can; as other compilers do, leave that to who runs it elsewhere.
    return [sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline"]


def run(compiler: Sequence[str], sources: Sequence[Path], library: Path) -> subprocess.CompletedProcess[str]:
    """Compile the sources into the library."""
    # Zig keeps what it has compiled in a home folder, and gcc finds its linker in the PATH: not everybody has them.
    kept = str(Path(sys.prefix) / "zig-cache")
    environment = {"PATH": os.defpath, **os.environ, "ZIG_GLOBAL_CACHE_DIR": kept, "ZIG_LOCAL_CACHE_DIR": kept}
    command: list[str | Path] = [*compiler, *FLAGS, *SYSTEM_FLAGS, "-o", library, *sources]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


if __name__ == "__main__":
    main()
