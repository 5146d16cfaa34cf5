"""Whatever the rooms import is declared: an installation without the tests' packages is a whole one."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# _typeshed is known to type checkers alone
OPTIONAL = ("cluster", "parquet", "images", "encoders", "bench", "completion", "logging")  # a feature each, and no more
ROOMS = ("lab", "theory", "toy", "empirical", "figures")


def canonical(name: str) -> str:
    """A distribution's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(file: Path) -> set[str]:
    """Top-level names of the modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def declared(lines) -> set[str]:
    return {canonical(re.match(r"[\w.-]+", line)[0]) for line in lines}


def undeclared(files, allowed: set[str]) -> list[str]:
    distributions = packages_distributions()
    found = []
    for file in files:
        for name in sorted(imported(file) - set(sys.stdlib_module_names) - {*ROOMS, "tests", "widthlab", "_typeshed"}):
            if not allowed & {canonical(d) for d in distributions.get(name, [name])}:
                found.append(f"{file.relative_to(ROOT)} imports {name}")
    return found


def test_what_the_rooms_import_is_declared(project):
    optional = [line for name in OPTIONAL for line in project["optional-dependencies"][name]]
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    assert len(files) > 100
    assert undeclared(files, declared(project["dependencies"] + optional)) == []


def test_what_the_tests_import_is_declared(project):
    lines = project["dependencies"] + [line for part in project["optional-dependencies"].values() for line in part]
    assert undeclared((ROOT / "tests").rglob("*.py"), declared(lines)) == []
