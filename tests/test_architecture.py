"""The shape of the package, held by tests."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import zilzal

SOURCE = Path(zilzal.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


def test_import_of_the_package_loads_nothing_else():
    loaded = json.loads(
        run_python(
            "import sys; before = set(sys.modules); import zilzal, json;"
            "print(json.dumps(sorted(set(sys.modules) - before)))"
        )
    )
    heavy = {"numpy", "scipy", "obspy", "torch", "onnxruntime", "matplotlib", "sqlalchemy"}
    assert not heavy & set(loaded)


def test_import_is_quick():
    best = min(float(run_python(TIMED)) for _ in range(3))
    # The package itself loads nothing: a hundredth of a second where nothing else runs.
    assert best < 0.3


TIMED = "import time; t = time.perf_counter(); import zilzal; print(time.perf_counter() - t)"


def test_public_names_are_these_and_can_be_had():
    assert dir(zilzal) == [
        "Archive",
        "Store",
        "Time",
        "ZilzalError",
        "__version__",
        "pick_archive",
        "read_configuration",
        "read_inventory",
        "read_quakeml",
        "run_archive",
        "write_quakeml",
    ]
    assert all(getattr(zilzal, name) for name in zilzal.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        zilzal.nothing  # noqa: B018


MODULE_OF = {"argon2_cffi": "argon2"}
"""Of distributions whose module is called otherwise."""


def test_every_dependency_can_be_imported():
    required = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text())["project"]
    for requirement in required["dependencies"]:
        name = re.match(r"[\w-]+", requirement)[0].replace("-", "_")
        name = MODULE_OF.get(name, name)
        if Requirement(requirement).marker is None or Requirement(requirement).marker.evaluate():
            run_python(f"import {name}")


def test_running_system_never_imports_torch_or_sklearn():
    names = [
        "zilzal.cli.main",
        "zilzal.app.archive",
        "zilzal.pick.neural",
        "zilzal.pick.stalta",
        "zilzal.learn",
    ]
    loaded = run_python(f"import sys, {', '.join(names)}; print(*sys.modules)").split()
    assert not {"torch", "sklearn", "seisbench", "tensorflow"} & set(loaded)


def test_imports_have_no_side_effects_on_files(tmp_path):
    subprocess.run(
        [sys.executable, "-c", "import zilzal.cli.main, zilzal.app.archive"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "", "MPLCONFIGDIR": str(tmp_path / "mpl")},
        check=True,
        timeout=120,
    )
    assert [p.name for p in tmp_path.iterdir() if p.name != "mpl"] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_module_keeps_its_size_and_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "no docstring"
    assert len(text.splitlines()) <= 500, "over 500 lines"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # Signatures of commands are declarations of options: only what is done counts.
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert length <= 60, f"{node.name} is too long"
            assert len(node.args.posonlyargs + node.args.args) <= 6, f"{node.name}: positionals"
